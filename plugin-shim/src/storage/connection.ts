/** The runtime's own SQLite: `bun:sqlite` in OpenCode's CLI, `node:sqlite` in OpenCode Desktop. */
import { SinkError } from "./sink.ts";

/** The database is locked. */
export const BUSY = 5;
/** Corrupt, and no database. */
const DAMAGE: ReadonlySet<number> = new Set([11, 26]);

/** What both have in common. */
export interface Connection {
	exec(sql: string): unknown;
	prepare(sql: string): Statement;
	close(): void;
}

/** A compiled statement. */
export interface Statement {
	run(...parameters: (string | Uint8Array)[]): unknown;
	get(...parameters: string[]): unknown;
	all(...parameters: string[]): unknown[];
	/** Bun's close leaves the file open until its statements are finalised. */
	finalize?(): void;
}

/** `bun:sqlite`, of which Node's types know nothing. */
interface BunSqlite {
	Database: new (
		path: string,
		options: { create: true; readwrite: true } | { readonly: true },
	) => Connection;
}

/** Opens a database file synchronously; makes one that is not there. */
export function connect(path: string): Connection {
	return open(path, { create: true, readwrite: true }, {});
}

/** Opens one that is there, and which nothing is going to be written to. */
export function connectToRead(path: string): Connection {
	return open(path, { readonly: true }, { readOnly: true });
}

/** Neither module is named in an import, which would stop the other runtime. */
function open(
	path: string,
	inBun: ConstructorParameters<BunSqlite["Database"]>[1],
	inNode: { readonly readOnly?: boolean },
): Connection {
	if (process.versions["bun"] !== undefined) {
		const { Database } = builtin<BunSqlite>("bun:sqlite");
		return new Database(path, inBun);
	}
	const { DatabaseSync } = builtin<typeof import("node:sqlite")>("node:sqlite");
	return new DatabaseSync(path, inNode);
}

function builtin<Module>(id: string): Module {
	const found: unknown = process.getBuiltinModule?.(id);
	if (!found)
		throw new SinkError(
			"unsupported",
			`this runtime has no \`${id}\`; Bun or Node 22.13 and later have what is needed`,
		);
	return found as Module;
}

/** SQLite's primary result code of a failure, whichever runtime threw it. */
export function resultCode(error: unknown): number | undefined {
	if (typeof error !== "object" || error === null) return undefined;
	const code =
		"errcode" in error ? error.errcode : "errno" in error && error.errno;
	return typeof code === "number" && code > 0 ? code & 0xff : undefined;
}

/** Whether the file is at fault: no lock, no full disk, nothing that SQLite could not read. */
export function isDamage(error: unknown): boolean {
	return DAMAGE.has(resultCode(error) ?? 0);
}

/** The one value that a statement answers. */
export function oneValue(connection: Connection, sql: string): unknown {
	const statement = connection.prepare(sql);
	const row = statement.get();
	statement.finalize?.();
	return Object.values(row ?? {})[0];
}

/** `IMMEDIATE`, so that a lock is met before any work is done, never in its middle. */
export function transaction(connection: Connection, work: () => void): void {
	connection.exec("BEGIN IMMEDIATE");
	try {
		work();
		connection.exec("COMMIT");
	} catch (error) {
		try {
			connection.exec("ROLLBACK");
		} catch {
			// SQLite has rolled back already, as it does on a full disk.
		}
		throw error;
	}
}
