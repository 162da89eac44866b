/** The rows that must be there, as the storage contract derives them from OpenCode's answers. */

import type {
	Json,
	JsonObject,
	MessageWithParts,
	SessionInfo,
} from "../harness/api.ts";
import type { Application } from "../harness/application.ts";
import { isOlder, releaseNamed, tellsLittle } from "../harness/releases.ts";
import { about, between, type Claim, is, json, sometime } from "./claim.ts";
import { distinct } from "./database.ts";
import type { SessionTruth, Truth } from "./truth.ts";

export interface ExpectedRow {
	readonly table: string;
	readonly id: string;
	/** The session that the row is of. */
	readonly session: string;
	readonly cells: Readonly<Record<string, Claim>>;
	/** A row that may be missing; where it is there, the claims hold. */
	readonly optional?: boolean;
}

export interface Rules {
	readonly release: string;
	/**
	 * Whether everything that was removed must have left a tombstone.
	 * Not so where no event tells of a removal, and where the plugin was away: catch-up invents nothing.
	 */
	readonly tombstones: "all" | "those there are";
}

type Part = MessageWithParts["parts"][number];
type Unanswered = Application["unanswered"];

/** Where OpenCode tells its plugins little, catch-up alone fills the database. */
export function rulesFor(release: string): Rules {
	return {
		release,
		tombstones: tellsLittle(release) ? "those there are" : "all",
	};
}

export function expectedRows(truth: Truth, rules: Rules): ExpectedRow[] {
	const rows: ExpectedRow[] = [];
	const { unanswered, unknown } = releaseNamed(rules.release).application;
	const createdAt = new Map<string, unknown>();
	for (const { session } of [...truth.sessions, ...truth.gone])
		createdAt.set(session.id, object(session.time).created);
	for (const there of truth.sessions) {
		const removed = truth.removed.filter(
			(message) => message.info.sessionID === there.session.id,
		);
		rows.push(sessionRow(there, removed, rules), ...todoRows(there));
		for (const message of there.messages)
			rows.push(...messageRows(message, createdAt, unanswered));
	}
	const optional = rules.tombstones !== "all";
	const erased: ExpectedRow[] = [];
	for (const { session, messages } of truth.gone) {
		erased.push(goneSessionRow(session, messages));
		for (const message of messages)
			erased.push(...erasedRows(message, createdAt));
	}
	for (const message of truth.removed)
		erased.push(...erasedRows(message, createdAt));
	rows.push(...erased.map((row) => (optional ? { ...row, optional } : row)));
	rows.push(...permissionRows(truth), ...retryRows(truth));
	rows.push(...unknown.map(rejectionRow));
	return rows;
}

function sessionRow(
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
			...sessionIdentity(session),
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
		},
	};
}

function sessionIdentity(session: SessionInfo): Record<string, Claim> {
	return {
		parent_id: is(session.parentID),
		source: is("opencode"),
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
		additions: is(summary.additions ?? 0),
		deletions: is(summary.deletions ?? 0),
		files_changed: is(summary.files ?? 0),
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

function messageRows(
	{ info, parts }: MessageWithParts,
	createdAt: ReadonlyMap<string, unknown>,
	unanswered: Unanswered,
): ExpectedRow[] {
	const error = object(info.error);
	const row: ExpectedRow = {
		table: "messages",
		id: info.id,
		session: info.sessionID,
		cells: {
			...messageIdentity(info),
			text_content: is(textContent(parts)),
			finish_reason: is(info.finish),
			error_name: is(error.name),
			error_message: is(object(error.data).message),
			deleted_at: is(null),
		},
	};
	return [
		row,
		...errorRows(info, is(object(error.data).message)),
		...ledgerRows({ info, parts }, createdAt),
		...parts.map((part) =>
			part.type === "tool"
				? toolCallRow(part, info)
				: partRow(part, info, unanswered[part.type]),
		),
	];
}

function messageIdentity(
	info: MessageWithParts["info"],
): Record<string, Claim> {
	const time = object(info.time);
	return {
		session_id: is(info.sessionID),
		parent_id: is(info.parentID),
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
function textContent(parts: readonly Part[]): string {
	return parts
		.filter((part) => part.type === "text" && !part.synthetic && !part.ignored)
		.toSorted((a, b) => (a.id < b.id ? -1 : 1))
		.map((part) => String(part.text))
		.join("\n");
}

function partRow(
	part: Part,
	info: MessageWithParts["info"],
	unanswered: readonly string[] = [],
): ExpectedRow {
	const written = part.type === "text" || part.type === "reasoning";
	const inColumns = ["id", "messageID", "sessionID", "type", "synthetic"];
	if (written) inColumns.push("text", "time");
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
			type: is(part.type),
			text: is(written ? part.text : null),
			data: Object.keys(rest).length > 0 ? json(rest, unanswered) : is(null),
			synthetic: is(part.synthetic ? 1 : 0),
			started_at: is(time.start),
			ended_at: is(time.end),
		},
	};
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
		},
	};
}

function toolCallIdentity(
	part: Part,
	info: MessageWithParts["info"],
): Record<string, Claim> {
	return {
		call_id: is(part.callID),
		message_id: is(info.id),
		session_id: is(info.sessionID),
		tool: is(part.tool),
		status: is(object(part.state).status),
	};
}

/**
 * One row per step that a provider answered, whatever became of it; an answer that
 * was paid for and has no step (1.0's summaries) is a step of its own.
 */
function ledgerRows(
	{ info, parts }: MessageWithParts,
	createdAt: ReadonlyMap<string, unknown>,
): ExpectedRow[] {
	const born = object(info.time).created;
	const session = createdAt.get(info.sessionID);
	const inherited =
		typeof born === "number" && typeof session === "number" && born < session;
	const finished = parts.filter((part) => part.type === "step-finish");
	const paid = Object.values(usageNumbers(info)).some((value) => value !== 0);
	const steps: readonly JsonObject[] =
		finished.length === 0 && paid ? [info] : finished;
	return steps.map((step) => ({
		table: "usage",
		id: String(step.id),
		session: info.sessionID,
		cells: {
			session_id: is(info.sessionID),
			message_id: is(info.id),
			agent: is(info.agent ?? info.mode),
			model: is(info.modelID),
			provider: is(info.providerID),
			...each(usageNumbers(step), about),
			inherited: is(inherited ? 1 : 0),
			at: sometime,
		},
	}));
}

/** A failure that a message carries. */
function errorRows(
	info: MessageWithParts["info"],
	message: Claim,
): ExpectedRow[] {
	const error = object(info.error);
	if (typeof error.name !== "string") return [];
	const data = object(error.data);
	const retryable = data.isRetryable;
	return [
		{
			table: "session_errors",
			id: `${info.id} ${error.name}`,
			session: info.sessionID,
			cells: {
				session_id: is(info.sessionID),
				message,
				status_code: is(data.statusCode),
				retryable: is(retryable === undefined ? null : retryable ? 1 : 0),
				created_at: sometime,
			},
		},
	];
}

/** Another try that OpenCode announced: by its status, in 1.0 by a part. */
function retryRows({ told, sessions }: Truth): ExpectedRow[] {
	const announced = told
		.filter(({ type }) => type === "session.status")
		.map(({ properties }) => ({
			session: properties.sessionID,
			retry: object(properties.status),
		}))
		.filter(({ retry }) => retry.type === "retry")
		.map(({ session, retry }) => ({
			session: String(session),
			attempt: retry.attempt,
			message: is(retry.message),
		}));
	const written = sessions
		.flatMap(({ messages }) => messages.flatMap(({ parts }) => parts))
		.filter((part) => part.type === "retry")
		.map((part) => ({
			session: String(part.sessionID),
			attempt: part.attempt,
			message: is(object(object(part.error).data).message),
		}));
	const ids = new Set<string>();
	return [...announced, ...written].map(({ session, attempt, message }) => {
		const id = distinct(ids, `${session} retry ${attempt}`);
		ids.add(id);
		return {
			table: "session_errors",
			id,
			session,
			cells: { message, created_at: sometime },
		};
	});
}

/** What a person was asked, and what they answered. */
function permissionRows({ told }: Truth): ExpectedRow[] {
	const replies = new Map<unknown, unknown>();
	for (const { type, properties } of told)
		if (type === "permission.replied")
			replies.set(
				properties.requestID ?? properties.permissionID,
				properties.reply ?? properties.response,
			);
	return told
		.filter(
			({ type }) =>
				type === "permission.asked" || type === "permission.updated",
		)
		.map(({ properties }) => {
			const tool = object(properties.tool);
			return {
				table: "permissions",
				id: String(properties.id),
				session: String(properties.sessionID),
				cells: {
					session_id: is(properties.sessionID),
					message_id: is(tool.messageID ?? properties.messageID),
					call_id: is(tool.callID ?? properties.callID),
					permission: is(properties.permission ?? properties.type),
					patterns: json(properties.patterns ?? [properties.pattern].flat()),
					reply: is(replies.get(properties.id)),
					asked_at: sometime,
					replied_at: sometime,
				},
			};
		});
}

function todoRows({ session, todos }: SessionTruth): ExpectedRow[] {
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

/** A tombstone: what was spent stays, what was said goes. */
function goneSessionRow(
	session: SessionInfo,
	messages: readonly MessageWithParts[],
): ExpectedRow {
	const reported = usageNumbers(session);
	const reports = Object.values(reported).some((value) => value !== 0);
	return {
		table: "sessions",
		id: session.id,
		session: session.id,
		cells: {
			...sessionIdentity(session),
			title: is(null),
			...each(reports ? reported : sum(messages), about),
			deleted_at: sometime,
		},
	};
}

function erasedRows(
	message: MessageWithParts,
	createdAt: ReadonlyMap<string, unknown>,
): ExpectedRow[] {
	const { info, parts } = message;
	const row: ExpectedRow = {
		table: "messages",
		id: info.id,
		session: info.sessionID,
		cells: {
			...messageIdentity(info),
			text_content: is(""),
			error_message: is(null),
			deleted_at: sometime,
		},
	};
	const partRows = parts.map((part): ExpectedRow => {
		const gone = is(null);
		if (part.type !== "tool")
			return {
				table: "parts",
				id: part.id,
				session: info.sessionID,
				cells: { message_id: is(info.id), text: gone, data: gone },
				optional: true,
			};
		return {
			table: "tool_calls",
			id: part.id,
			session: info.sessionID,
			cells: {
				...toolCallIdentity(part, info),
				title: gone,
				input: gone,
				output: gone,
				error: gone,
				deleted_at: sometime,
			},
		};
	});
	return [
		row,
		...errorRows(info, is(null)),
		...partRows,
		...ledgerRows(message, createdAt),
	];
}

/** What a fork may tell and clankers does not know yet: it may be noted, and nothing else. */
function rejectionRow(id: string): ExpectedRow {
	const table = "rejections";
	return { table, id, session: "", cells: {}, optional: true };
}

/** Tokens and cost, as a session, a message and a step all spell them. */
function usageNumbers(holder: JsonObject): Record<string, number> {
	const tokens = object(holder.tokens);
	const cache = object(tokens.cache);
	return {
		prompt_tokens: number(tokens.input),
		completion_tokens: number(tokens.output),
		reasoning_tokens: number(tokens.reasoning),
		cache_read_tokens: number(cache.read),
		cache_write_tokens: number(cache.write),
		cost: number(holder.cost),
	};
}

function sum(messages: readonly MessageWithParts[]): Record<string, number> {
	const total = usageNumbers({});
	for (const { info } of messages)
		for (const [column, value] of Object.entries(usageNumbers(info)))
			total[column] = (total[column] ?? 0) + value;
	return total;
}

function each(
	numbers: Readonly<Record<string, number>>,
	claim: (value: number) => Claim,
): Record<string, Claim> {
	return Object.fromEntries(
		Object.entries(numbers).map(([column, value]) => [column, claim(value)]),
	);
}

function object(value: Json | undefined): JsonObject {
	return typeof value === "object" && value !== null && !Array.isArray(value)
		? value
		: {};
}

function number(value: Json | undefined): number {
	return typeof value === "number" ? value : 0;
}

function difference(
	start: Json | undefined,
	end: Json | undefined,
): number | null {
	return typeof start === "number" && typeof end === "number"
		? end - start
		: null;
}
