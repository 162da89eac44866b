/**
 * Merges commands that wait: of several upserts of one row one is left, with
 * what the last of them knew. The rules are the core's own for what is pending
 * (`src/reconcile/pending.rs`) and the store's for what comes in.
 */
import type {
	Command,
	PartRow,
	RejectionRow,
} from "../../../../pkg/clankers.js";

type PartAppend = Extract<Command, { method: "part.append" }>;
type Params = Readonly<Record<string, unknown>>;

/** Times of which the earliest is kept. */
const EARLIEST: readonly string[] = ["askedAt", "repliedAt"];
const TOTALS = [
	"promptTokens",
	"completionTokens",
	"reasoningTokens",
	"cacheReadTokens",
	"cacheWriteTokens",
	"cost",
];

/** Commands in the order in which their rows came first: parents before children. */
export class MergedCommands {
	readonly #commands = new Map<string, Command>();
	/** How long the texts of those are that were appended to, in bytes. */
	readonly #lengths = new WeakMap<Command, number>();
	/** Nothing is merged across a deletion. */
	#deletions = 0;

	/** Adds a command that comes after all that were added. */
	add(command: Command): void {
		if (command.method === "part.append") this.#append(command);
		else this.#merge(command);
	}

	/** What is left. */
	all(): Command[] {
		return [...this.#commands.values()];
	}

	#merge(command: Command): void {
		if (command.method === "part.upsert") this.#supersede(command.params);
		const key = this.#keyOf(command);
		const pending = this.#commands.get(key);
		this.#commands.set(key, pending ? merged(pending, command) : command);
	}

	/** Leaves out what came to a text that is told whole now. */
	#supersede({ id, text }: PartRow): void {
		const key = this.#key("part.append", id);
		const append = this.#commands.get(key);
		if (append === undefined || typeof text !== "string") return;
		const { offset, text: came } = append.params as PartAppend["params"];
		if (Buffer.byteLength(text) >= offset + Buffer.byteLength(came))
			this.#commands.delete(key);
	}

	/** Adds what came to a text to what is left of it. */
	#append(append: PartAppend): void {
		const key = this.#keyOf(append);
		const whole = this.#key("part.upsert", append.params.id);
		const at = this.#commands.has(key) ? key : whole;
		const pending = this.#commands.get(at);
		const grown = pending && this.#grown(pending, append);
		if (grown) this.#commands.set(at, grown);
		else this.#commands.set(key, append);
	}

	/** A command with what came behind its text; none where it tells no text. Where the two do not meet, it stays as it is. */
	#grown(command: Command, { params }: PartAppend): Command | undefined {
		const {
			text,
			offset = 0,
			endedAt,
		} = command.params as Partial<typeof params & PartRow>;
		if (typeof text !== "string") return undefined;
		if (typeof endedAt === "number") return command;
		const length = this.#lengths.get(command) ?? Buffer.byteLength(text);
		const held = offset + length - params.offset;
		if (held < 0 || params.offset < offset) return command;
		const rest = held === 0 ? params.text : behind(params.text, held);
		const grown = {
			...command,
			params: { ...command.params, text: text + rest },
		} as Command;
		this.#lengths.set(grown, length + Buffer.byteLength(rest));
		return grown;
	}

	#keyOf(command: Command): string {
		const { method } = command;
		if (method.endsWith(".delete")) {
			this.#deletions += 1;
			return `${this.#deletions} deletion`;
		}
		return this.#key(method, rowOf(command));
	}

	#key(method: Command["method"], row: string): string {
		return `${this.#deletions} ${method} ${row}`;
	}
}

/** A text from a byte on; nothing where a character lies around that byte. */
function behind(text: string, byte: number): string {
	const rest = Buffer.from(text).subarray(byte);
	return ((rest[0] ?? 0) & 0xc0) === 0x80 ? "" : rest.toString();
}

/** What tells the command's row from others of its table. */
function rowOf(command: Command): string {
	switch (command.method) {
		case "todo.replace":
			return command.params.sessionId;
		case "rejection.record": {
			const { eventType, code, path } = command.params;
			return JSON.stringify([eventType, code, path]);
		}
		default:
			return command.params.id;
	}
}

function merged(one: Command, next: Command): Command {
	const { method } = next;
	if (method === "todo.replace") return next;
	if (method === "rejection.record")
		return {
			method,
			params: counted(one.params as RejectionRow, next.params),
		};
	const params = upserted(method, one.params as object, next.params);
	return { method, params } as unknown as Command;
}

/** What is known of a row after both; an older one only fills in what is not known. */
function upserted(
	method: Command["method"],
	one: object,
	next: object,
): Params {
	const [before, after] = [{ ...one } as Params, { ...next } as Params];
	const both = isOlder(method, after, before)
		? { ...after, ...before }
		: { ...before, ...after };
	const times =
		method === "session_error.upsert" ? [...EARLIEST, "createdAt"] : EARLIEST;
	for (const time of times)
		if (typeof before[time] === "number" && typeof after[time] === "number")
			both[time] = Math.min(before[time], after[time]);
	if (method === "session.upsert" && TOTALS.some((total) => before[total]))
		// That it has reported any is known from totals that may be merged away here.
		return { ...both, reportsUsage: true };
	return both;
}

/** Whether an upsert that comes later tells of an earlier state. */
function isOlder(
	method: Command["method"],
	next: Params,
	stored: Params,
): boolean {
	switch (method) {
		case "session.upsert":
			return isLess(next["updatedAt"], stored["updatedAt"]);
		case "message.upsert":
			return (
				(next["completedAt"] === null &&
					typeof stored["completedAt"] === "number") ||
				isLess(next["completedAt"], stored["completedAt"])
			);
		case "part.upsert":
			if (next["endedAt"] === undefined)
				return (
					typeof stored["endedAt"] === "number" &&
					typeof next["startedAt"] === "number" &&
					next["text"] !== undefined
				);
			return (
				next["endedAt"] === null &&
				(typeof stored["endedAt"] === "number" ||
					(stored["endedAt"] === null &&
						isLess(lengthOf(next["text"]), lengthOf(stored["text"]))))
			);
		case "tool_call.upsert":
			return isLess(stageOf(next["status"]), stageOf(stored["status"]));
		default:
			return false;
	}
}

/** A call goes pending, running, and then ends one way or the other. */
function stageOf(status: unknown): number | undefined {
	const stage = ["pending", "running", "completed", "error"].indexOf(
		String(status),
	);
	return stage < 0 ? undefined : Math.min(stage, 2);
}

function lengthOf(text: unknown): number | undefined {
	return typeof text === "string" ? text.length : undefined;
}

function isLess(one: unknown, other: unknown): boolean {
	return typeof one === "number" && typeof other === "number" && one < other;
}

function counted(one: RejectionRow, next: RejectionRow): RejectionRow {
	return {
		...next,
		sourceVersion: next.sourceVersion ?? one.sourceVersion,
		count: one.count + next.count,
		firstSeen: Math.min(one.firstSeen, next.firstSeen),
		lastSeen: Math.max(one.lastSeen, next.lastSeen),
	};
}
