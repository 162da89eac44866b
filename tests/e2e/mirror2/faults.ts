/** Faults that are planted in a database, to see that the mirror check of OpenCode 2 finds them. */

import { Database } from "bun:sqlite";
import type { ExpectedRow } from "../mirror/expected/row.ts";
import { TABLES } from "./tables.ts";

/** A row of each table, by the table; of those that must be there. */
export function oneOfEach(
	rows: readonly ExpectedRow[],
): Map<string, ExpectedRow> {
	const first = new Map<string, ExpectedRow>();
	for (const row of rows)
		if (!row.optional && !first.has(row.table)) first.set(row.table, row);
	return first;
}

/** The columns of a row that are claimed and that are no part of its key: with another value there it is the same row. */
export function spoilable({ table, id, cells }: ExpectedRow): string[] {
	const isOverhead = table === "usage" && id.endsWith(" overhead");
	const key = isOverhead ? ["kind", "session_id"] : [];
	return Object.keys(cells).filter((column) => !key.includes(column));
}

/** Puts a wrong value there. */
export function plant(path: string, row: ExpectedRow, column: string): void {
	const database = openToSpoil(path);
	const { changes } = database
		.query(
			`UPDATE ${row.table} SET ${column} = ? WHERE ${TABLES[row.table]} = ?`,
		)
		.run(-7, row.id);
	database.close();
	if (changes !== 1)
		throw new Error(`${row.table} ${row.id}: ${changes} rows were changed`);
}

/** Takes the row away. */
export function take(path: string, { table, id }: ExpectedRow): void {
	const database = openToSpoil(path);
	database.query(`DELETE FROM ${table} WHERE ${TABLES[table]} = ?`).run(id);
	database.close();
}

/** Puts in a row that nothing told, of a table that OpenCode 2 leaves empty. */
export function addTodo(path: string): void {
	const database = openToSpoil(path);
	database.run(
		"INSERT INTO todos (session_id, position, content) VALUES ('ses_x', 0, 'x')",
	);
	database.close();
}

/** The same, of what was refused. */
export function addRejection(path: string): void {
	const database = openToSpoil(path);
	database.run(
		`INSERT INTO rejections (event_type, code, path, expected, found, sample, first_seen, last_seen, count)
		VALUES ('session.x', 'unknown_event', 'type', 'x', 'x', 'x', 0, 0, 1)`,
	);
	database.close();
}

/** Writes without a look at what belongs together, and without waiting for the disk. */
export function openToSpoil(path: string): Database {
	const database = new Database(path);
	database.run("PRAGMA foreign_keys = OFF");
	database.run("PRAGMA synchronous = OFF");
	return database;
}
