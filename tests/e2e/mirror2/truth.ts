/** What OpenCode 2 itself answers about every session: the truth that the database is compared with. */

import { ApiError } from "../harness/api.ts";
import { until } from "../harness/poll.ts";
import { withDatabase } from "../mirror/database.ts";
import type { Api2, Message2, Session2 } from "../opencode2/api.ts";
import type { Event2 } from "../opencode2/bus.ts";

export interface Session2Truth {
	readonly session: Session2;
	/** All of them, in the order of `seq`. */
	readonly messages: readonly Message2[];
}

/** What is answered, and what was answered once. */
export interface Answers2 {
	/** Every session that OpenCode has. */
	readonly sessions: readonly Session2Truth[];
	/** Sessions that were seen once and that OpenCode no longer has, as they were then. */
	readonly gone: readonly Session2Truth[];
	/** Messages that were seen once and that their sessions, which are there, no longer have. */
	readonly removed: readonly {
		readonly sessionID: string;
		readonly message: Message2;
	}[];
	/** The `seq` of the event that made each message: its place, which only OpenCode's own table says. */
	readonly seqs: Readonly<Record<string, number>>;
}

export interface Truth2 extends Answers2 {
	/** What OpenCode told its clients, and answers no more. */
	readonly told: readonly Event2[];
}

/** The messages that this session no longer has. */
export function removedFrom(
	{ removed }: Answers2,
	session: string,
): Message2[] {
	return removed
		.filter(({ sessionID }) => sessionID === session)
		.map(({ message }) => message);
}

/** Remembers what OpenCode answered before somebody removed it. */
export class Witness2 {
	private readonly seen = new Map<string, Session2Truth>();
	private readonly seqs = new Map<string, number>();

	/** `store` is OpenCode's own database. */
	constructor(private readonly store: string) {}

	/** Takes down a session and its children, at any depth, once they have come to rest. */
	async see(api: Api2, id: string): Promise<void> {
		for (const member of await family(api, id)) {
			const now = await atRest(member, () => readSession(api, member));
			const before = this.seen.get(member)?.messages ?? [];
			const messages = new Map(
				[...before, ...now.messages].map((message) => [message.id, message]),
			);
			this.seen.set(member, { ...now, messages: [...messages.values()] });
		}
		this.readSeqs();
	}

	/** What OpenCode has now, once it has come to rest, and what it had. */
	async answers(api: Api2): Promise<Answers2> {
		const sessions = await atRest("OpenCode", () => readAll(api));
		const now = new Map(
			sessions.map((session) => [session.session.id, session]),
		);
		const seen = [...this.seen.values()];
		this.readSeqs();
		return {
			sessions,
			gone: seen.filter(({ session }) => !now.has(session.id)),
			removed: seen.flatMap(({ session, messages }) => {
				const there = now.get(session.id);
				if (there === undefined) return [];
				const left = new Set(there.messages.map(({ id }) => id));
				return messages
					.filter(({ id }) => !left.has(id))
					.map((message) => ({ sessionID: session.id, message }));
			}),
			seqs: Object.fromEntries(this.seqs),
		};
	}

	private readSeqs(): void {
		const rows = withDatabase(this.store, (open) =>
			open
				.query<{ id: string; seq: number }, []>(
					"SELECT id, seq FROM session_message ORDER BY session_id, seq",
				)
				.all(),
		);
		for (const { id, seq } of rows) this.seqs.set(id, seq);
	}
}

/** A session, its children, and theirs. */
async function family(api: Api2, id: string): Promise<Set<string>> {
	const sessions = await api.sessions();
	const members = new Set([id]);
	// A set that grows while it is walked.
	for (const member of members)
		for (const session of sessions)
			if (session.parentID === member) members.add(session.id);
	return members;
}

async function readAll(api: Api2): Promise<Session2Truth[]> {
	const found: Session2Truth[] = [];
	for (const { id } of await api.sessions())
		try {
			found.push(await readSession(api, id));
		} catch (error) {
			// It was deleted meanwhile.
			if (!(error instanceof ApiError && error.status === 404)) throw error;
		}
	return found.sort((a, b) => (a.session.id < b.session.id ? -1 : 1));
}

async function readSession(api: Api2, id: string): Promise<Session2Truth> {
	return { session: await api.session(id), messages: await api.messages(id) };
}

/** OpenCode writes titles and totals a little after a turn has ended. */
async function atRest<T>(what: string, read: () => Promise<T>): Promise<T> {
	let before = "";
	return await until(`${what} to come to rest`, async () => {
		const now = await read();
		const text = JSON.stringify(now);
		if (text === before) return now;
		before = text;
		await new Promise((resolve) => setTimeout(resolve, REST_MS));
		return undefined;
	});
}

/** Longer than OpenCode takes to write a title that the scripted model has given. */
const REST_MS = 400;
