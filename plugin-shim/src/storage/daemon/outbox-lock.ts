/**
 * Who owns an outbox. The lock is one that the system lets go of with its
 * process, whatever ends it: SQLite's on an empty file, the only such lock
 * that both runtimes have. A process id would not do: it is used again, and
 * means nothing in another container.
 */
import { closeSync, openSync, rmSync } from "node:fs";
import { type Connection, connect } from "../connection.ts";

/** A lock that is held. */
export class OutboxLock {
	readonly #path: string;
	readonly #connection: Connection;

	private constructor(path: string, connection: Connection) {
		this.#path = path;
		this.#connection = connection;
	}

	/** Takes the lock of a file that nobody has had before. */
	static create(path: string): OutboxLock {
		// Only ever here: closing a file's descriptor drops its process's locks.
		closeSync(openSync(path, "ax", 0o600));
		const lock = OutboxLock.take(path);
		if (lock === undefined) throw new Error(`\`${path}\` is locked already`);
		return lock;
	}

	/** Takes the lock, unless another process, or another sink of this one, has it. */
	static take(path: string): OutboxLock | undefined {
		const connection = connect(path);
		try {
			connection.exec(
				"PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE",
			);
			return new OutboxLock(path, connection);
		} catch {
			connection.close();
			return undefined;
		}
	}

	/** Lets go of it; `forever` where what it guards is gone. */
	release(forever: boolean): void {
		// Removed while it is held, so that nobody takes the lock of a file that goes.
		if (forever && process.platform !== "win32")
			rmSync(this.#path, { force: true });
		this.#connection.close();
		if (forever) rmSync(this.#path, { force: true });
	}
}
