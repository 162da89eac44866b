/** A message, its parts and its tool calls, as OpenCode answers with them. */

import type { MessageWithParts } from "../../harness/api.ts";
import {
	about,
	beginsWith,
	between,
	type Claim,
	is,
	json,
	lines,
} from "../claim.ts";
import { errorRows, ledgerRows } from "./ledger.ts";
import type { ExpectedRow } from "./row.ts";
import { difference, each, object, usageNumbers } from "./values.ts";

export type Part = MessageWithParts["parts"][number];

/** What a message's rows depend on beside the message. */
export interface Setting {
	/** When each session was created. */
	readonly createdAt: ReadonlyMap<string, unknown>;
	/** Fields of parts that are told in events and left out of answers. */
	readonly unanswered: Readonly<Record<string, readonly string[]>>;
}

export function messageRows(
	{ info, parts }: MessageWithParts,
	setting: Setting,
): ExpectedRow[] {
	const error = object(info.error);
	const row: ExpectedRow = {
		table: "messages",
		id: info.id,
		session: info.sessionID,
		cells: {
			...messageIdentity(info),
			text_content: textContent(parts, info),
			finish_reason: is(info.finish),
			error_name: is(error.name),
			error_message: is(object(error.data).message),
			deleted_at: is(null),
			missing_since: is(null),
		},
	};
	return [
		row,
		...errorRows(info, is(object(error.data).message)),
		...ledgerRows({ info, parts }, setting.createdAt),
		...parts.map((part) => partOrCallRow(part, info, setting)),
	];
}

export function partOrCallRow(
	part: Part,
	info: MessageWithParts["info"],
	{ unanswered }: Setting,
): ExpectedRow {
	return part.type === "tool"
		? toolCallRow(part, info)
		: partRow(part, info, unanswered[part.type]);
}

export function messageIdentity(
	info: MessageWithParts["info"],
): Record<string, Claim> {
	const time = object(info.time);
	return {
		session_id: is(info.sessionID),
		parent_id: is(info.parentID),
		position: is(null),
		kind: is(info.summary === true ? "compaction" : null),
		role: is(info.role),
		agent: is(info.agent ?? info.mode),
		model: is(info.modelID ?? object(info.model).modelID),
		provider: is(info.providerID ?? object(info.model).providerID),
		...each(usageNumbers(info), about),
		created_at: is(time.created),
		completed_at: is(time.completed),
		duration_ms: is(difference(time.created, time.completed)),
	};
}

/** The message's text parts that are neither synthetic nor ignored, in part order, one per line. */
function textContent(
	parts: readonly Part[],
	info: MessageWithParts["info"],
): Claim {
	const texts = parts
		.filter((part) => part.type === "text" && !part.synthetic && !part.ignored)
		.toSorted((a, b) => (a.id < b.id ? -1 : 1))
		.map((part) => ({
			text: String(part.text),
			isCutOff: isCutOff(part, info),
		}));
	return lines(texts);
}

/** Whether a crash or a lost connection left a text unfinished: what was heard of it may be more than OpenCode kept. */
function isCutOff(part: Part, info: MessageWithParts["info"]): boolean {
	if (info.role !== "assistant") return false;
	if (part.type !== "text" && part.type !== "reasoning") return false;
	const { start, end } = object(part.time);
	const isOpen = typeof start === "number" && typeof end !== "number";
	return isOpen || typeof object(info.time).completed !== "number";
}

function partRow(
	part: Part,
	info: MessageWithParts["info"],
	unanswered: readonly string[] = [],
): ExpectedRow {
	const written = part.type === "text" || part.type === "reasoning";
	const inColumns = ["id", "messageID", "sessionID", "type", "synthetic"];
	if (written) inColumns.push("text", "time", "ignored");
	const rest = Object.fromEntries(
		Object.entries(part).filter(([name]) => !inColumns.includes(name)),
	);
	const time = written ? object(part.time) : {};
	return {
		table: "parts",
		id: part.id,
		session: info.sessionID,
		cells: {
			message_id: is(info.id),
			session_id: is(info.sessionID),
			position: is(null),
			type: is(part.type),
			text: isCutOff(part, info)
				? beginsWith(String(part.text))
				: is(written ? part.text : null),
			data: Object.keys(rest).length > 0 ? json(rest, unanswered) : is(null),
			synthetic: is(part.synthetic ? 1 : 0),
			ignored: is(written ? flag(part.ignored) : null),
			started_at: is(time.start),
			ended_at: is(time.end),
			missing_since: is(null),
		},
	};
}

/** 1 or 0 of a field that may be left out. */
function flag(told: unknown): number | undefined {
	return told === undefined ? undefined : told ? 1 : 0;
}

function toolCallRow(part: Part, info: MessageWithParts["info"]): ExpectedRow {
	const state = object(part.state);
	const time = object(state.time);
	const input = object(state.input);
	const metadata = object(state.metadata);
	const duration = difference(time.start, time.end);
	return {
		table: "tool_calls",
		id: part.id,
		session: info.sessionID,
		cells: {
			...toolCallIdentity(part, info),
			title: is(state.title),
			input: json(state.input),
			output: is(state.output),
			error: is(state.error),
			file_path: is(input.filePath ?? metadata.filepath),
			exit_code: is(metadata.exit),
			child_session_id: is(metadata.sessionId),
			started_at: is(time.start),
			ended_at: is(time.end),
			duration_ms: is(duration),
			// How long the person was asked is nothing that OpenCode tells afterwards.
			permission_wait_ms: between(0, duration ?? 0),
			deleted_at: is(null),
			missing_since: is(null),
		},
	};
}

export function toolCallIdentity(
	part: Part,
	info: MessageWithParts["info"],
): Record<string, Claim> {
	return {
		call_id: is(part.callID),
		message_id: is(info.id),
		session_id: is(info.sessionID),
		position: is(null),
		tool: is(part.tool),
		status: is(object(part.state).status),
	};
}
