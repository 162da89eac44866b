/**
 * OpenCode's sessions, as its client answers them to a plugin (releases 1.0 to
 * 1.18). What a release cannot do, and what fails, is `undefined`: unknown.
 */

/** The part of OpenCode's client that reads sessions, and says where it keeps its own files. */
export interface SessionClient {
	readonly path?: {
		get?(request: { query: { directory: string } }): Promise<unknown>;
	};
	readonly session?: {
		/** A query of `limit`, which the releases' types do not all know. */
		list?(request: object): Promise<unknown>;
		get?(request: SessionPath): Promise<unknown>;
		messages?(request: SessionPath): Promise<unknown>;
		message?(request: MessagePath): Promise<unknown>;
		todo?(request: SessionPath): Promise<unknown>;
	};
}

interface SessionPath {
	path: { id: string };
	query: { directory: string };
}

interface MessagePath extends SessionPath {
	path: { id: string; messageID: string };
}

/** How long an answer is waited for. */
const PATIENCE_MS = 60_000;
/** From 1.1 on the list ends at 100 unless more are asked for. */
const ALL = 1_000_000;

/** Asks OpenCode for sessions. */
export class SessionApi {
	readonly #client: SessionClient;
	readonly #directory: string;

	/**
	 * The directory goes with each request: up to 1.1 the client of every
	 * instance asks for the project that the process began in.
	 */
	constructor(client: SessionClient, directory: string) {
		this.#client = client;
		this.#directory = directory;
	}

	/** All sessions of the project, children and archived ones too. */
	list(): Promise<unknown[] | undefined> {
		return this.#array(() =>
			this.#client.session?.list?.({
				query: { directory: this.#directory, limit: ALL },
			}),
		);
	}

	/** The folder of OpenCode's state, which ends in its program's name. */
	async stateFolder(): Promise<string | undefined> {
		const query = { directory: this.#directory };
		const answer = await ask(() => this.#client.path?.get?.({ query }));
		const { state } = (answer?.data ?? {}) as { state?: unknown };
		return typeof state === "string" ? state : undefined;
	}

	/** A session's `info`, or `none` where OpenCode says it has no such session. */
	async get(id: string): Promise<object | "none" | undefined> {
		return one(await ask(() => this.#client.session?.get?.(this.#path(id))));
	}

	/** A message with its parts, or `none` where OpenCode says it has no such message. */
	async message(
		id: string,
		messageID: string,
	): Promise<object | "none" | undefined> {
		const { query } = this.#path(id);
		const request = { path: { id, messageID }, query };
		const answer = await ask(() => this.#client.session?.message?.(request));
		// 1.2 answers a server error that says so.
		const unfound = `Message not found: ${messageID}`;
		const isUnfound = textOf(answer?.error?.data?.message).includes(unfound);
		return isUnfound ? "none" : one(answer);
	}

	/** A session's messages, each with its parts. */
	messages(id: string): Promise<unknown[] | undefined> {
		return this.#array(() => this.#client.session?.messages?.(this.#path(id)));
	}

	/** A session's to-do list. */
	todos(id: string): Promise<unknown[] | undefined> {
		return this.#array(() => this.#client.session?.todo?.(this.#path(id)));
	}

	#path(id: string): SessionPath {
		return { path: { id }, query: { directory: this.#directory } };
	}

	async #array(
		request: () => Promise<unknown> | undefined,
	): Promise<unknown[] | undefined> {
		const data = (await ask(request))?.data;
		return Array.isArray(data) ? data : undefined;
	}
}

/** What OpenCode's client answers: it reports failures instead of throwing them. */
interface Answer {
	readonly data?: unknown;
	readonly error?: {
		readonly name?: unknown;
		readonly data?: { readonly message?: unknown };
	};
	readonly response?: { readonly status?: number };
}

async function ask(
	request: () => Promise<unknown> | undefined,
): Promise<Answer | undefined> {
	try {
		const answer = await orNothing(request());
		return typeof answer === "object" && answer !== null ? answer : undefined;
	} catch {
		return undefined;
	}
}

/** What it resolves to, or nothing where that takes too long. Does not keep the process alive. */
async function orNothing(request: unknown): Promise<unknown> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<undefined>((resolve) => {
		timer = setTimeout(resolve, PATIENCE_MS, undefined).unref();
	});
	try {
		return await Promise.race([request, late]);
	} finally {
		clearTimeout(timer);
	}
}

/** What is answered of one thing, or `none` where OpenCode says it has no such thing. Not every 404 says that: a path that nobody knows has one too. */
function one(answer: Answer | undefined): object | "none" | undefined {
	const { data, error, response } = answer ?? {};
	if (response?.status === 404 && error?.name === "NotFoundError")
		return "none";
	return typeof data === "object" && data !== null ? data : undefined;
}

function textOf(value: unknown): string {
	return typeof value === "string" ? value : "";
}
