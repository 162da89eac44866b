/** The in-process sink: one connection, one transaction per batch, SQL from the core. */
import type {
	Command,
	Report,
	Store,
	StoredRequest,
	Statement as StoreStatement,
} from "../../../pkg/clankers.js";
import type { Database } from "../config.ts";
import { describe } from "../hosts/host-log.ts";
import {
	type Connection,
	connect,
	resultCode,
	type Statement,
} from "./connection.ts";
import { Erasure, hasLog } from "./erasure.ts";
import { FileHead } from "./file-head.ts";
import { fileIdentity, makeFiles, narrowFiles } from "./files.ts";
import { setAside } from "./set-aside.ts";
import { type RefusedCommand, type Sink, SinkError } from "./sink.ts";

/** A locked database holds OpenCode no longer than this. */
const BUSY_TIMEOUT_MS = 50;
/** After a checkpoint the log gives back what it takes beyond this. A long reader makes it grow. */
const LOG_BYTES = 16 * 1024 * 1024;
/** The first SQLite with `->>`; macOS 12 has an older one. */
const OLDEST_SQLITE = [3, 38];

/** One statement, since another process may be making the database right now. */
const IS_FOREIGN =
	"SELECT user_version = 0 AND EXISTS (SELECT 1 FROM sqlite_master) AS value FROM pragma_user_version";

/** From this length on it is worth the call to have a command's parameters parsed. */
const LONG_JSON = 2048;

const DATABASE_ID = "SELECT id AS value FROM clankers_database";

const BUSY = 5;
/** Corrupt, and no database. */
const DAMAGE: ReadonlySet<number> = new Set([11, 26]);
/** SQL error, too big, constraint, mismatch, range: the command's own fault. */
const REFUSALS: ReadonlySet<number> = new Set([1, 18, 19, 20, 25]);

/** Whose batch it is, and which of them. A writer's numbers only rise. */
export interface BatchId {
	readonly writer: string;
	readonly number: number;
	/** How the writer is once it is stored. */
	readonly report?: Report | undefined;
}

/** `id`: what tells that the batch has been stored already, where another process or thread may have it too. */
export interface Batch {
	readonly commands: readonly Command[];
	readonly id?: BatchId;
}

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

/** A compiled statement, and when it has anything to do. */
interface Compiled {
	readonly statement: Statement;
	readonly when: StoreStatement["when"];
}

/** The path names another file than the one that is open. */
class Moved extends Error {
	override readonly message = "it was moved a moment ago";
}

/** A connection with a schema that we know and its compiled statements. */
class OpenDatabase {
	readonly identity: string | undefined;
	readonly head: FileHead;
	/** The id that is in the database. */
	readonly id: string;
	readonly #path: string;
	readonly #connection: Connection;
	readonly #store: Store;
	readonly #compiled = new Map<string, Compiled[]>();
	/** None until the database is known to be ours. */
	#erasure: Erasure | undefined;
	/** What begins each batch. */
	#begin: Statement | undefined;
	/** Whether writers that are long gone are forgotten. */
	#isTidy = false;
	/** What parses JSON, where this SQLite can keep it parsed. */
	readonly #parse: Statement | undefined;

	constructor(database: Database, store: Store) {
		const { path } = database;
		this.#path = path;
		this.#store = store;
		makeFiles(database);
		this.identity = fileIdentity(path);
		const foundLog = hasLog(path);
		this.#connection = connect(path);
		try {
			this.head = new FileHead(path);
			this.#connection.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
			this.#checkSqlite();
			this.#checkVersion();
			narrowFiles(path);
			this.#connection.exec(
				`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;
				PRAGMA secure_delete = ON; PRAGMA journal_size_limit = ${LOG_BYTES}`,
			);
			this.#migrate();
			this.id = String(this.#value(DATABASE_ID));
			this.#parse = this.#parser();
			this.#erasure = new Erasure(path, this.#connection, {
				busyTimeoutMs: BUSY_TIMEOUT_MS,
				foundLog,
			});
		} catch (error) {
			this.close();
			throw error;
		}
	}

	store(batches: readonly Batch[]): RefusedCommand[] {
		const refused = this.#apply(batches);
		const { erasing } = this.#store;
		const isErasing = ({ params }: Command): boolean => holds(erasing, params);
		if (batches.some(({ commands }) => commands.some(isErasing)))
			this.#erasure?.erased();
		this.#erasure?.settle();
		return refused;
	}

	#apply(batches: readonly Batch[]): RefusedCommand[] {
		try {
			this.#each(batches, (command) => this.#run(command));
			return [];
		} catch (error) {
			if (!isRefusal(error)) throw error;
		}
		// One of them is at fault: again, each on its own, leaving out what fails.
		const refused: RefusedCommand[] = [];
		this.#each(batches, (command) => {
			this.#connection.exec("SAVEPOINT command");
			try {
				this.#run(command);
			} catch (error) {
				if (!isRefusal(error)) throw error;
				this.#connection.exec("ROLLBACK TO command");
				refused.push({ command, reason: describe(error) });
			}
			this.#connection.exec("RELEASE command");
		});
		return refused;
	}

	/** What a query of the core's answers. */
	rows<Row>(sql: string, params: object): Row[] {
		const statement = this.#connection.prepare(sql);
		try {
			return statement.all(JSON.stringify(params)) as Row[];
		} finally {
			statement.finalize?.();
		}
	}

	/** What is in the log goes into the file that it is of, wherever that is now: the log's path is the next one's. */
	emptyLog(): void {
		try {
			this.#connection.exec("PRAGMA wal_checkpoint(TRUNCATE)");
		} catch {
			// A reader keeps it busy, or the file is gone.
		}
	}

	close(): void {
		try {
			for (const statements of this.#compiled.values())
				for (const { statement } of statements) statement.finalize?.();
			this.#compiled.clear();
			this.#begin?.finalize?.();
			this.#parse?.finalize?.();
			this.#begin = undefined;
			this.#erasure?.settle();
			this.#connection.close();
			this.head.close();
		} catch {
			// A connection that cannot be closed is left to the process's end.
		}
	}

	#run(command: Command): void {
		const params = this.#parsed(JSON.stringify(command.params));
		for (const { statement, when } of this.#statements(command.method))
			if (holds(when, command.params)) statement.run(params);
	}

	/** Parsed once and not by each statement for each column, where this SQLite can: a long text is stored in half the time. */
	#parsed(json: string): string | Uint8Array {
		if (json.length < LONG_JSON || this.#parse === undefined) return json;
		const { value } = this.#parse.get(json) as { value: Uint8Array };
		return value;
	}

	#parser(): Statement | undefined {
		try {
			return this.#connection.prepare("SELECT jsonb(?1) AS value");
		} catch {
			// Before SQLite 3.45.
			return undefined;
		}
	}

	#statements(method: Command["method"]): Compiled[] {
		let compiled = this.#compiled.get(method);
		if (compiled === undefined) {
			compiled = this.#store.statements[method].map(({ sql, when }) => ({
				statement: this.#connection.prepare(sql),
				when,
			}));
			this.#compiled.set(method, compiled);
		}
		return compiled;
	}

	/**
	 * A transaction on the schema we know: another process may have migrated it
	 * since. Whoever puts another file in its place waits for it, or was faster.
	 */
	#each(batches: readonly Batch[], run: (command: Command) => void): void {
		this.#transaction(() => {
			if (fileIdentity(this.#path) !== this.identity) throw new Moved();
			this.#checkVersion();
			const due = batches.filter(({ id }) => !id || this.#claim(id));
			if (due.length === 0) return;
			this.#begin ??= this.#connection.prepare(this.#store.begin);
			this.#begin.run();
			for (const { commands } of due) commands.forEach(run);
		});
	}

	/** Whether a batch is to be stored, and has not been. */
	#claim(id: BatchId): boolean {
		const { claimBatch, forgetBatches } = this.#store;
		if (!this.#isTidy) this.#connection.exec(forgetBatches);
		this.#isTidy = true;
		return this.rows(claimBatch, id).length > 0;
	}

	/** `IMMEDIATE`, so that a lock is met before any work is done, never in its middle. */
	#transaction(work: () => void): void {
		this.#connection.exec("BEGIN IMMEDIATE");
		try {
			work();
			this.#connection.exec("COMMIT");
		} catch (error) {
			try {
				this.#connection.exec("ROLLBACK");
			} catch {
				// SQLite has rolled back already, as it does on a full disk.
			}
			throw error;
		}
	}

	#checkSqlite(): void {
		const version = String(this.#value("SELECT sqlite_version() AS value"));
		const [major = 0, minor = 0] = version.split(".").map(Number);
		const [oldestMajor = 0, oldestMinor = 0] = OLDEST_SQLITE;
		if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor))
			throw new SinkError(
				"unsupported",
				`SQLite ${version} is too old: ${OLDEST_SQLITE.join(".")} or later is needed`,
			);
	}

	/** Before anything is written, so that a newer database is left as it is. */
	#checkVersion(): void {
		const known = this.#store.schemaVersion;
		const found = this.#version();
		if (found > known && !(this.#oldestWriter() <= known))
			throw new SinkError(
				"incompatible",
				`it was written by a newer clankers (schema ${found}, this one knows ${known}): update the plugin, or name another file in CLANKERS_DB_PATH`,
			);
		if (this.#value(IS_FOREIGN) === 1)
			throw new SinkError(
				"incompatible",
				"it holds tables of something else: move it away, or name another file in CLANKERS_DB_PATH",
			);
	}

	/** Each step in a transaction that looks again: several processes may start at once. */
	#migrate(): void {
		const { migrations } = this.#store;
		for (
			let version = this.#version();
			version < migrations.length;
			version = this.#version()
		)
			this.#transaction(() => {
				const next = migrations[version];
				if (next === undefined || this.#version() !== version) return;
				this.#connection.exec(next);
				this.#connection.exec(`PRAGMA user_version = ${version + 1}`);
			});
	}

	/** The oldest schema whose writers may go on in a newer database; none where it does not say. */
	#oldestWriter(): number {
		try {
			return Number(this.#value(this.#store.oldestWriter));
		} catch {
			return Number.NaN;
		}
	}

	#version(): number {
		return Number(this.#value("PRAGMA user_version"));
	}

	/** The one value that a statement answers. */
	#value(sql: string): unknown {
		const statement = this.#connection.prepare(sql);
		const row = statement.get();
		statement.finalize?.();
		return Object.values(row ?? {})[0];
	}
}

/** Whether a statement has anything to do for a command with these parameters. */
function holds(when: StoreStatement["when"], params: object): boolean {
	if (when === undefined) return true;
	if ("present" in when) return when.present.some((name) => name in params);
	const [name, word] = when.isNot;
	const told = (params as Record<string, unknown>)[name];
	return told !== undefined && told !== word;
}

/** Whether a command is at fault: not the file, and not a schema that somebody tampered with. */
function isRefusal(error: unknown): boolean {
	const code = resultCode(error);
	return (
		code !== undefined &&
		REFUSALS.has(code) &&
		!/^no such | has no column named /.test(describe(error))
	);
}

/** Whether the file is at fault: no lock, no full disk, nothing that SQLite could not read. */
function isDamage(error: unknown): boolean {
	return DAMAGE.has(resultCode(error) ?? 0);
}

function sinkError(target: string, error: unknown): SinkError {
	const kind = error instanceof SinkError ? error.kind : "unavailable";
	return new SinkError(kind, `\`${target}\`: ${describe(error)}`, error);
}
