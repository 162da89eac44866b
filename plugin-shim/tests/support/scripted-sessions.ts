/** OpenCode's session API over sessions that a test adds. */
import type { SessionClient } from "../../src/session-api.ts";
import { assistantMessage, sessionCreated } from "./events.ts";

interface Session {
	info: object;
	messages: object[];
}

export class ScriptedSessions {
	/** What was asked, in order: `list`, `get ID`, `messages ID`, `todo ID`. */
	readonly asked: string[] = [];
	/** Called before each answer about one session. */
	beforeAnswer: () => void = () => {};
	/** Whether each request is answered with a server error. */
	failing = false;
	readonly #sessions = new Map<string, Session>();
	#open = 0;

	readonly client: Required<SessionClient> = {
		session: {
			list: () => this.#answer("list", () => this.#infos()),
			get: ({ path: { id } }) =>
				this.#answer(`get ${id}`, () => this.#sessions.get(id)?.info),
			messages: ({ path: { id } }) =>
				this.#answer(
					`messages ${id}`,
					() => this.#sessions.get(id)?.messages ?? [],
				),
			todo: ({ path: { id } }) => this.#answer(`todo ${id}`, () => []),
		},
	};

	/** Whether no request is waiting for its answer. */
	get idle(): boolean {
		return this.#open === 0;
	}

	/** Adds a session with an answer for each text. */
	add(id: string, title: string, texts: readonly string[]): void {
		const messages = texts.map((text, index) => {
			const messageID = `msg_${id}_${index}`;
			const part = {
				id: `prt_${id}_${index}`,
				sessionID: id,
				messageID,
				type: "text",
				text,
			};
			return { info: infoOf(assistantMessage(id, messageID)), parts: [part] };
		});
		this.#sessions.set(id, {
			info: infoOf(sessionCreated(id, title)),
			messages,
		});
	}

	#infos(): object[] {
		return [...this.#sessions.values()].map(({ info }) => info);
	}

	async #answer(request: string, data: () => unknown): Promise<object> {
		this.asked.push(request);
		this.#open += 1;
		await new Promise((resolve) => setImmediate(resolve));
		if (request !== "list") this.beforeAnswer();
		this.#open -= 1;
		if (this.failing)
			return { error: { name: "UnknownError" }, response: { status: 500 } };
		const found = data();
		if (found === undefined)
			return { error: { name: "NotFoundError" }, response: { status: 404 } };
		return { data: found, response: { status: 200 } };
	}
}

function infoOf(event: object): object {
	return (event as { properties: { info: object } }).properties.info;
}
