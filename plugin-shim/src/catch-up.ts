/**
 * Catch-up: asks OpenCode for what no event brought. History from before the
 * plugin was installed, a crash in mid-stream, a release that tells a served
 * session's turns and not its messages: all of it heals here, in the
 * background. What to ask for is the core's decision; this only asks.
 */
import type {
	Absent,
	Core,
	StoredMessage,
	StoredSession,
} from "../../pkg/clankers.js";
import type { SessionApi } from "./session-api.ts";
import { describe } from "./voice.ts";

/** What catch-up needs of the core; each call survives a trap. */
export type CatchUpCore = Pick<
	Core,
	| "setStore"
	| "plan"
	| "isDeaf"
	| "beginRecall"
	| "recall"
	| "absent"
	| "settleAbsent"
	| "endRecall"
	| "sessionMissing"
>;

/** What catch-up works with. */
export interface CatchUpOptions {
	readonly api: SessionApi;
	readonly core: CatchUpCore;
	/** The project's directory. */
	readonly directory: string;
	/** Which store of OpenCode answers, or nothing where that is in doubt. */
	storeId(): Promise<string | undefined>;
	/** What the database holds of the directory and of these sessions, and what it knows of the store that has them. */
	stored(
		ids: readonly string[],
		storeId: string | undefined,
	): StoredSession[] | Promise<StoredSession[]>;
	/** What it holds of a session's messages. */
	storedMessages(
		sessionId: string,
		storeId: string | undefined,
	): StoredMessage[] | Promise<StoredMessage[]>;
	/** Does this once no other directory's catch-up asks: two may know the same session. */
	inTurn(work: () => Promise<void>): Promise<void>;
	/** Something changed and is to be drained, as urgently as that. */
	changed(urgency: number): void;
	/** Something to note in the log. */
	log(level: "debug" | "warn", message: string): void;
	/** Waits without keeping the process alive. */
	pause(milliseconds: number): Promise<void>;
	now(): number;
}

/** After OpenCode has started, and after a session has come to rest. */
const SETTLE_MS = 500;
/** Between two fetches, so that a long history never fills a turn. */
const BREATH_MS = 20;
/** The urgency of a change that may wait a quarter of a second. */
const SOON = 2;
/** How much of a session is folded in without a breath. */
const CHUNK = 200;
/** How soon the list is compared again while events are known to be missing, or what is stored cannot be told. */
const AGAIN_MS = 10_000;
/** How long that grows to be while nothing can be told. */
const LONGEST_MS = 600_000;

/** Catches one project directory up. */
export class CatchUp {
	readonly #options: CatchUpOptions;
	#running = false;
	#ended = false;
	/** Whether the list is to be compared, and not only single sessions fetched. */
	#compare = false;
	/** Whether that is to happen again in a while. */
	#later = false;
	/** How often in a row it could not be told what is stored. */
	#refusals = 0;
	/** Which store of OpenCode answered last. */
	#storeId: string | undefined;
	/** Sessions that events left incomplete. */
	readonly #wanted = new Set<string>();

	constructor(options: CatchUpOptions) {
		this.#options = options;
	}

	/** Compares all sessions of the project, in the background. */
	compare(): void {
		this.#compare = true;
		this.#start();
	}

	/** Fetches these sessions, in the background. */
	want(ids: readonly string[]): void {
		for (const id of ids) this.#wanted.add(id);
		this.#start();
	}

	/** Asks for nothing more. */
	end(): void {
		this.#ended = true;
	}

	#start(): void {
		if (this.#running || this.#ended) return;
		this.#running = true;
		this.#run()
			.catch((error: unknown) =>
				this.#options.log("warn", `catch-up stopped: ${describe(error)}`),
			)
			.finally(() => {
				this.#running = false;
			});
	}

	async #run(): Promise<void> {
		await this.#options.pause(SETTLE_MS);
		while ((this.#compare || this.#wanted.size > 0) && !this.#ended) {
			if (this.#compare) await this.#compareAll();
			await this.#fetchAll(this.#wanted);
		}
		// Renames and deletions are among the events that are missing then.
		if (this.#options.core.isDeaf() || this.#refusals > 0) this.#compareLater();
	}

	#compareLater(): void {
		if (this.#later) return;
		this.#later = true;
		const wait = Math.min(AGAIN_MS * 2 ** this.#refusals, LONGEST_MS);
		this.#options.pause(wait).then(() => {
			this.#later = false;
			this.compare();
		});
	}

	async #compareAll(): Promise<void> {
		const { api, core, directory, log, now } = this.#options;
		this.#compare = false;
		const asked = now();
		const listed = await api.list();
		if (listed === undefined || this.#ended) return;
		// After the list: OpenCode has opened its store by then.
		this.#storeId = await this.#options.storeId();
		core.setStore(this.#storeId);
		const held = await this.#held(() =>
			this.#options.stored(idsOf(listed), this.#storeId),
		);
		if (held === undefined || this.#ended) return;
		const plan = core.plan(directory, listed, held, asked);
		this.#options.changed(SOON);
		const [behind, all] = [plan.fetch.length, listed.length];
		if (behind > 0) log("debug", `catches up on ${behind} of ${all} sessions`);
		await this.#fetchAll(new Set(plan.fetch));
		for (const id of plan.verify) await this.#verify(id);
	}

	/** What is stored; nothing where that cannot be told now. */
	async #held<Rows>(
		stored: () => Rows | Promise<Rows>,
	): Promise<Rows | undefined> {
		try {
			const rows = await stored();
			this.#refusals = 0;
			return rows;
		} catch (error) {
			const level = this.#refusals === 0 ? "warn" : "debug";
			this.#options.log(level, `catch-up is put off: ${describe(error)}`);
			this.#refusals += 1;
			return undefined;
		}
	}

	/** Fetches these sessions, and those that are added meanwhile. */
	async #fetchAll(ids: Set<string>): Promise<void> {
		for (const id of ids) {
			if (this.#ended) return;
			ids.delete(id);
			await this.#options.inTurn(() => this.#fetch(id));
			await this.#options.pause(BREATH_MS);
		}
	}

	/** A session that the store had and does not list is missing, if OpenCode has it no more. */
	async #verify(id: string): Promise<void> {
		const { api, core, changed, now, pause } = this.#options;
		if (this.#ended) return;
		const asked = now();
		if ((await api.get(id)) === "none") changed(core.sessionMissing(id, asked));
		await pause(BREATH_MS);
	}

	/** Folds in what OpenCode has of one session. One that cannot be fetched waits for the next comparison. */
	async #fetch(id: string): Promise<void> {
		const { api, core, changed, now } = this.#options;
		// Before the request: what another process stores after it is no lack of the answer.
		const held = await this.#held(() =>
			this.#options.storedMessages(id, this.#storeId),
		);
		let isWhole = false;
		core.beginRecall(id, now());
		try {
			// First: what it says of a change is in what is answered after it.
			const info = await api.get(id);
			if (info === undefined || info === "none") return;
			const [messages, todos] = await Promise.all([
				api.messages(id),
				api.todos(id),
			]);
			this.#recall("session.updated", { sessionID: id, info });
			if (todos !== undefined)
				this.#recall("todo.updated", { sessionID: id, todos });
			if (messages === undefined) return;
			await this.#recallMessages(messages);
			if (held === undefined) return;
			const absent = core.absent(messages, held);
			isWhole = await this.#settleAbsent(id, absent);
		} finally {
			changed(core.endRecall(id, isWhole));
		}
	}

	async #recallMessages(messages: readonly unknown[]): Promise<void> {
		let folded = 0;
		for (const message of messages) {
			const { info, parts } = asMessage(message);
			this.#recall("message.updated", { info });
			for (const part of parts) this.#recall("message.part.updated", { part });
			folded += 1 + parts.length;
			if (folded < CHUNK) continue;
			folded = 0;
			await this.#options.pause(0);
		}
	}

	/** What is stored and was not answered is missing, if OpenCode has it no more. Whether all of it is settled. */
	async #settleAbsent(id: string, absent: readonly Absent[]): Promise<boolean> {
		const { api, core, changed, pause } = this.#options;
		let isSettled = true;
		for (const one of absent) {
			if (this.#ended) return false;
			const answer = await api.message(id, one.messageId);
			if (answer === undefined) isSettled = false;
			else {
				const told = answer === "none" ? null : answer;
				changed(core.settleAbsent(id, one, told));
			}
			await pause(BREATH_MS);
		}
		return isSettled;
	}

	#recall(type: string, properties: Record<string, unknown>): void {
		const { core, now, changed } = this.#options;
		changed(core.recall({ type, properties }, now()));
	}
}

function idsOf(listed: readonly unknown[]): string[] {
	const id = (session: unknown): unknown =>
		typeof session === "object" && session !== null && "id" in session
			? session.id
			: undefined;
	return listed.map(id).filter((one) => typeof one === "string");
}

/** OpenCode answers `{ info, parts }` for each message. */
function asMessage(message: unknown): { info: unknown; parts: unknown[] } {
	const { info, parts } = (message ?? {}) as {
		info?: unknown;
		parts?: unknown;
	};
	return { info, parts: Array.isArray(parts) ? parts : [] };
}
