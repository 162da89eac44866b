/** Another connection to a database, as any other program has one. */
import { existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { connect } from "../../src/storage/connection.ts";

/** A row's values by column. */
export type Row = Readonly<Record<string, unknown>>;

/** What the database answers. */
export function query(path: string, sql: string): Row[] {
	const connection = connect(path);
	// Whoever opens or closes it has it alone for a moment.
	connection.exec("PRAGMA busy_timeout = 5000");
	const statement = connection.prepare(sql);
	// Both runtimes have `all`; the plugin itself never reads that way.
	const { all } = statement as unknown as { all(): Row[] };
	const rows = all.call(statement).map((row) => ({ ...row }));
	statement.finalize?.();
	connection.close();
	return rows;
}

/** The same; nothing while the database is being made or is held by whoever writes it. */
export function queryMeanwhile(path: string, sql: string): Row[] {
	try {
		return existsSync(path) ? query(path, sql) : [];
	} catch (error) {
		if (/locked|no such table|unable to open/.test(String(error))) return [];
		throw error;
	}
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

/** Locks a database for a moment, again and again, until something is over. */
export async function lockNowAndThen(
	path: string,
	until: Promise<unknown>,
): Promise<void> {
	const state = { isOver: false };
	void until.finally(() => {
		state.isOver = true;
	});
	while (!state.isOver) {
		let unlock: (() => void) | undefined;
		try {
			unlock = lock(path);
		} catch {
			// Somebody else holds it.
		}
		await pause(20);
		unlock?.();
		await pause(20);
	}
	await until;
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
