/**
 * OpenCode 2's own database, which it does not give its plugins a way to: read
 * only, and answered as its API would answer. What OpenCode 1 wrote there is
 * answered as OpenCode 1 would.
 *
 * It is read through the SQLite of the runtime, which is the one that OpenCode
 * itself has the file open with (`bun:sqlite`, 2.0.15). Another one in the same
 * process would drop OpenCode's locks when it closes the file.
 */
import { databaseQueries, databaseTables } from "../../../pkg/clankers.js";
import { type Connection, connectToRead } from "../storage/connection.ts";

/** How many messages make a page: it is read, parsed and folded in without a break. */
const PAGE = 10;
/** How long a locked database is waited for, milliseconds; OpenCode stands still meanwhile. */
const BUSY_MS = 20;

/** What begins the name of a page. */
const OF_ONE = "1";
const OF_TWO = "2";

type Queries = NonNullable<ReturnType<typeof databaseQueries>>;
type Fields = Readonly<Record<string, unknown>>;

/** A page of messages, as a request `messages` is answered. */
export interface Page {
	readonly items: readonly unknown[];
	readonly next: string | null;
}

/** The database, open. */
export class OpenCode2Database {
	readonly #db: Connection;
	readonly #queries: Queries;

	private constructor(db: Connection, queries: Queries) {
		this.#db = db;
		this.#queries = queries;
	}

	/** Nothing where it is not a database that OpenCode 2 has worked on. Throws where it cannot be read. */
	static open(path: string): OpenCode2Database | undefined {
		const db = connectToRead(path);
		try {
			db.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
			const tables = rows(db, databaseTables()).map(({ name }) => name);
			const queries = databaseQueries(tables.map(String));
			if (queries !== undefined) return new OpenCode2Database(db, queries);
		} catch (error) {
			db.close();
			throw error;
		}
		db.close();
		return undefined;
	}

	/** The sessions of a directory, with what is compared of them. */
	sessions(directory: string): unknown[] {
		const session = ({ created, updated, archived, ...info }: Fields) => ({
			...info,
			time:
				archived === null
					? { created, updated }
					: { created, updated, archived },
		});
		return this.#rows(this.#queries.sessions, { directory }).map(session);
	}

	/** The release that made a session. */
	version(sessionId: string): unknown {
		return this.#rows(this.#queries.version, { sessionId })[0]?.["version"];
	}

	/**
	 * A page of a session's messages, by the name that the one before it gave:
	 * first what OpenCode 1 wrote, then what only OpenCode 2 has.
	 */
	messages(sessionId: string, page: string | null): Page {
		const { messagesOfOne, messages } = this.#queries;
		const first = messagesOfOne === null ? OF_TWO : OF_ONE;
		const [engine, after = ""] = (page ?? first).split(" ");
		const sql = engine === OF_ONE ? messagesOfOne : messages;
		const asked = { sessionId, after, limit: PAGE };
		const found = sql === null ? [] : this.#rows(sql, asked);
		// An empty page would be taken for the end.
		if (found.length === 0 && engine === OF_ONE)
			return this.messages(sessionId, OF_TWO);
		const last = found.length < PAGE ? undefined : found.at(-1);
		const items = this.#items(found);
		if (last !== undefined) return { items, next: `${engine} ${last["id"]}` };
		return { items, next: engine === OF_ONE ? OF_TWO : null };
	}

	/** One message; nothing where there is none. */
	message(sessionId: string, id: string): unknown {
		const found = this.#rows(this.#queries.message, { sessionId, id });
		return this.#items(found)[0];
	}

	/** The to-do list that OpenCode 1 left of a session; nothing where there is none. */
	todos(sessionId: string): unknown[] | undefined {
		const { todos } = this.#queries;
		const found = todos === null ? [] : this.#rows(todos, { sessionId });
		return found.length === 0 ? undefined : found.map((todo) => ({ ...todo }));
	}

	close(): void {
		this.#db.close();
	}

	#rows(sql: string, parameters: Fields): Fields[] {
		return rows(this.#db, sql, parameters);
	}

	#items(found: readonly Fields[]): unknown[] {
		const parts = this.#parts(found.filter(({ type }) => type === null));
		return found.map(({ id, sessionId, type, seq, data }) => {
			if (type !== null) return { ...fieldsOf(data), id, type, seq };
			const info = { ...fieldsOf(data), id, sessionID: sessionId };
			return { info, parts: parts.get(id) ?? [], seq };
		});
	}

	/** The parts of OpenCode 1's messages, by the ids of these. */
	#parts(messages: readonly Fields[]): Map<unknown, unknown[]> {
		const all = new Map<unknown, unknown[]>();
		const { parts } = this.#queries;
		if (parts === null || messages.length === 0) return all;
		const ids = messages.map(({ id }) => id);
		for (const row of this.#rows(parts, { ids })) {
			const { id, messageId: messageID, sessionId: sessionID, data } = row;
			const part = { ...fieldsOf(data), id, messageID, sessionID };
			const others = all.get(messageID);
			if (others) others.push(part);
			else all.set(messageID, [part]);
		}
		return all;
	}
}

function rows(db: Connection, sql: string, asked?: Fields): Fields[] {
	const statement = db.prepare(sql);
	const parameters = asked === undefined ? [] : [JSON.stringify(asked)];
	try {
		return statement.all(...parameters) as Fields[];
	} finally {
		statement.finalize?.();
	}
}

/** What a document holds. One that is broken holds nothing, and its message lacks it all, which the core notes. */
function fieldsOf(data: unknown): Fields {
	try {
		const document: unknown = JSON.parse(String(data));
		const isObject = typeof document === "object" && document !== null;
		return isObject ? (document as Fields) : {};
	} catch {
		return {};
	}
}
