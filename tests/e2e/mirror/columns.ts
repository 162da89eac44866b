/** What the mirror check does not compare, and why. */

const KEY = "it is what a row is found by: another value is another row";
const UNEXPECTED =
	"no such row is expected, but for a fork's; those say no more than their key";

/** Columns of the mirrored tables that no row claims anything of, each with the reason. */
export const UNCLAIMED: Readonly<
	Record<string, Readonly<Record<string, string>>>
> = {
	sessions: { id: KEY },
	messages: { id: KEY },
	parts: { id: KEY },
	tool_calls: { id: KEY },
	usage: { id: KEY },
	todos: { session_id: KEY, position: KEY },
	permissions: { id: KEY },
	session_errors: {
		id: "clankers' own: OpenCode gives its failures none",
		message_id: KEY,
		name: KEY,
		attempt: KEY,
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
	},
};
