/** Commands, as the core would make them. */
import type { Command, Report, StoredRequest } from "../../../pkg/clankers.js";

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

/** A report of a recorder that has seen so many events, and stored each by itself. */
export function reportOf(seen: number): Report {
	return {
		...{ version: "0.1.0", dialect: "opencode1", pid: 7 },
		...{ startedAt: 1000, reportedAt: 2000, seen, ignored: 0, refused: 0 },
		...{ commands: seen, drains: seen, waiting: 0 },
		...{ asked: 0, answered: 0, failed: 0 },
	};
}

/** A request for what is stored, to which nothing belongs. */
export const NOTHING: Extract<StoredRequest, { kind: "storedSessions" }> = {
	kind: "storedSessions",
	directory: "/nowhere",
	ids: [],
	storeId: null,
};
