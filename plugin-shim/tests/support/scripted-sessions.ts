/** OpenCode's session API over sessions that a test adds. */
import type { SessionClient } from "../../src/hosts/opencode1.ts";
import { assistantMessage, sessionCreated } from "./events.ts";

interface Message {
	info: { id: string };
	parts: object[];
}

interface Session {
	info: object;
	messages: Message[];
}

const NOT_FOUND = {
	error: { name: "NotFoundError" },
	response: { status: 404 },
};

export class ScriptedSessions {
	/** What was asked, in order: `list`, `get ID`, `messages ID`, `message ID`, `todo ID`. */
	readonly asked: string[] = [];
	/** Called before each answer about one session. */
	beforeAnswer: () => void = () => {};
	/** Whether each request is answered with a server error. */
	failing = false;
	/** Whether that is so of a session's messages. */
	failingMessages = false;
	/** Whether no more than the first message is answered of a session's. */
	cutting = false;
	/** Where OpenCode says that it keeps its state. */
	state = "/home/user/.local/state/opencode";
	/** What is answered for a message that is not there. */
	unfound: object = NOT_FOUND;
	readonly #sessions = new Map<string, Session>();
	#open = 0;

	readonly client: Required<SessionClient> = {
		path: {
			get: async () => ({
				data: { state: this.state },
				response: { status: 200 },
			}),
		},
		session: {
			list: () => this.#answer("list", () => this.#infos()),
			get: ({ path: { id } }) =>
				this.#answer(`get ${id}`, () => this.#sessions.get(id)?.info),
			messages: ({ path: { id } }) =>
				this.#answer(`messages ${id}`, () =>
					this.#messages(id).slice(0, this.cutting ? 1 : undefined),
				),
			message: ({ path: { id, messageID } }) =>
				this.#answer(
					`message ${messageID}`,
					() => this.#messages(id).find(({ info }) => info.id === messageID),
					this.unfound,
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
			const info = infoOf(assistantMessage(id, messageID));
			// Ended, so that nothing but a change makes it be asked for again.
			const time = { created: 1_790_000_000_010, completed: 1_790_000_000_020 };
			return { info: { ...info, id: messageID, time }, parts: [part] };
		});
		this.#sessions.set(id, {
			info: infoOf(sessionCreated(id, title)),
			messages,
		});
	}

	/** Changes a session's messages, and its time of change by this much. */
	change(id: string, change: (messages: Message[]) => void, by = 1): void {
		const session = this.#sessions.get(id);
		if (session === undefined) throw new Error(`there is no session ${id}`);
		change(session.messages);
		(session.info as { time: { updated: number } }).time.updated += by;
	}

	#messages(id: string): Message[] {
		return this.#sessions.get(id)?.messages ?? [];
	}

	#infos(): object[] {
		return [...this.#sessions.values()].map(({ info }) => info);
	}

	async #answer(
		request: string,
		data: () => unknown,
		unfound: object = NOT_FOUND,
	): Promise<object> {
		this.asked.push(request);
		this.#open += 1;
		await new Promise((resolve) => setImmediate(resolve));
		if (request !== "list") this.beforeAnswer();
		this.#open -= 1;
		const isMessages = request.startsWith("messages ");
		if (this.failing || (this.failingMessages && isMessages))
			return { error: { name: "UnknownError" }, response: { status: 500 } };
		const found = data();
		if (found === undefined) return unfound;
		return { data: found, response: { status: 200 } };
	}
}

function infoOf(event: object): object {
	return (event as { properties: { info: object } }).properties.info;
}
