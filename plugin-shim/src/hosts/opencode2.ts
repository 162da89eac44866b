/**
 * OpenCode 2.x as a host: the little of its plugin context that clankers uses,
 * and its sessions, as far as a plugin can ask for them. It offers no list of
 * sessions, and of a session only what came since its last compaction.
 */
import type { Environment } from "../config.ts";
import {
	type Answer,
	type BusEvent,
	FAILED,
	found,
	type Host,
	type HostRequest,
} from "./host.ts";
import type { HostLog } from "./host-log.ts";
import { orNothing } from "./patience.ts";
import { storeId } from "./store-identity.ts";

/** What OpenCode hands to `setup`, one call per directory. */
export interface Context {
	/** The plugin's options in the configuration. */
	readonly options?: Record<string, unknown>;
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

/** The folder that OpenCode keeps its data in is called so. */
const PROGRAM = "opencode";
const NOT_FOUND = "Session.NotFoundError";

/** One directory of OpenCode 2.x. */
export class OpenCode2Host implements Host {
	readonly directory: string;
	readonly log: HostLog;
	readonly #session: SessionReader | undefined;
	readonly #environment: Environment;

	constructor(
		session: SessionReader | undefined,
		directory: string,
		log: HostLog,
		environment: Environment = process.env,
	) {
		this.#session = session;
		this.directory = directory;
		this.log = log;
		this.#environment = environment;
	}

	async ask(request: HostRequest): Promise<Answer> {
		switch (request.kind) {
			case "session":
				return this.#get(request.sessionId);
			case "messages":
				return this.#messages(request.sessionId);
			case "message":
				return this.#message(request.sessionId, request.messageId);
			case "store":
				return this.#store();
			case "sessions":
			case "todos":
				return NOT_OFFERED;
		}
	}

	async #get(sessionID: string): Promise<Answer> {
		const session = this.#session;
		if (typeof session?.get !== "function") return NOT_OFFERED;
		const answer = await ask(() => session.get?.({ sessionID }));
		if (answer.outcome !== "found") return answer;
		const { value } = answer;
		return typeof value === "object" && value !== null ? answer : FAILED;
	}

	/** What a compaction took out of the context cannot be asked for. */
	async #messages(sessionID: string): Promise<Answer> {
		const items = await this.#context(sessionID);
		if (!Array.isArray(items)) return items;
		const incomplete = fieldOf(items[0], "type") === "compaction";
		return found({ items, next: null, incomplete });
	}

	/** A message that the context lacks may be there all the same. */
	async #message(sessionID: string, id: string): Promise<Answer> {
		const items = await this.#context(sessionID);
		if (!Array.isArray(items)) return items;
		const value = items.find((message) => fieldOf(message, "id") === id);
		return value === undefined ? NOT_OFFERED : found(value);
	}

	async #context(sessionID: string): Promise<unknown[] | Answer> {
		const session = this.#session;
		if (typeof session?.context !== "function") return NOT_OFFERED;
		const answer = await ask(() => session.context?.({ sessionID }));
		if (answer.outcome !== "found") return answer;
		return Array.isArray(answer.value) ? answer.value : FAILED;
	}

	/** The id of the store that OpenCode works on; the context does not name it. */
	#store(): Answer {
		const id = storeId({
			program: PROGRAM,
			environment: this.#environment,
			keepsFiles: false,
		});
		return id === undefined ? { outcome: "none" } : found(id);
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
