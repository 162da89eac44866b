/** What the daemon sink writes itself, by a thread, and of what: the daemon may write another file. */
import type {
	Command,
	Store,
	StoredRequest,
} from "../../../../pkg/clankers.js";
import type { Database } from "../../config.ts";
import { describe } from "../../hosts/host-log.ts";
import type { Batch } from "../open-database.ts";
import {
	isReplaced,
	type RefusedCommand,
	SinkError,
	type SinkListener,
} from "../sink.ts";
import { ThreadSink } from "../thread/thread-sink.ts";

/** How many of the sessions that were written are remembered. */
const MOST_REMEMBERED = 1000;

/** Writes and reads the database while the daemon does not. Whatever fails may be over in a moment, since the daemon may be back. */
export class Local {
	readonly #sink: ThreadSink;
	/** Whether the file was written or read since it was last let go of. */
	#isUsed = false;
	/** The sessions that were written since, the latest last. */
	readonly #written = new Set<string>();

	constructor(database: Database, store: Store) {
		this.#sink = new ThreadSink(database, store);
	}

	attend(listener: SinkListener): void {
		this.#sink.attend(listener);
	}

	/** Applies all of them or none; those that are stored already are left out. */
	store(
		batches: readonly Batch[],
	): RefusedCommand[] | Promise<RefusedCommand[]> {
		if (batches.length === 0) return [];
		this.#remember(batches);
		try {
			const stored = this.#sink.store(batches);
			return stored instanceof Promise ? stored.catch(passing) : stored;
		} catch (error) {
			return passing(error);
		}
	}

	async stored(request: StoredRequest): Promise<readonly unknown[]> {
		this.#isUsed = true;
		return this.#sink.stored(request).catch(passing);
	}

	/** The process ends: what is being stored is stored when this returns, and so is what the daemon has not answered for. */
	finish(left: readonly Batch[]): RefusedCommand[] {
		this.#remember(left);
		try {
			return this.#sink.finish(left);
		} catch (error) {
			return passing(error);
		}
	}

	/** Ends the thread after what it has to do. The sessions that were written; nothing where the file was not used. */
	release(): string[] | undefined {
		const written = this.#isUsed ? [...this.#written] : undefined;
		this.#isUsed = false;
		this.#written.clear();
		this.#sink.close();
		return written;
	}

	close(): void {
		this.#sink.close();
	}

	#remember(batches: readonly Batch[]): void {
		if (batches.length > 0) this.#isUsed = true;
		for (const { commands } of batches)
			for (const command of commands) {
				const id = sessionOf(command);
				if (id === undefined) continue;
				this.#written.delete(id);
				this.#written.add(id);
				const [oldest] = this.#written;
				if (this.#written.size > MOST_REMEMBERED && oldest !== undefined)
					this.#written.delete(oldest);
			}
	}
}

/** The session that a command is about, where it says so. */
function sessionOf({ method, params }: Command): string | undefined {
	if (method === "session.upsert" || method === "session.delete")
		return params.id;
	return ("sessionId" in params && params.sessionId) || undefined;
}

/** Whatever is wrong with the file, the daemon may be back in a moment. */
function passing(error: unknown): never {
	if (isReplaced(error)) throw error;
	throw new SinkError("unavailable", describe(error), error);
}
