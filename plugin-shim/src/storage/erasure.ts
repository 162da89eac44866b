/**
 * What was erased leaves no word beside the database: SQLite's log and the index
 * of `clankers search` hold it still when the batch that erased it is stored.
 * The program and the daemon do the same (`cli/src/store/erasure.rs`).
 */
import { rmSync, statSync } from "node:fs";
import { format, parse } from "node:path";
import type { Connection } from "./connection.ts";
import { isDatabase } from "./file-head.ts";

/** Clears after what was erased through one connection. No method throws. */
export class Erasure {
	readonly #path: string;
	readonly #connection: Connection;
	readonly #busyTimeoutMs: number;
	/** Whether the log may hold what was erased. */
	#logIsOwed: boolean;
	#indexIsOwed = false;

	/** `foundLog`: whether there was one before; who left it may have erased something and ended before it was emptied. */
	constructor(
		path: string,
		connection: Connection,
		{ busyTimeoutMs, foundLog }: { busyTimeoutMs: number; foundLog: boolean },
	) {
		this.#path = path;
		this.#connection = connection;
		this.#busyTimeoutMs = busyTimeoutMs;
		this.#logIsOwed = foundLog;
	}

	/** A batch that erases is stored. */
	erased(): void {
		this.#logIsOwed = true;
		this.#indexIsOwed = true;
	}

	/** Clears what is to be cleared, as far as nobody stands in the way: what is left is for the next time. */
	settle(): void {
		if (this.#indexIsOwed) this.#indexIsOwed = !removeIndex(this.#path);
		if (this.#logIsOwed) this.#logIsOwed = !this.#emptyLog();
	}

	/** Waits for nobody: a reader may take minutes, and OpenCode would wait as well. */
	#emptyLog(): boolean {
		const connection = this.#connection;
		try {
			connection.exec("PRAGMA busy_timeout = 0");
			try {
				const statement = connection.prepare("PRAGMA wal_checkpoint(TRUNCATE)");
				const row = statement.get();
				statement.finalize?.();
				return Object.values(row ?? {})[0] === 0;
			} finally {
				connection.exec(`PRAGMA busy_timeout = ${this.#busyTimeoutMs}`);
			}
		} catch {
			return false;
		}
	}
}

/** Whether SQLite's log of a database has anything in it. */
export function hasLog(database: string): boolean {
	const log = statSync(`${database}-wal`, { throwIfNoEntry: false });
	return log !== undefined && log.size > 0;
}

/** The next `clankers search` makes another. Whether none is left. */
function removeIndex(database: string): boolean {
	const { dir, name } = parse(database);
	const index = format({ dir, name, ext: ".search" });
	// A file of that name may be somebody else's.
	if (index === database || !isSqlite(index)) return true;
	try {
		for (const ending of ["", "-wal", "-shm"])
			rmSync(index + ending, { force: true });
		return true;
	} catch {
		// A search has it open, where that keeps a file in its place.
		return false;
	}
}

function isSqlite(path: string): boolean {
	try {
		const stat = statSync(path, { throwIfNoEntry: false });
		return stat?.isFile() === true && isDatabase(path);
	} catch {
		return false;
	}
}
