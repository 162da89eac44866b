/** A session and its to-dos, as OpenCode answers with them. */

import type { MessageWithParts, SessionInfo } from "../../harness/api.ts";
import { isOlder, releaseNamed } from "../../harness/releases.ts";
import { about, between, type Claim, is } from "../claim.ts";
import type { SessionTruth } from "../truth.ts";
import type { ExpectedRow } from "./row.ts";
import type { Rules } from "./rules.ts";
import { each, object, sum, usageNumbers } from "./values.ts";

export function sessionRow(
	{ session, messages }: SessionTruth,
	removed: readonly MessageWithParts[],
	rules: Rules,
): ExpectedRow {
	const time = object(session.time);
	const answer = messages.findLast(
		(message) => message.info.role === "assistant",
	)?.info;
	const own = object(session.model);
	return {
		table: "sessions",
		id: session.id,
		session: session.id,
		cells: {
			...sessionIdentity(session, rules),
			title: is(session.title),
			agent: is(session.agent ?? answer?.agent ?? answer?.mode),
			model: is(answer ? answer.modelID : own.id),
			provider: is(answer ? answer.providerID : own.providerID),
			status: is("idle"),
			...sessionUsage(session, messages, removed, rules),
			...summaryCells(session),
			updated_at: is(time.updated),
			// OpenCode's clients unarchive with a zero.
			archived_at: is(time.archived || null),
			deleted_at: is(null),
			missing_since: is(null),
		},
	};
}

export function sessionIdentity(
	session: SessionInfo,
	rules: Rules,
): Record<string, Claim> {
	return {
		parent_id: is(session.parentID),
		source: is(releaseNamed(rules.release).application.name),
		source_version: is(session.version),
		project_id: is(session.projectID),
		project_path: is(session.directory),
		project_name: is(String(session.directory).split("/").at(-1)),
		created_at: is(object(session.time).created),
	};
}

function summaryCells(session: SessionInfo): Record<string, Claim> {
	const summary = object(session.summary);
	return {
		additions: is(summary.additions),
		deletions: is(summary.deletions),
		files_changed: is(summary.files),
	};
}

/** What OpenCode reports, where it reports any; else the sum over the answers, removed ones included. */
function sessionUsage(
	session: SessionInfo,
	messages: readonly MessageWithParts[],
	removed: readonly MessageWithParts[],
	rules: Rules,
): Record<string, Claim> {
	const reported = usageNumbers(session);
	const reports =
		!isOlder(rules.release, "1.16.0") ||
		Object.values(reported).some((value) => value !== 0);
	if (reports) return each(reported, about);
	const left = sum(messages);
	const ever = sum([...messages, ...removed]);
	const low = rules.tombstones === "all" ? ever : left;
	return Object.fromEntries(
		Object.entries(ever).map(([column, high]) => [
			column,
			between(low[column] ?? 0, high),
		]),
	);
}

export function todoRows({ session, todos }: SessionTruth): ExpectedRow[] {
	return todos.map((todo, position) => ({
		table: "todos",
		id: `${session.id} ${position}`,
		session: session.id,
		cells: {
			content: is(todo.content),
			status: is(todo.status),
			priority: is(todo.priority),
		},
	}));
}
