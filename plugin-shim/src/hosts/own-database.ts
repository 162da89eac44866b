/**
 * OpenCode's own database, which it does not give its plugins a way to: read
 * only, and answered as its API would answer. OpenCode 2 is read that way, and
 * OpenCode 1 where it refuses to answer. What OpenCode 1 wrote in a file that
 * both work on is answered as OpenCode 1 would.
 *
 * It is read through the SQLite of the runtime, which is the one that OpenCode
 * itself has the file open with (`bun:sqlite`, 1.18.34 and 2.0.15). Another one
 * in the same process would drop OpenCode's locks when it closes the file.
 */
import { databaseQueries, databaseTables } from "../../../pkg/clankers.js";
import { type Dialect, loadModule } from "../core.ts";
import { type Connection, connectToRead } from "../storage/connection.ts";
import { type Answer, FAILED } from "./host.ts";
import { type StorePlace, storePath } from "./store-identity.ts";

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
export class OwnDatabase {
	readonly #db: Connection;
	readonly #queries: Queries;

	private constructor(db: Connection, queries: Queries) {
		this.#db = db;
		this.#queries = queries;
	}

	/** Nothing where it is not a database that the dialect's engine has worked on. Throws where it cannot be read. */
	static open(path: string, dialect: Dialect): OwnDatabase | undefined {
		loadModule();
		const db = connectToRead(path);
		try {
			db.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
			const tables = rows(db, databaseTables()).map(({ name }) => name);
			const queries = databaseQueries(tables.map(String), dialect);
			if (queries !== undefined) return new OwnDatabase(db, queries);
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

	/** A session of OpenCode 1, as that answers it; nothing where there is none. */
	session(sessionId: string): unknown {
		const { session } = this.#queries;
		const found = session === null ? [] : this.#rows(session, { sessionId });
		return found[0] && fieldsOf(found[0]["info"]);
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
		const rest = engine === OF_ONE && messages !== null ? OF_TWO : null;
		if (found.length === 0 && rest !== null)
			return this.messages(sessionId, rest);
		const last = found.length < PAGE ? undefined : found.at(-1);
		const items = this.#items(found);
		if (last !== undefined) return { items, next: `${engine} ${last["id"]}` };
		return { items, next: rest };
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
			const message = { info, parts: parts.get(id) ?? [] };
			return seq === null ? message : { ...message, seq };
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

/**
 * What the database at this place says. Where it is in doubt which that is, or the
 * dialect's engine has not worked on it, what `otherwise` says; one that cannot be
 * read now may be readable later.
 */
export async function readOwn(
	place: StorePlace,
	dialect: Dialect,
	read: (db: OwnDatabase) => Answer,
	otherwise: () => Promise<Answer>,
): Promise<Answer> {
	const path = storePath(place);
	if (path === undefined) return otherwise();
	try {
		const db = OwnDatabase.open(path, dialect);
		if (db === undefined) return await otherwise();
		try {
			return read(db);
		} finally {
			db.close();
		}
	} catch {
		return FAILED;
	}
}
