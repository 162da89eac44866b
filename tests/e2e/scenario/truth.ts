/** What OpenCode itself answers about every session that a scenario touched: the truth to compare with. */

import {
	type Api,
	ApiError,
	type JsonObject,
	type MessageWithParts,
	type SessionInfo,
} from "../harness/api.ts";

export interface SessionTruth {
	readonly session: SessionInfo;
	readonly messages: MessageWithParts[];
	readonly todos: JsonObject[];
}

export interface Truth {
	readonly listed: SessionInfo[];
	readonly sessions: SessionTruth[];
	/** Sessions that were there once and that OpenCode no longer has. */
	readonly gone: string[];
}

/** Asks for every session listed, every child of one, and every id in `known`. */
export async function readTruth(
	api: Api,
	known: Iterable<string> = [],
): Promise<Truth> {
	const listed = await api.sessions();
	const todo = new Set([...listed.map((session) => session.id), ...known]);
	const sessions: SessionTruth[] = [];
	const gone: string[] = [];
	for (const id of todo) {
		try {
			const session = await api.session(id);
			sessions.push({
				session,
				messages: await api.messages(id),
				todos: await api.todos(id),
			});
			for (const child of await api.children(id)) todo.add(child.id);
		} catch (error) {
			if (!(error instanceof ApiError)) throw error;
			gone.push(id);
		}
	}
	return { listed, sessions, gone };
}
