/**
 * A simulated OpenCode 1.18 process: it changes its store, tells its own
 * plugins of each change as 1.18 does (a change that another process makes is
 * told to nobody here), and answers the client's questions from the store.
 * The shapes are those of the recordings in tests/fixtures/1.18.34.
 */
import { closeSync, openSync } from "node:fs";
import type { BusEvent } from "../../src/hosts/host.ts";
import type { Random } from "./random.ts";
import type {
	Message,
	MessageInfo,
	Part,
	Session,
	SessionInfo,
	Store,
} from "./store.ts";
import type { VirtualTime } from "./virtual-time.ts";
import type { Words } from "./words.ts";

/** What all processes of a history share. */
export interface Surroundings {
	readonly random: Random;
	readonly time: VirtualTime;
	readonly words: Words;
	/** A number that no other call has answered. */
	next(): number;
}

/** An event, with the properties that a history looks at. */
export interface OpenCodeEvent extends BusEvent {
	readonly id: string;
	readonly properties: {
		readonly sessionID: string;
		readonly messageID?: string;
		readonly partID?: string;
		readonly part?: Part;
		readonly info?: SessionInfo | MessageInfo;
	};
}

/** Thrown out of what the process was doing when it is killed. */
export class Killed extends Error {}

const NO_TOKENS = {
	input: 0,
	output: 0,
	reasoning: 0,
	cache: { read: 0, write: 0 },
};
const MODEL = { providerID: "scripted", modelID: "scripted-large" };

export class OpenCode {
	readonly store: Store;
	readonly directory: string;
	/** Who is told of each event; a process without plugins tells nobody. */
	listener: ((event: OpenCodeEvent) => void) | undefined;
	/** After how many more events it is killed. */
	eventsLeft: number = Number.POSITIVE_INFINITY;
	readonly #around: Surroundings;
	/** As long as it runs it has its store open. */
	readonly #file: number;

	constructor(store: Store, directory: string, around: Surroundings) {
		this.store = store;
		this.#file = openSync(store.path, "r");
		this.directory = directory;
		this.#around = around;
	}

	/** It runs no more. */
	end(): void {
		this.listener = undefined;
		closeSync(this.#file);
	}

	/** Begins a session; answers its id. */
	async create(parentID?: string): Promise<string> {
		const { words, time } = this.#around;
		const created = time.moment();
		const info: SessionInfo = {
			id: this.#id("ses"),
			slug: "silent-planet",
			version: "1.18.34",
			projectID: "global",
			directory: this.directory,
			path: "",
			...(parentID !== undefined && { parentID }),
			title: `New session - ${words.some(1)}`,
			cost: 0,
			tokens: NO_TOKENS,
			time: { created, updated: created },
		};
		await this.#begin({ info, messages: [] });
		return info.id;
	}

	/** A person's prompt and the answer to it: reasoning, text, perhaps a tool call. */
	async turn(sessionID: string): Promise<void> {
		const { words, random, time } = this.#around;
		await this.#removeReverted(sessionID);
		const question: MessageInfo = {
			id: this.#id("msg"),
			role: "user",
			sessionID,
			time: { created: time.moment() },
			agent: "build",
			model: MODEL,
		};
		await this.#touch(sessionID, (info) => {
			info.agent = "build";
			info.model = { id: MODEL.modelID, providerID: MODEL.providerID };
		});
		await this.#message(question);
		await this.#part(question, { type: "text", text: words.some(2) });
		await this.#status(sessionID, "busy");
		const answer: MessageInfo = {
			id: this.#id("msg"),
			parentID: question.id,
			role: "assistant",
			mode: "build",
			agent: "build",
			path: { cwd: this.directory, root: this.directory },
			cost: 0,
			tokens: NO_TOKENS,
			...MODEL,
			time: { created: time.moment() },
			sessionID,
		};
		await this.#message(answer);
		await this.#part(answer, { type: "step-start", snapshot: "a24123d3" });
		if (random.chance(0.4)) await this.#stream(answer, "reasoning");
		await this.#stream(answer, "text");
		if (random.chance(0.6)) await this.#toolCall(answer);
		const tokens = {
			input: random.between(1, 999),
			output: random.between(1, 99),
			reasoning: 0,
			cache: { read: 0, write: 0 },
		};
		const cost = random.between(1, 999) / 10_000;
		await this.#part(answer, {
			type: "step-finish",
			reason: "stop",
			tokens,
			cost,
		});
		const ended: MessageInfo = { ...answer, tokens, cost, finish: "stop" };
		await this.#message(ended);
		const { created } = answer.time;
		const completed = time.moment();
		await this.#message({ ...ended, time: { created, completed } });
		await this.#touch(sessionID, (info) => {
			info.cost += cost;
			info.tokens = {
				...info.tokens,
				input: info.tokens.input + tokens.input,
				output: info.tokens.output + tokens.output,
			};
			if (/^New session/.test(info.title)) info.title = words.some(2);
		});
		await this.#status(sessionID, "idle");
		await this.#tell("session.idle", { sessionID });
		await this.#message({ ...question, summary: { diffs: [] } });
	}

	/** Takes back a message and what came after it; the next prompt removes them. */
	async revert(sessionID: string, messageID: string): Promise<void> {
		await this.#touch(sessionID, (info) => {
			info.revert = { messageID };
		});
	}

	async unrevert(sessionID: string): Promise<void> {
		await this.#touch(sessionID, (info) => {
			delete info.revert;
		});
	}

	async rename(sessionID: string): Promise<void> {
		await this.#touch(sessionID, (info) => {
			info.title = this.#around.words.some(2);
		});
	}

	async archive(sessionID: string): Promise<void> {
		await this.#touch(sessionID, (info) => {
			info.time.archived = this.#around.time.moment();
		});
	}

	/** Copies a session under new ids, as far as to a message where one is named. */
	async fork(sessionID: string): Promise<void> {
		const { random, words } = this.#around;
		const original = this.store.session(sessionID);
		if (original === undefined) return;
		const id = await this.create();
		await this.#touch(id, (info) => {
			info.title = `${original.info.title} (fork ${words.some(1)})`;
		});
		const end = random.between(1, original.messages.length);
		for (const { info, parts } of original.messages.slice(0, end)) {
			const copy = { ...info, id: this.#id("msg"), sessionID: id };
			await this.#message(copy);
			for (const part of parts) await this.#part(copy, part);
		}
	}

	/** Deletes a session, those that it started first. */
	async deleteSession(sessionID: string): Promise<void> {
		const sessions = this.store.sessions();
		for (const { info } of sessions)
			if (info.parentID === sessionID) await this.deleteSession(info.id);
		const gone = sessions.find(({ info }) => info.id === sessionID);
		if (gone === undefined) return;
		this.store.change(sessionID, (all) =>
			all.filter(({ info }) => info.id !== sessionID),
		);
		await this.#tell("session.deleted", { sessionID, info: gone.info });
	}

	/** What the session cost falls with a message, and no event tells that. */
	async deleteMessage(sessionID: string, messageID: string): Promise<void> {
		this.store.changeSession(sessionID, (session) => {
			const isIt = ({ info }: Message): boolean => info.id === messageID;
			const cost = Number(session.messages.find(isIt)?.info["cost"] ?? 0);
			session.info.cost = Math.max(0, session.info.cost - cost);
			session.messages = session.messages.filter((message) => !isIt(message));
		});
		await this.#tell("message.removed", { sessionID, messageID });
	}

	async deletePart({ sessionID, messageID, id }: Part): Promise<void> {
		this.store.changeSession(sessionID, ({ messages }) => {
			const parts = messages.find(({ info }) => info.id === messageID)?.parts;
			const at = parts?.findIndex((part) => part.id === id) ?? -1;
			if (at >= 0) parts?.splice(at, 1);
		});
		await this.#tell("message.part.removed", {
			sessionID,
			messageID,
			partID: id,
		});
	}

	async #removeReverted(sessionID: string): Promise<void> {
		const session = this.store.session(sessionID);
		const from = session?.info.revert?.messageID;
		if (session === undefined || from === undefined) return;
		for (const { info } of session.messages)
			if (info.id >= from) await this.deleteMessage(sessionID, info.id);
		await this.unrevert(sessionID);
	}

	/** A text as a model writes it: the store holds it when it is whole, the events tell each piece. */
	async #stream(
		answer: MessageInfo,
		type: "text" | "reasoning",
	): Promise<void> {
		const { words, random, time } = this.#around;
		const start = time.moment();
		const { id } = await this.#part(answer, {
			type,
			text: "",
			time: { start },
		});
		const { sessionID } = answer;
		const key = { sessionID, messageID: answer.id, partID: id };
		let text = "";
		for (let piece = random.between(1, 4); piece > 0; piece--) {
			const delta = `${words.some(1)} `;
			text += delta;
			await this.#tell("message.part.delta", { ...key, field: "text", delta });
		}
		const end = time.moment();
		await this.#part(answer, {
			id,
			type,
			text: text.trimEnd(),
			time: { start, end },
		});
	}

	async #toolCall(answer: MessageInfo): Promise<void> {
		const { words, random, time } = this.#around;
		const call = {
			type: "tool",
			tool: "bash",
			callID: `call_${this.#around.next()}`,
		};
		const pending = { status: "pending", input: {}, raw: "" };
		const { id } = await this.#part(answer, { ...call, state: pending });
		const input = { command: words.some(1), description: words.some(1) };
		const start = time.moment();
		let output = "";
		for (let piece = random.between(0, 2); piece > 0; piece--) {
			const running = {
				status: "running",
				input,
				metadata: { output },
				time: { start },
			};
			await this.#part(answer, { ...call, id, state: running });
			output += `${words.some(1)}\n`;
		}
		const timed = { input, time: { start, end: time.moment() } };
		const state = random.chance(0.8)
			? {
					...timed,
					status: "completed",
					output,
					title: words.some(1),
					metadata: { exit: 0 },
				}
			: { ...timed, status: "error", error: words.some(1) };
		await this.#part(answer, { ...call, id, state });
	}

	async #begin(session: Session): Promise<void> {
		this.store.change(session.info.id, (sessions) => [...sessions, session]);
		const { info } = session;
		await this.#tell("session.created", { sessionID: info.id, info });
	}

	/** Changes a session, and its time of change with it. */
	async #touch(
		sessionID: string,
		change: (info: SessionInfo) => void,
	): Promise<void> {
		const { info } = this.store.changeSession(sessionID, ({ info }) => {
			change(info);
			info.time.updated = this.#around.time.moment();
		});
		await this.#tell("session.updated", { sessionID, info });
	}

	async #message(info: MessageInfo): Promise<void> {
		this.store.put(info);
		await this.#tell("message.updated", { sessionID: info.sessionID, info });
	}

	/** A part of that message, a new one unless it has an id of that message's. */
	async #part(
		{ id: messageID, sessionID }: MessageInfo,
		fields: {
			id?: string;
			messageID?: string;
			type: string;
			[field: string]: unknown;
		},
	): Promise<Part> {
		const isOther =
			fields.messageID !== undefined && fields.messageID !== messageID;
		const id = isOther ? undefined : fields.id;
		const part = { ...fields, id: id ?? this.#id("prt"), sessionID, messageID };
		this.store.put(part);
		const time = this.#around.time.moment();
		await this.#tell("message.part.updated", { sessionID, part, time });
		return part;
	}

	#status(sessionID: string, type: "busy" | "idle"): Promise<void> {
		return this.#tell("session.status", { sessionID, status: { type } });
	}

	async #tell(
		type: string,
		properties: OpenCodeEvent["properties"] & Record<string, unknown>,
	): Promise<void> {
		const { random, time } = this.#around;
		const event = { id: this.#id("evt"), type, properties };
		this.listener?.(JSON.parse(JSON.stringify(event)) as OpenCodeEvent);
		this.eventsLeft -= 1;
		if (this.eventsLeft <= 0) throw new Killed();
		if (random.chance(0.25)) await time.pass(random.between(1, 400));
	}

	/** Rising, as OpenCode's are, whichever process makes them. */
	#id(kind: "ses" | "msg" | "prt" | "evt"): string {
		return `${kind}_${String(this.#around.next()).padStart(8, "0")}`;
	}
}

/** The words of a message are those of its parts. */
export function partsOf({
	messages,
}: {
	messages: readonly Message[];
}): Part[] {
	return messages.flatMap(({ parts }) => parts);
}
