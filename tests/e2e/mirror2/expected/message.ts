/** A message, its items and its tool calls, as OpenCode 2 answers with them. */

import type { JsonObject } from "../../harness/api.ts";
import {
	about,
	beginsWith,
	between,
	type Claim,
	is,
	json,
	lines,
} from "../../mirror/claim.ts";
import type { ExpectedRow } from "../../mirror/expected/row.ts";
import {
	difference,
	each,
	object,
	usageNumbers,
} from "../../mirror/expected/values.ts";
import type { Message2, Session2 } from "../../opencode2/api.ts";
import { itemsOf, textOf } from "./items.ts";
import { errorRows, ledgerRows } from "./ledger.ts";

/** What a message's rows depend on beside the message. */
export interface Setting {
	readonly session: Session2;
	/** Each message's place, where it is known. */
	readonly seqs: Readonly<Record<string, number>>;
}

/** What somebody said in a turn has no kind; the other types that make a row have their own name. */
const KINDS: Readonly<Record<string, string | null>> = {
	user: null,
	assistant: null,
	synthetic: "synthetic",
	compaction: "compaction",
	shell: "shell",
	skill: "skill",
	system: "system",
};

/** Switches and idle make no row: the session's columns hold what they say. */
export function makesRow({ type }: Message2): boolean {
	return type in KINDS;
}

export function messageRows(
	message: Message2,
	all: readonly Message2[],
	setting: Setting,
): ExpectedRow[] {
	if (!makesRow(message)) return [];
	const session = setting.session.id;
	const error = object(message.error);
	const row: ExpectedRow = {
		table: "messages",
		id: message.id,
		session,
		cells: {
			...messageIdentity(message, all, setting),
			text_content: lines(
				itemsOf(message)
					.filter(({ kind }) => kind === "text")
					.map(({ text }) => ({
						text: text ?? "",
						isCutOff: isCutOff(message),
					})),
			),
			finish_reason: is(message.finish),
			error_name: is(error.type),
			error_message: is(error.message),
			deleted_at: is(null),
			missing_since: is(null),
		},
	};
	return [
		row,
		...errorRows(message, session, is(error.message)),
		...ledgerRows(message, setting.session),
		...itemRows(message, session),
	];
}

export function messageIdentity(
	message: Message2,
	all: readonly Message2[],
	{ session, seqs }: Setting,
): Record<string, Claim> {
	const time = object(message.time);
	const model = object(message.model);
	const place = seqs[message.id];
	return {
		session_id: is(session.id),
		parent_id: parent(message, all),
		...(place !== undefined && { position: is(place) }),
		kind: is(KINDS[message.type]),
		role: is(KINDS[message.type] === null ? message.type : null),
		agent: is(message.agent),
		model: is(model.id),
		provider: is(model.providerID),
		...each(usageNumbers(message), about),
		created_at: is(time.created),
		completed_at: is(time.completed),
		duration_ms: is(difference(time.created, time.completed)),
	};
}

/** OpenCode 2 names no parent: none, or the prompt that stands before the answer. */
function parent(message: Message2, all: readonly Message2[]): Claim {
	if (message.type !== "assistant") return is(null);
	const prompt = all
		.slice(0, all.indexOf(message))
		.findLast(({ type }) => type === "user");
	const none = is(null);
	const before = is(prompt?.id);
	return {
		expected: before.expected,
		holds: (found) => none.holds(found) || before.holds(found),
	};
}

/**
 * Whether a crash left an answer without an end, until the next step closed it: what was heard of it may be more than
 * OpenCode kept.
 */
function isCutOff({ type, finish, error }: Message2): boolean {
	return type === "assistant" && finish === undefined && error === undefined;
}

function itemRows(message: Message2, session: string): ExpectedRow[] {
	return itemsOf(message).map((item): ExpectedRow => {
		if (item.kind === "tool") return toolCallRow(message, session, item);
		const text = item.text ?? null;
		return {
			table: "parts",
			id: item.id,
			session,
			cells: {
				message_id: is(message.id),
				session_id: is(session),
				position: is(item.position),
				type: is(item.kind),
				text: text !== null && isCutOff(message) ? beginsWith(text) : is(text),
				...(isSpoken(message) && {
					data: Object.keys(item.data).length > 0 ? json(item.data) : is(null),
				}),
				// The message's kind says who put it in.
				synthetic: is(0),
				// There is no such thing in OpenCode 2.
				ignored: is(null),
				// When a text was written only events tell.
				...(item.kind !== "text" &&
					isSpoken(message) && {
						started_at: is(item.time.created),
						ended_at: is(item.time.completed),
					}),
				missing_since: is(null),
			},
		};
	});
}

/** What a person or the model said: of the rest, what it holds beside its text is not stored. */
function isSpoken({ type }: Message2): boolean {
	return type === "user" || type === "assistant";
}

/** Tools whose path is a file's. */
const FILE_TOOLS: readonly unknown[] = ["read", "write", "edit"];

const STATUSES: Readonly<Record<string, string>> = {
	streaming: "pending",
	running: "running",
	completed: "completed",
	error: "error",
};

function toolCallRow(
	message: Message2,
	session: string,
	item: ReturnType<typeof itemsOf>[number],
): ExpectedRow {
	const { call } = item;
	const state = object(call.state);
	const input = object(state.input);
	const metadata = object(state.metadata);
	const time = object(call.time);
	const duration = difference(time.ran, time.completed);
	return {
		table: "tool_calls",
		id: item.id,
		session,
		cells: {
			...toolCallIdentity(message, session, call),
			position: is(item.position),
			title: is(null),
			...(typeof state.input === "object" && { input: json(state.input) }),
			output: is(textOf(state.content)),
			error: is(object(state.error).message),
			file_path: is(FILE_TOOLS.includes(call.name) ? input.path : null),
			exit_code: is(metadata.exit),
			child_session_id: is(metadata.sessionID),
			started_at: is(time.ran),
			ended_at: is(time.completed),
			duration_ms: is(duration),
			// How long the person was asked is nothing that OpenCode tells afterwards.
			permission_wait_ms: between(0, duration ?? 0),
			deleted_at: is(null),
			missing_since: is(null),
		},
	};
}

export function toolCallIdentity(
	message: Message2,
	session: string,
	call: JsonObject,
): Record<string, Claim> {
	return {
		call_id: is(call.id),
		message_id: is(message.id),
		session_id: is(session),
		tool: is(call.name),
		status: is(STATUSES[String(object(call.state).status)]),
	};
}
