/**
 * OpenCode 1.0 to 1.18 as a host: the little of its plugin interface that
 * clankers uses, spelled out here so that it holds on every release and costs
 * no dependency, and its sessions, as its client answers them to a plugin.
 */
import { basename } from "node:path";
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
import type { HostClient, HostLog } from "./host-log.ts";
import {
	MessagePages,
	type Messages,
	type PageQuery,
} from "./message-pages.ts";
import {
	isOfDatabase,
	type OwnDatabase,
	readOwn,
	readSessions,
} from "./own-database.ts";
import { orNothing } from "./patience.ts";
import { type StorePlace, storeId } from "./store-identity.ts";

/** What OpenCode hands to a plugin, one call per project directory. */
export interface PluginInput {
	/** Missing where somebody else calls the plugin. */
	readonly client?: HostClient & SessionClient;
	/** The project directory. */
	readonly directory?: string;
}

/** The hooks that clankers answers with. */
export interface Hooks {
	/** Called for each bus event; neither awaited nor serialised. */
	event?(input: { event: BusEvent }): Promise<void>;
	/** Called on a normal end, from 1.15.11 on, and awaited however long it takes. Events still come meanwhile and after it. */
	dispose?(): Promise<void>;
}

/** The plugin function, as OpenCode 1.x calls it. */
export type Plugin = (
	input: PluginInput,
	options?: Record<string, unknown>,
) => Promise<Hooks>;

/** The part of OpenCode's client that reads sessions, and says where it keeps its own files. */
export interface SessionClient {
	readonly path?: {
		get?(request: { query: { directory: string } }): Promise<unknown>;
	};
	readonly session?: {
		/** A query of `limit`, which the releases' types do not all know. */
		list?(request: object): Promise<unknown>;
		get?(request: SessionPath): Promise<unknown>;
		messages?(request: MessagesPath): Promise<unknown>;
		message?(request: MessagePath): Promise<unknown>;
		todo?(request: SessionPath): Promise<unknown>;
	};
}

interface SessionPath {
	path: { id: string };
	query: { directory: string };
}

/** Of a page, in the releases that have pages. */
interface MessagesPath extends SessionPath {
	query: SessionPath["query"] & PageQuery;
}

interface MessagePath extends SessionPath {
	path: { id: string; messageID: string };
}

/** From 1.1 on the list ends at 100 unless more are asked for. */
const ALL = 1_000_000;

/** One project directory of OpenCode 1.x. */
export class OpenCode1Host implements Host {
	readonly directory: string;
	readonly log: HostLog;
	readonly #client: SessionClient;
	readonly #environment: Environment;
	readonly #pages = new MessagePages();

	/**
	 * The directory goes with each request: up to 1.1 the client of every
	 * instance asks for the project that the process began in.
	 */
	constructor(
		client: SessionClient,
		directory: string,
		log: HostLog,
		environment: Environment = process.env,
	) {
		this.#environment = environment;
		this.#client = client;
		this.directory = directory;
		this.log = log;
	}

	async ask(request: HostRequest): Promise<Answer> {
		const session = this.#client.session;
		switch (request.kind) {
			case "sessions": {
				const query = { directory: this.directory, limit: ALL };
				const listed = list(await ask(() => session?.list?.({ query })));
				return this.#listOr(listed);
			}
			case "store":
				return this.#store();
			case "session": {
				const path = this.#path(request.sessionId);
				const answer = one(await ask(() => session?.get?.(path)));
				return this.#or(answer, (db) =>
					foundOr(db.session(request.sessionId), FAILED),
				);
			}
			case "todos": {
				const path = this.#path(request.sessionId);
				return list(await ask(() => session?.todo?.(path)));
			}
			case "messages":
				return this.#page(request.sessionId, request.page);
			case "message":
				return this.#message(request.sessionId, request.messageId);
		}
	}

	/** The id of the store that OpenCode works on. */
	async #store(): Promise<Answer> {
		const place = await this.#place();
		if (place === undefined) return FAILED;
		const id = storeId(place);
		return id === undefined ? { outcome: "none" } : found(id);
	}

	/** Where that store is: the folder of OpenCode's state ends in its program's name. */
	async #place(): Promise<StorePlace | undefined> {
		const query = { directory: this.directory };
		const answer = await ask(() => this.#client.path?.get?.({ query }));
		const { state } = (answer?.data ?? {}) as { state?: unknown };
		if (typeof state !== "string") return undefined;
		return { program: basename(state), environment: this.#environment };
	}

	/**
	 * What OpenCode answers or, where it fails, what is in its database: 1.18 refuses
	 * a whole list for one message, or one session, that it cannot read itself.
	 */
	async #or(
		answer: Answer,
		read: (db: OwnDatabase) => Answer,
	): Promise<Answer> {
		if (answer.outcome !== "failed") return answer;
		const place = await this.#place();
		if (place === undefined) return FAILED;
		return readOwn(place, "opencode1", read, async () => FAILED);
	}

	/** The same of the list of sessions. */
	async #listOr(answer: Answer): Promise<Answer> {
		if (answer.outcome !== "failed") return answer;
		const place = await this.#place();
		if (place === undefined) return FAILED;
		const { directory } = this;
		return readSessions(place, "opencode1", directory, async () => FAILED);
	}

	/** A page of a session's messages; where OpenCode does not answer with one, all of them are read from its database. */
	async #page(id: string, page: string | null): Promise<Answer> {
		if (page !== null && isOfDatabase(page))
			return this.#or(FAILED, (db) => found(db.messages(id, page)));
		const session = this.#client.session;
		const { path, query } = this.#path(id);
		const answer = await this.#pages.page(page, (one) =>
			ask(() => session?.messages?.({ path, query: { ...query, ...one } })),
		);
		if (answer !== undefined) return found(answer);
		return this.#or(FAILED, (db) => found(db.messages(id, null)));
	}

	async #message(id: string, messageID: string): Promise<Answer> {
		const { query } = this.#path(id);
		const request = { path: { id, messageID }, query };
		const session = this.#client.session;
		const answer = await ask(() => session?.message?.(request));
		// 1.2 answers a server error that says so.
		const unfound = `Message not found: ${messageID}`;
		const isUnfound = textOf(answer?.error?.data?.message).includes(unfound);
		if (isUnfound) return { outcome: "none" };
		return this.#or(one(answer), (db) =>
			foundOr(db.message(id, messageID), FAILED),
		);
	}

	#path(id: string): SessionPath {
		return { path: { id }, query: { directory: this.directory } };
	}
}

function list(answer: ClientAnswer | undefined): Answer {
	return Array.isArray(answer?.data) ? found(answer.data) : FAILED;
}

/** What OpenCode's client answers: it reports failures instead of throwing them. */
interface ClientAnswer {
	readonly data?: unknown;
	readonly error?: {
		readonly name?: unknown;
		readonly data?: { readonly message?: unknown };
	};
	readonly response?: Messages["response"] & { readonly status?: number };
}

async function ask(
	request: () => Promise<unknown> | undefined,
): Promise<ClientAnswer | undefined> {
	try {
		const answer = await orNothing(request());
		return typeof answer === "object" && answer !== null ? answer : undefined;
	} catch {
		return undefined;
	}
}

/** What is answered of one thing. Not every 404 says that there is none: a path that nobody knows has one too. */
function one(answer: ClientAnswer | undefined): Answer {
	const { data, error, response } = answer ?? {};
	if (response?.status === 404 && error?.name === "NotFoundError")
		return { outcome: "none" };
	return typeof data === "object" && data !== null ? found(data) : FAILED;
}

function textOf(value: unknown): string {
	return typeof value === "string" ? value : "";
}
