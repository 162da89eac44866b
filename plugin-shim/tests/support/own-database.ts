/** A database as 2.0.15 has it, as far as it is read; with OpenCode 1's tables where that began it. */
import { type Connection, connect } from "../../src/storage/connection.ts";

const TABLES = `
CREATE TABLE session_v2 (id text PRIMARY KEY, directory text, title text, version text, cost real,
  time_created integer, time_updated integer, time_archived integer);
CREATE TABLE session_message (id text PRIMARY KEY, session_id text, type text, seq integer,
  time_created integer, data text);`;

const TABLES_OF_ONE = `
CREATE TABLE session (id text PRIMARY KEY, directory text, title text, version text,
  time_created integer, time_updated integer, time_archived integer);
CREATE TABLE message (id text PRIMARY KEY, session_id text, time_created integer, data text);
CREATE TABLE part (id text PRIMARY KEY, message_id text, session_id text, data text);
CREATE TABLE todo (session_id text, content text, status text, priority text, position integer);`;

/** Makes one at this path, or opens the one that is there, to be filled and closed by the caller. */
export function makeDatabase(
	path: string,
	which: { readonly one?: boolean; readonly two?: boolean },
): Connection {
	const db = connect(path);
	db.exec("PRAGMA journal_mode = WAL");
	if (which.one) db.exec(TABLES_OF_ONE);
	if (which.two) db.exec(TABLES);
	return db;
}

/** Puts a row into one of its tables. */
export function insert(
	db: Connection,
	table: string,
	...values: readonly (string | number | null | object)[]
): void {
	const literal = (value: (typeof values)[number]): string => {
		if (value === null) return "NULL";
		const text = typeof value === "object" ? JSON.stringify(value) : value;
		return typeof text === "number"
			? String(text)
			: `'${text.replaceAll("'", "''")}'`;
	};
	db.exec(`INSERT INTO ${table} VALUES (${values.map(literal).join(", ")})`);
}
