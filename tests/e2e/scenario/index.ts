/** The scenarios: which steps, in which order. */

import {
	aborted,
	abortedTool,
	cutOff,
	offline,
	retried,
	unauthorized,
} from "./failures.ts";
import * as history from "./history.ts";
import type { Step } from "./step.ts";
import * as turns from "./turns.ts";

/** Everything a person can do, one step each, in three acts: the release matrix. */
export const ACTS: Readonly<Record<string, readonly Step[]>> = {
	turns: [
		turns.chat,
		turns.tools,
		turns.failingTools,
		turns.todos,
		turns.permission,
		turns.question,
		turns.subAgent,
		turns.nestedSubAgent,
		turns.attachments,
		turns.commands,
		turns.switching,
		turns.parallel,
	],
	failures: [unauthorized, retried, cutOff, offline, aborted, abortedTool],
	history: [
		history.renamed,
		history.reverted,
		history.unreverted,
		history.revertedThenPrompted,
		history.revertedToPart,
		history.forked,
		history.forkedCaller,
		history.deleted,
		history.compacted,
		history.archived,
		history.unarchived,
		history.removedMessage,
		history.removedPart,
	],
};

export const MATRIX: readonly Step[] = Object.values(ACTS).flat();

/** What Kilo does in ways of its own, beside failures. */
export const KILOS_OWN: readonly Step[] = [
	turns.permission,
	turns.question,
	history.forkedCaller,
	history.compacted,
];

/** The short one: a chat, tools that work and fail, a sub-agent, a rename and a delete. */
export const SERVED: readonly Step[] = [
	turns.chat,
	turns.tools,
	turns.failingTools,
	turns.subAgent,
	history.renamed,
	history.deleted,
];
