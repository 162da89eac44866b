/**
 * OpenCode 2.x as a host: the little of its plugin context that clankers uses,
 * and its sessions. The context offers no list of them, and of a session only
 * what came since its last compaction; the rest is in OpenCode's database. Where
 * it is in doubt which that is, what the context gives has to do.
 */
import type { Environment } from "../config.ts";
import {
	type Answer,
	type BusEvent,
	FAILED,
	found,
	foundOr,
	type Host,
	type HostRequest,
} from "./host.ts";
import type { HostLog } from "./host-log.ts";
import {
	isOfDatabase,
	type OwnDatabase,
	readOwn,
	readSessions,
} from "./own-database.ts";
import { orNothing } from "./patience.ts";
import { type StorePlace, storeId } from "./store-identity.ts";

/** What OpenCode hands to `setup`, one call per directory. */
export interface Context {
	/** The plugin's options in the configuration. */
	readonly options?: Record<string, unknown>;
	readonly app?: { readonly version?: string };
	readonly location?: { readonly directory?: string };
	readonly event?: {
		/** Everything from now on; each subscription hears all directories. */
		subscribe?(): AsyncIterable<BusEvent>;
	};
	readonly session?: SessionReader;
}

/** The part of the context that reads sessions. It asks of any directory's. */
export interface SessionReader {
	get?(request: { sessionID: string }): Promise<unknown>;
	/** The messages since the last compaction, that one included. */
	context?(request: { sessionID: string }): Promise<unknown>;
}

/** How many messages make a page: it is folded in without a break. */
const PAGE = 10;

/** The folder that OpenCode keeps its data in is called so. */
const PROGRAM = "opencode";
/** Its tables lie beside those of OpenCode 1, in one file. */
const TABLES = "2";
const NOT_FOUND = "Session.NotFoundError";

/** One directory of OpenCode 2.x. */
export class OpenCode2Host implements Host {
	readonly directory: string;
	readonly log: HostLog;
	readonly #reader: SessionReader | undefined;
	readonly #environment: Environment;
	/** The context of the session that is being asked for: OpenCode answers with all of it at once. */
	#asked: { of: string; items: unknown[] } | undefined;

	constructor(
		session: SessionReader | undefined,
		directory: string,
		log: HostLog,
		environment: Environment = process.env,
	) {
		this.#reader = session;
		this.directory = directory;
		this.log = log;
		this.#environment = environment;
	}

	async ask(request: HostRequest): Promise<Answer> {
		switch (request.kind) {
			case "session":
				return this.#session(request.sessionId);
			case "store":
				return foundOr(storeId(this.#place()), { outcome: "none" });
			case "sessions":
				return this.#sessions();
			case "todos":
				return this.#read((db) =>
					foundOr(db.todos(request.sessionId), NOT_OFFERED),
				);
			case "messages":
				return this.#read(
					(db) => found(db.messages(request.sessionId, request.page)),
					() => this.#messages(request.sessionId, request.page),
				);
			case "message": {
				const { sessionId, messageId } = request;
				return this.#read(
					(db) =>
						foundOr(db.message(sessionId, messageId), { outcome: "none" }),
					() => this.#message(sessionId, messageId),
				);
			}
		}
	}

	#read(
		read: (db: OwnDatabase) => Answer,
		otherwise: () => Promise<Answer> = async () => NOT_OFFERED,
	): Promise<Answer> {
		return readOwn(this.#place(), "opencode2", read, otherwise);
	}

	/** Without a list, what was cut off is asked for all the same. */
	async #sessions(): Promise<Answer> {
		const { directory } = this;
		const otherwise = async (): Promise<Answer> => NOT_OFFERED;
		const place = this.#place();
		const list = await readSessions(place, "opencode2", directory, otherwise);
		return list.outcome === "found" ? list : NOT_OFFERED;
	}

	/** What the context says of a session; which release made it, only the database does. */
	async #session(id: string): Promise<Answer> {
		const answer = await this.#get(id);
		if (answer.outcome !== "found") return answer;
		const version = await this.#read((db) => found(db.version(id)));
		if (version.outcome !== "found" || version.value === undefined)
			return answer;
		return found({ version: version.value, ...(answer.value as object) });
	}

	async #get(sessionID: string): Promise<Answer> {
		const session = this.#reader;
		if (typeof session?.get !== "function") return NOT_OFFERED;
		const answer = await ask(() => session.get?.({ sessionID }));
		if (answer.outcome !== "found") return answer;
		const { value } = answer;
		return typeof value === "object" && value !== null ? answer : FAILED;
	}

	/** A page of the context. What a compaction took out of that cannot be asked for. */
	async #messages(of: string, page: string | null): Promise<Answer> {
		if (page === null) {
			const items = await this.#context(of);
			if (!Array.isArray(items)) return items;
			this.#asked = { of, items };
		}
		if (this.#asked?.of !== of || (page !== null && isOfDatabase(page)))
			return FAILED;
		const from = Number(page ?? 0);
		const { items: all } = this.#asked;
		const [items, to] = [all.slice(from, from + PAGE), from + PAGE];
		const isLast = to >= all.length;
		if (isLast) this.#asked = undefined;
		const incomplete = fieldOf(all[0], "type") === "compaction";
		return found({ items, next: isLast ? null : String(to), incomplete });
	}

	/** A message that the context lacks may be there all the same. */
	async #message(sessionID: string, id: string): Promise<Answer> {
		const items = await this.#context(sessionID);
		if (!Array.isArray(items)) return items;
		const value = items.find((message) => fieldOf(message, "id") === id);
		return value === undefined ? NOT_OFFERED : found(value);
	}

	async #context(sessionID: string): Promise<unknown[] | Answer> {
		const session = this.#reader;
		if (typeof session?.context !== "function") return NOT_OFFERED;
		const answer = await ask(() => session.context?.({ sessionID }));
		if (answer.outcome !== "found") return answer;
		return Array.isArray(answer.value) ? answer.value : FAILED;
	}

	/** Where the store is; the context does not name it. */
	#place(): StorePlace {
		const environment = this.#environment;
		return { program: PROGRAM, environment, keepsFiles: false, tables: TABLES };
	}
}

const NOT_OFFERED = { outcome: "notOffered" } as const;

/** What comes of a call that rejects with its failures. */
async function ask(request: () => unknown): Promise<Answer> {
	try {
		return found(await orNothing(request()));
	} catch (error) {
		return fieldOf(error, "_tag") === NOT_FOUND ? { outcome: "none" } : FAILED;
	}
}

function fieldOf(value: unknown, name: string): unknown {
	if (typeof value !== "object" || value === null) return undefined;
	return (value as Readonly<Record<string, unknown>>)[name];
}
