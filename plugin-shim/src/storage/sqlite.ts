/** The in-process sink: one connection, one transaction per batch, SQL from the core. */
import type { Command, Store, StoredRequest } from "../../../pkg/clankers.js";
import type { Database } from "../config.ts";
import { describe } from "../hosts/host-log.ts";
import { BUSY, isDamage, resultCode } from "./connection.ts";
import { fileIdentity } from "./files.ts";
import { type Batch, Moved, OpenDatabase } from "./open-database.ts";
import { setAside } from "./set-aside.ts";
import { type RefusedCommand, type Sink, SinkError } from "./sink.ts";

/** Writes to a database file in this process. */
export class SqliteSink implements Sink {
	readonly target: string;
	/** The database that was open last; whoever goes on in another sink's stead says which. */
	last: string | undefined;
	readonly #database: Database;
	readonly #store: Store;
	#open: OpenDatabase | undefined;
	/** The file that was open last, also where it could not be opened. */
	#file: string | undefined;
	/** Why another has taken its place since the last batch. */
	#replaced: string | undefined;

	constructor(database: Database, store: Store) {
		this.target = database.path;
		this.#database = database;
		this.#store = store;
	}

	apply(commands: readonly Command[]): RefusedCommand[] {
		return this.store([{ commands }]);
	}

	/** Applies several batches as `apply` does one: all of them or none. What has been stored already is left out. */
	store(batches: readonly Batch[]): RefusedCommand[] {
		return this.#with((open) => {
			this.#checkPlace();
			return open.store(batches);
		});
	}

	stored(request: StoredRequest): unknown[] {
		const { storedSessions, storedMessages } = this.#store;
		const isOfSessions = request.kind === "storedSessions";
		const sql = isOfSessions ? storedSessions : storedMessages;
		return this.#with((open) => open.rows(sql, request));
	}

	close(): void {
		const open = this.#open;
		this.#open = undefined;
		open?.close();
	}

	/** What a connection of some time has found damaged, or moved, a fresh one may not. */
	#with<Result>(work: (open: OpenDatabase) => Result): Result {
		try {
			return this.#attempt(work);
		} catch (error) {
			if (!isDamage(error) && !(error instanceof Moved))
				throw sinkError(this.target, error);
		}
		try {
			return this.#attempt(work);
		} catch (error) {
			if (!isDamage(error)) throw sinkError(this.target, error);
			this.#setAside(error);
		}
		try {
			return this.#attempt(work);
		} catch (error) {
			throw sinkError(this.target, error);
		}
	}

	#attempt<Result>(work: (open: OpenDatabase) => Result): Result {
		try {
			return work(this.#opened());
		} catch (error) {
			// Unless it is only locked, the next attempt starts from a fresh connection.
			if (resultCode(error) !== BUSY && !(error instanceof Moved)) this.close();
			throw error;
		}
	}

	/** The open database; a file that was moved, removed or overwritten meanwhile is left, and the path opened anew. */
	#opened(): OpenDatabase {
		if (this.#open && !this.#open.head.isWhole) {
			// Before it is closed, when SQLite would write what is in the log over what is there.
			this.#setAside(new Error("something else was written over it"));
			this.close();
		}
		if (this.#open && this.#open.identity !== fileIdentity(this.target)) {
			this.#open.emptyLog();
			this.close();
		}
		if (this.#open === undefined) {
			this.#file = fileIdentity(this.target);
			this.#open = new OpenDatabase(this.#database, this.#store);
			this.#file = this.#open.identity;
			const found = `${this.#file} ${this.#open.id}`;
			if (this.last !== undefined && this.last !== found)
				this.#replaced ??= "it was removed, or another file put in its place";
			this.last = found;
		}
		return this.#open;
	}

	/** Puts what is damaged out of the way, unless another process has; what is opened next is a new database. */
	#setAside(damage: unknown): void {
		const why = describe(damage);
		try {
			const aside = this.#file && setAside(this.target, this.#file);
			if (aside === undefined) return;
			this.last = undefined;
			this.#replaced = `it was damaged (${why}): it is \`${aside}\` now, and a new one is begun`;
		} catch (error) {
			throw new SinkError(
				"unavailable",
				`${why}, and it cannot be set aside: ${describe(error)}`,
			);
		}
	}

	/** Before a batch that may count on what was stored before it. */
	#checkPlace(): void {
		const why = this.#replaced;
		if (why === undefined) return;
		this.#replaced = undefined;
		throw new SinkError(
			"replaced",
			`${why}; what OpenCode still has is asked for again`,
		);
	}
}

function sinkError(target: string, error: unknown): SinkError {
	const kind = error instanceof SinkError ? error.kind : "unavailable";
	return new SinkError(kind, `\`${target}\`: ${describe(error)}`, error);
}
