/**
 * A simulated OpenCode's sessions, in a real file: what is copied, moved and
 * put back in a history is copied, moved and put back on disk. OpenCode's own
 * file is a SQLite database; clankers never opens it, so here it is JSON.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { changeUntilTold } from "./places.ts";

/** `info` of a session, as OpenCode 1.18 has it. */
export interface SessionInfo {
	readonly id: string;
	readonly parentID?: string;
	readonly directory: string;
	readonly version: string;
	title: string;
	agent?: string;
	model?: object;
	cost: number;
	tokens: Tokens;
	revert?: { messageID: string };
	readonly time: {
		readonly created: number;
		updated: number;
		archived?: number;
	};
	readonly [field: string]: unknown;
}

export interface Tokens {
	readonly input: number;
	readonly output: number;
	readonly reasoning: number;
	readonly cache: { readonly read: number; readonly write: number };
}

/** `info` of a message. */
export interface MessageInfo {
	readonly id: string;
	readonly sessionID: string;
	readonly role: "user" | "assistant";
	readonly time: { readonly created: number; readonly completed?: number };
	readonly [field: string]: unknown;
}

export interface Part {
	readonly id: string;
	readonly sessionID: string;
	readonly messageID: string;
	readonly type: string;
	readonly [field: string]: unknown;
}

export interface Message {
	info: MessageInfo;
	readonly parts: Part[];
}

export interface Session {
	info: SessionInfo;
	messages: Message[];
}

/** Hears what is written, and which session that changes. */
export type Written = (sessions: readonly Session[], id?: string) => void;

/** The file of one path. It is read anew for each use: what is in its place may have changed. */
export class Store {
	readonly path: string;
	readonly #written: Written;

	/** Makes an empty one where there is none, as OpenCode does when it starts. */
	constructor(path: string, written: Written) {
		this.path = path;
		this.#written = written;
		if (existsSync(path)) return;
		mkdirSync(dirname(path), { recursive: true });
		this.#write([]);
		changeUntilTold(path);
	}

	sessions(): Session[] {
		return JSON.parse(readFileSync(this.path, "utf8")) as Session[];
	}

	session(id: string): Session | undefined {
		return this.sessions().find(({ info }) => info.id === id);
	}

	/** Changes it, in place: the file stays the one it is. */
	change(
		id: string,
		work: (sessions: Session[]) => Session[] | undefined,
	): void {
		const sessions = this.sessions();
		this.#write(work(sessions) ?? sessions, id);
	}

	/** Changes one session, and gives it back. */
	changeSession(id: string, work: (session: Session) => void): Session {
		let changed: Session | undefined;
		this.change(id, (sessions) => {
			changed = sessions.find(({ info }) => info.id === id);
			if (changed !== undefined) work(changed);
			return undefined;
		});
		if (changed === undefined) throw new Error(`there is no session ${id}`);
		return changed;
	}

	/** Stores a message's info, or a part of it, beside or in place of what is there. */
	put(what: MessageInfo | Part): void {
		this.changeSession(what.sessionID, ({ messages }) => {
			if (isPart(what)) {
				const parts = messages.find(
					({ info }) => info.id === what.messageID,
				)?.parts;
				if (parts !== undefined)
					replace(parts, what, ({ id }) => id === what.id);
				return;
			}
			const known = messages.find(({ info }) => info.id === what.id);
			if (known === undefined) messages.push({ info: what, parts: [] });
			else known.info = what;
		});
	}

	#write(sessions: Session[], id?: string): void {
		writeFileSync(this.path, JSON.stringify(sessions));
		this.#written(sessions, id);
	}
}

function isPart(what: MessageInfo | Part): what is Part {
	return "messageID" in what;
}

function replace<One>(all: One[], one: One, is: (other: One) => boolean): void {
	const at = all.findIndex(is);
	if (at < 0) all.push(one);
	else all[at] = one;
}
