/** What the mirror check does not compare, and why. */

const KEY = "it is what a row is found by: another value is another row";
const COUNT =
	"it counts the transactions of clankers' database: OpenCode knows nothing of them";
const UNEXPECTED =
	"no such row is expected, but for a fork's; those say no more than their key";

/** Columns of the mirrored tables that no row claims anything of, each with the reason. */
export const UNCLAIMED: Readonly<
	Record<string, Readonly<Record<string, string>>>
> = {
	sessions: { id: KEY, changed: COUNT },
	messages: { id: KEY, changed: COUNT },
	parts: { id: KEY, changed: COUNT },
	tool_calls: { id: KEY, changed: COUNT },
	usage: {
		id: KEY,
		changed: COUNT,
		message_at: "its message's `created_at`, which is claimed there",
		counted:
			"whether another session of this database has the step: OpenCode knows of none",
	},
	todos: { session_id: KEY, position: KEY, changed: COUNT },
	permissions: { id: KEY, changed: COUNT },
	session_errors: {
		id: "clankers' own: OpenCode gives its failures none",
		message_id: KEY,
		name: KEY,
		attempt: KEY,
		changed: COUNT,
	},
	rejections: {
		event_type: KEY,
		code: KEY,
		path: KEY,
		expected: UNEXPECTED,
		found: UNEXPECTED,
		sample: UNEXPECTED,
		source_version: UNEXPECTED,
		count: UNEXPECTED,
		first_seen: UNEXPECTED,
		last_seen: UNEXPECTED,
		changed: COUNT,
	},
};
