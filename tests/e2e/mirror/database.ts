/** The rows that are there, read as a person's own query would read them. */

import { Database } from "bun:sqlite";
import type { Cell } from "./claim.ts";

export type FoundRow = Readonly<Record<string, Cell>>;
/** A table's rows by their id. */
export type FoundTables = Readonly<
	Record<string, ReadonlyMap<string, FoundRow>>
>;

/** Every mirrored table, and the SQL of its row's id. */
export const TABLES: Readonly<Record<string, string>> = {
	sessions: "id",
	messages: "id",
	parts: "id",
	tool_calls: "id",
	usage: "id",
	todos: "session_id || ' ' || position",
};

/** Runs `use` on the database, read-only: whoever writes it meanwhile is not held. */
export function withDatabase<T>(
	path: string,
	use: (database: Database) => T,
): T {
	const database = new Database(path, { readonly: true });
	try {
		database.run("PRAGMA busy_timeout = 2000");
		return use(database);
	} finally {
		database.close();
	}
}

export function readTables(path: string): FoundTables {
	// One transaction, so that all tables are of one moment.
	return withDatabase(path, (database) =>
		database.transaction(() =>
			Object.fromEntries(
				Object.entries(TABLES).map(([table, id]) => {
					const rows = database
						.query<Record<string, Cell> & { "@id": string }, []>(
							`SELECT ${id} AS "@id", * FROM ${table}`,
						)
						.all();
					return [table, new Map(rows.map((row) => [row["@id"], row]))];
				}),
			),
		)(),
	);
}
