/** Where the mirror check of OpenCode 2 looks, and what it leaves out. */

import { UNCLAIMED as UNCLAIMED_1 } from "../mirror/columns.ts";
import { TABLES as TABLES_1 } from "../mirror/database.ts";

/** Every mirrored table, and the SQL of what a row is known by. */
export const TABLES: Readonly<Record<string, string>> = {
	...TABLES_1,
	// How clankers names the row of what only the total shows is its own affair: a session has one.
	usage: "iif(kind = 'overhead', session_id || ' overhead', id)",
	// A retry names its message here.
	session_errors:
		"message_id || ' ' || iif(attempt IS NULL, name, 'retry ' || attempt)",
};

/** Columns that no row claims anything of, each with the reason. */
export const UNCLAIMED: Readonly<
	Record<string, Readonly<Record<string, string>>>
> = {
	...UNCLAIMED_1,
	todos: {
		...UNCLAIMED_1.todos,
		...excuse(
			["content", "status", "priority"],
			"OpenCode 2 has no to-dos: a row is a difference",
		),
	},
};

function excuse(
	columns: readonly string[],
	reason: string,
): Record<string, string> {
	return Object.fromEntries(columns.map((column) => [column, reason]));
}
