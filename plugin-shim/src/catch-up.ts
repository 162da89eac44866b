/**
 * Catch-up: asks OpenCode for what no event brought. History from before the
 * plugin was installed, a crash in mid-stream, a release that tells a served
 * session's turns and not its messages: all of it heals here, in the
 * background. What to ask for is the core's decision; this only asks.
 */
import type { Core, StoredSession } from "../../pkg/clankers.js";
import type { SessionApi } from "./session-api.ts";
import { describe } from "./voice.ts";

/** What catch-up needs of the core; each call survives a trap. */
export type CatchUpCore = Pick<
	Core,
	"plan" | "isDeaf" | "beginRecall" | "recall" | "endRecall" | "gone"
>;

/** What catch-up works with. */
export interface CatchUpOptions {
	readonly api: SessionApi;
	readonly core: CatchUpCore;
	/** The project's directory. */
	readonly directory: string;
	/** What the database holds of the directory and of these sessions. */
	stored(ids: readonly string[]): StoredSession[] | Promise<StoredSession[]>;
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
/** How much of a session is folded in without a breath. */
const CHUNK = 200;
/** How often the list is compared again while events are known to be missing. */
const AGAIN_MS = 10_000;

/** Catches one project directory up. */
export class CatchUp {
	readonly #options: CatchUpOptions;
	#running = false;
	#ended = false;
	/** Whether the list is to be compared, and not only single sessions fetched. */
	#compare = false;
	/** Whether that is to happen again in a while. */
	#later = false;
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
		if (this.#options.core.isDeaf()) this.#compareLater();
	}

	#compareLater(): void {
		if (this.#later) return;
		this.#later = true;
		this.#options.pause(AGAIN_MS).then(() => {
			this.#later = false;
			this.compare();
		});
	}

	async #compareAll(): Promise<void> {
		const { api, core, directory, log } = this.#options;
		this.#compare = false;
		const listed = await api.list();
		if (listed === undefined || this.#ended) return;
		const held = await this.#held(idsOf(listed));
		if (held === undefined || this.#ended) return;
		const plan = core.plan(directory, listed, held);
		const [behind, all] = [plan.fetch.length, listed.length];
		if (behind > 0) log("debug", `catches up on ${behind} of ${all} sessions`);
		await this.#fetchAll(new Set(plan.fetch));
		for (const id of plan.verify) await this.#verify(id);
	}

	/** What is stored of them; nothing where that cannot be told now. */
	async #held(ids: readonly string[]): Promise<StoredSession[] | undefined> {
		try {
			return await this.#options.stored(ids);
		} catch (error) {
			this.#options.log("warn", `catch-up is put off: ${describe(error)}`);
			return undefined;
		}
	}

	/** Fetches these sessions, and those that are added meanwhile. */
	async #fetchAll(ids: Set<string>): Promise<void> {
		for (const id of ids) {
			if (this.#ended) return;
			ids.delete(id);
			await this.#fetch(id);
			await this.#options.pause(BREATH_MS);
		}
	}

	/** A session that is stored and not listed was deleted, if OpenCode has it no more. */
	async #verify(id: string): Promise<void> {
		const { api, core, changed, now, pause } = this.#options;
		if (this.#ended) return;
		if ((await api.get(id)) === "none") changed(core.gone(id, now()));
		await pause(BREATH_MS);
	}

	/** Folds in what OpenCode has of one session. One that cannot be fetched waits for the next start. */
	async #fetch(id: string): Promise<void> {
		const { api, core } = this.#options;
		core.beginRecall(id);
		try {
			const [info, messages, todos] = await Promise.all([
				api.get(id),
				api.messages(id),
				api.todos(id),
			]);
			if (info === undefined || info === "none") return;
			this.#recall("session.updated", { sessionID: id, info });
			if (todos !== undefined)
				this.#recall("todo.updated", { sessionID: id, todos });
			await this.#recallMessages(messages ?? []);
		} finally {
			this.#options.changed(core.endRecall(id));
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
