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
import { pause } from "../drain-timer.ts";
import {
	type Connection,
	connectToRead,
	type Statement,
} from "../storage/connection.ts";
import { type Answer, FAILED, found } from "./host.ts";
import { type StorePlace, storePath } from "./store-identity.ts";

/** How many messages make a page: it is read, parsed and folded in without a break. */
const PAGE = 10;
/** How long the documents of a page may be, letters: files are in them. A longer message is a page of its own. */
const PAGE_LENGTH = 256 * 1024;
/** How many sessions are read without a break. */
const SESSIONS = 500;
/** How long a locked database is waited for, milliseconds; OpenCode stands still meanwhile. */
const BUSY_MS = 5;

/** What begins the name of a page; the id follows that it is to begin behind. */
const OF_ONE = "1 ";
const OF_TWO = "2 ";

type Queries = NonNullable<ReturnType<typeof databaseQueries>>;
type Fields = Readonly<Record<string, unknown>>;

/** A page of messages, as a request `messages` is answered. */
export interface Page {
	readonly items: readonly unknown[];
	readonly next: string | null;
}

/** A session, as a list has it. */
export interface Listed extends Fields {
	readonly id: string;
}

/** What was read of a page. */
interface Read {
	readonly items: unknown[];
	readonly last?: unknown;
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

	/** Sessions of a directory, with what is compared of them: so many whose ids follow this one. */
	sessions(directory: string, after = ""): Listed[] {
		const page = `SELECT * FROM (${this.#queries.sessions})
			WHERE id > ?1 ->> 'after' ORDER BY id LIMIT ?1 ->> 'limit'`;
		const asked = { directory, after, limit: SESSIONS };
		const session = ({ created, updated, archived, ...info }: Fields) => ({
			...info,
			id: String(info["id"]),
			time:
				archived === null
					? { created, updated }
					: { created, updated, archived },
		});
		return this.#rows(page, asked).map(session);
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
		const named = page ?? first;
		const engine = named.startsWith(OF_ONE) ? OF_ONE : OF_TWO;
		const after = named.slice(engine.length);
		const sql = engine === OF_ONE ? messagesOfOne : messages;
		const asked = { sessionId, after };
		const { items, last } =
			sql === null ? { items: [] } : this.#page(sql, asked);
		// An empty page would be taken for the end.
		const rest = engine === OF_ONE && messages !== null ? OF_TWO : null;
		if (items.length === 0 && rest !== null)
			return this.messages(sessionId, rest);
		if (last !== undefined) return { items, next: `${engine}${last}` };
		return { items, next: rest };
	}

	/** As many messages as a page may hold, and the last one's id where there may be more. */
	#page(sql: string, { sessionId, after }: Fields): Read {
		const items: unknown[] = [];
		let [last, length] = [after, 0];
		const statement = this.#db.prepare(sql);
		try {
			while (items.length < PAGE) {
				const asked = { sessionId, after: last, limit: 1 };
				const row = all(statement, asked)[0];
				if (row === undefined) return { items };
				const parts = row["type"] === null ? this.#partsOf(row) : [];
				for (const { data } of [row, ...parts]) length += String(data).length;
				// It is read once more with the next page.
				if (items.length > 0 && length > PAGE_LENGTH) break;
				items.push(itemOf(row, parts));
				last = row["id"];
			}
		} finally {
			statement.finalize?.();
		}
		return { items, last };
	}

	/** One message; nothing where there is none. */
	message(sessionId: string, id: string): unknown {
		const row = this.#rows(this.#queries.message, { sessionId, id })[0];
		if (row === undefined) return undefined;
		return itemOf(row, row["type"] === null ? this.#partsOf(row) : []);
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

	/** The parts of one of OpenCode 1's messages. */
	#partsOf({ id }: Fields): Fields[] {
		const { parts } = this.#queries;
		return parts === null ? [] : this.#rows(parts, { ids: [id] });
	}
}

/** A message as the engine that wrote it would answer it. */
function itemOf(row: Fields, ofOne: readonly Fields[]): unknown {
	const { id, sessionId: sessionID, type, seq, data } = row;
	if (type !== null) return { ...fieldsOf(data), id, type, seq };
	const info = { ...fieldsOf(data), id, sessionID };
	const parts = ofOne.map((part) => {
		const { messageId: messageID, sessionId: sessionID } = part;
		return { ...fieldsOf(part["data"]), id: part["id"], messageID, sessionID };
	});
	const message = { info, parts };
	return seq === null ? message : { ...message, seq };
}

/** Whether a page's name is one that a database gave. */
export function isOfDatabase(page: string): boolean {
	return page.includes(" ");
}

function rows(db: Connection, sql: string, asked?: Fields): Fields[] {
	const statement = db.prepare(sql);
	try {
		return all(statement, asked);
	} finally {
		statement.finalize?.();
	}
}

function all(statement: Statement, asked?: Fields): Fields[] {
	const parameters = asked === undefined ? [] : [JSON.stringify(asked)];
	return statement.all(...parameters) as Fields[];
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

/** All sessions of a directory, as `readOwn` would answer; between two pages others have their turn. */
export async function readSessions(
	place: StorePlace,
	dialect: Dialect,
	directory: string,
	otherwise: () => Promise<Answer>,
): Promise<Answer> {
	const sessions: Listed[] = [];
	for (;;) {
		let page: Listed[] = [];
		const read = (db: OwnDatabase): Answer => {
			page = db.sessions(directory, sessions.at(-1)?.id);
			return found(sessions);
		};
		const answer = await readOwn(place, dialect, read, otherwise);
		sessions.push(...page);
		if (page.length < SESSIONS) return answer;
		await pause(0);
	}
}
