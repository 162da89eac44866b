/** What OpenCode itself answers about every session: the truth that the database is compared with. */

import {
	type Api,
	ApiError,
	type BusEvent,
	type JsonObject,
	type MessageWithParts,
	type SessionInfo,
} from "../harness/api.ts";
import { until } from "../harness/poll.ts";

export interface SessionTruth {
	readonly session: SessionInfo;
	readonly messages: readonly MessageWithParts[];
	readonly todos: readonly JsonObject[];
}

export interface RemovedPart {
	readonly part: MessageWithParts["parts"][number];
	/** The message that it was of. */
	readonly info: MessageWithParts["info"];
}

export interface Truth {
	/** Every session that OpenCode has. */
	readonly sessions: readonly SessionTruth[];
	/** Sessions that were seen once and that OpenCode no longer has, as they were then. */
	readonly gone: readonly SessionTruth[];
	/** Messages that were seen once and that their sessions no longer have. */
	readonly removed: readonly MessageWithParts[];
	/** Parts that were seen once and that their messages, which are there, no longer have. */
	readonly removedParts: readonly RemovedPart[];
	/** What OpenCode told its clients, and answers no more. */
	readonly told: readonly BusEvent[];
}

/** Remembers what OpenCode answered before somebody removed it. */
export class Witness {
	private readonly seen = new Map<string, SessionTruth>();

	/** `told` is the bus as a client hears it, for what the API does not answer afterwards. */
	constructor(private readonly told: readonly BusEvent[] = []) {}

	/** Takes down a session and its children, at any depth, once they have come to rest. */
	async see(api: Api, id: string): Promise<void> {
		const now = await readAtRest(api, id);
		const before = this.seen.get(id)?.messages ?? [];
		const messages = new Map(
			[...before, ...now.messages].map((message) => [message.info.id, message]),
		);
		this.seen.set(id, { ...now, messages: [...messages.values()] });
		for (const child of await api.children(id)) await this.see(api, child.id);
	}

	/** Every session there is or was. */
	async known(...projects: readonly Api[]): Promise<Set<string>> {
		const lists = await Promise.all(projects.map((api) => api.sessions()));
		const listed = lists.flat().map((session) => session.id);
		return new Set([...listed, ...this.seen.keys()]);
	}

	/** What OpenCode has now, and what it had. */
	async truth(...projects: readonly Api[]): Promise<Truth> {
		const sessions = (await Promise.all(projects.map(readAll))).flat();
		const now = new Map(
			sessions.map((session) => [session.session.id, session]),
		);
		const seen = [...this.seen.values()];
		const removed = seen.flatMap(({ session, messages }) => {
			const left = now
				.get(session.id)
				?.messages.map((message) => message.info.id);
			return left
				? messages.filter((message) => !left.includes(message.info.id))
				: [];
		});
		return {
			sessions,
			gone: seen.filter(({ session }) => !now.has(session.id)),
			removed,
			removedParts: seen.flatMap(({ session, messages }) =>
				partsWithout(messages, now.get(session.id)?.messages ?? []),
			),
			told: this.told,
		};
	}
}

/** The parts of messages that are still there and have them no more. */
function partsWithout(
	seen: readonly MessageWithParts[],
	now: readonly MessageWithParts[],
): RemovedPart[] {
	const left = new Map(
		now.map(({ info, parts }) => [info.id, new Set(parts.map(({ id }) => id))]),
	);
	return seen.flatMap(({ info, parts }) => {
		const kept = left.get(info.id);
		return kept === undefined
			? []
			: parts.filter(({ id }) => !kept.has(id)).map((part) => ({ part, info }));
	});
}

async function readAll(api: Api): Promise<SessionTruth[]> {
	const ids = new Set((await api.sessions()).map((session) => session.id));
	const found: SessionTruth[] = [];
	// A set that grows while it is walked: children at any depth.
	for (const id of ids) {
		try {
			found.push(await readSession(api, id));
			for (const child of await api.children(id)) ids.add(child.id);
		} catch (error) {
			// It was deleted meanwhile.
			if (!(error instanceof ApiError)) throw error;
		}
	}
	return found;
}

/** OpenCode writes totals and titles a little after a turn has ended. */
async function readAtRest(api: Api, id: string): Promise<SessionTruth> {
	let before = "";
	return await until(`${id} to come to rest`, async () => {
		await new Promise((resolve) => setTimeout(resolve, 100));
		const now = await readSession(api, id);
		const text = JSON.stringify(now);
		if (text === before) return now;
		before = text;
		return undefined;
	});
}

async function readSession(api: Api, id: string): Promise<SessionTruth> {
	return {
		session: await api.session(id),
		messages: await api.messages(id),
		todos: await api.todos(id),
	};
}
