/** Another connection to a database, as any other program has one. */
import { connect } from "../../src/storage/connection.ts";

/** A row's values by column. */
export type Row = Readonly<Record<string, unknown>>;

/** What the database answers. */
export function query(path: string, sql: string): Row[] {
	const connection = connect(path);
	const statement = connection.prepare(sql);
	// Both runtimes have `all`; the plugin itself never reads that way.
	const { all } = statement as unknown as { all(): Row[] };
	const rows = all.call(statement).map((row) => ({ ...row }));
	statement.finalize?.();
	connection.close();
	return rows;
}

/** Holds the database's write lock, as another process in mid-transaction does, until the answer is called. */
export function lock(path: string): () => void {
	const connection = connect(path);
	connection.exec("BEGIN IMMEDIATE");
	return () => {
		connection.exec("ROLLBACK");
		connection.close();
	};
}

/** Every row of every table but the database's own, in an order that does not depend on who wrote them. */
export function dump(path: string): Record<string, string[]> {
	const tables = query(
		path,
		"SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'clankers_database' ORDER BY name",
	);
	return Object.fromEntries(
		tables.map(({ name }) => [
			String(name),
			query(path, `SELECT * FROM ${name}`)
				.map((row) => JSON.stringify(row))
				.sort(),
		]),
	);
}
