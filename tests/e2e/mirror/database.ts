/** The rows that are there, read as a person's own query would read them. */

import { Database } from "bun:sqlite";
import type { Cell } from "./claim.ts";

export type FoundRow = Readonly<Record<string, Cell>>;
/** A table's rows by their id. */
export type FoundTables = Readonly<
	Record<string, ReadonlyMap<string, FoundRow>>
>;

/** Every mirrored table, and the SQL of what a row is known by. */
export const TABLES: Readonly<Record<string, string>> = {
	sessions: "id",
	messages: "id",
	parts: "id",
	tool_calls: "id",
	usage: "id",
	todos: "session_id || ' ' || position",
	permissions: "id",
	session_errors:
		"iif(attempt IS NULL, message_id || ' ' || name, session_id || ' retry ' || attempt)",
	rejections: "event_type || ' ' || code || ' ' || path",
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

/** What the model said in a session, in order. */
export function textsOf(database: string, session: string): string[] {
	return withDatabase(database, (open) =>
		open
			.query<{ text: string }, [string]>(
				`SELECT text_content AS text FROM messages
				WHERE session_id = ? AND role = 'assistant' AND text_content <> ''
				ORDER BY position`,
			)
			.all(session)
			.map(({ text }) => text),
	);
}

export function readTables(
	path: string,
	tables: Readonly<Record<string, string>> = TABLES,
): FoundTables {
	// One transaction, so that all tables are of one moment.
	return withDatabase(path, (database) =>
		database.transaction(() =>
			Object.fromEntries(
				Object.entries(tables).map(([table, id]) => [
					table,
					byId(
						database
							.query<IdentifiedRow, []>(
								`SELECT ${id} AS "@id", * FROM ${table}`,
							)
							.all(),
					),
				]),
			),
		)(),
	);
}

/** The names of a table's columns; none where there is no such table. */
export function columnsOf(database: Database, table: string): string[] {
	return database
		.query<{ name: string }, []>(
			`SELECT name FROM pragma_table_info('${table}')`,
		)
		.all()
		.map(({ name }) => name);
}

/** Takes away what clankers works out by itself from one row for another. */
export function dropTriggers(database: Database): void {
	const triggers = database
		.query<{ name: string }, []>(
			"SELECT name FROM sqlite_schema WHERE type = 'trigger'",
		)
		.all();
	for (const { name } of triggers) database.run(`DROP TRIGGER ${name}`);
}

type IdentifiedRow = FoundRow & { readonly "@id": string | null };

/** A second row of the same id is a row of its own. */
function byId(rows: readonly IdentifiedRow[]): Map<string, FoundRow> {
	const found = new Map<string, FoundRow>();
	for (const row of rows) found.set(distinct(found, String(row["@id"])), row);
	return found;
}

/** An id that `taken` does not have yet. */
export function distinct(
	taken: { has(id: string): boolean },
	id: string,
): string {
	return taken.has(id) ? distinct(taken, `${id} (again)`) : id;
}
