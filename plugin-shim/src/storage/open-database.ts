/** A database file that is open: its connection, its compiled statements, and the transaction that stores batches. */
import type {
	Command,
	Report,
	Store,
	Statement as StoreStatement,
} from "../../../pkg/clankers.js";
import type { Database } from "../config.ts";
import { describe } from "../hosts/host-log.ts";
import {
	type Connection,
	connect,
	oneValue,
	resultCode,
	type Statement,
	transaction,
} from "./connection.ts";
import { Erasure, hasLog } from "./erasure.ts";
import { FileHead } from "./file-head.ts";
import { fileIdentity, makeFiles, narrowFiles } from "./files.ts";
import { checkSqlite, checkVersion, migrate } from "./schema.ts";
import type { RefusedCommand } from "./sink.ts";

/** A locked database holds OpenCode no longer than this. */
const BUSY_TIMEOUT_MS = 50;
/** After a checkpoint the log gives back what it takes beyond this. A long reader makes it grow. */
const LOG_BYTES = 16 * 1024 * 1024;
/** From this length on it is worth the call to have a command's parameters parsed. */
const LONG_JSON = 2048;

const DATABASE_ID = "SELECT id AS value FROM clankers_database";

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

/** A compiled statement, and when it has anything to do. */
interface Compiled {
	readonly statement: Statement;
	readonly when: StoreStatement["when"];
}

/** The path names another file than the one that is open. */
export class Moved extends Error {
	override readonly message = "it was moved a moment ago";
}

/** A connection with a schema that we know and its compiled statements. */
export class OpenDatabase {
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
			checkSqlite(this.#connection);
			checkVersion(this.#connection, store);
			narrowFiles(path);
			this.#connection.exec(
				`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;
				PRAGMA secure_delete = ON; PRAGMA journal_size_limit = ${LOG_BYTES}`,
			);
			migrate(this.#connection, store);
			this.id = String(oneValue(this.#connection, DATABASE_ID));
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
		transaction(this.#connection, () => {
			if (fileIdentity(this.#path) !== this.identity) throw new Moved();
			checkVersion(this.#connection, this.#store);
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
