/** Commands, as the core would make them. */
import type { Command, StoredRequest } from "../../../pkg/clankers.js";

export function sessionUpsert(id: string, title: string): Command {
	return { method: "session.upsert", params: { id, title } };
}

/** The one command that counts: applied twice, it shows. */
export function rejection(): Command {
	return {
		method: "rejection.record",
		params: {
			...{ eventType: "test", code: "unknown_event", path: "" },
			...{ expected: "", found: "", sample: "", sourceVersion: null },
			...{ count: 1, firstSeen: 1000, lastSeen: 1000 },
		},
	};
}

/** A session's whole list of one thing to do; the last that is stored stays. */
export function todo(content: string): Command {
	return {
		method: "todo.replace",
		params: { sessionId: "ses_1", todos: [{ content }] },
	};
}

/** A request for what is stored, to which nothing belongs. */
export const NOTHING: Extract<StoredRequest, { kind: "storedSessions" }> = {
	kind: "storedSessions",
	directory: "/nowhere",
	ids: [],
	storeId: null,
};
