/** Compares the rows that are there with those that must be. */

import { show } from "./claim.ts";
import type { FoundTables } from "./database.ts";
import type { ExpectedRow } from "./expected/row.ts";

export interface Difference {
	readonly table: string;
	readonly id: string;
	/** The session that the row is of; "" where nobody knows. */
	readonly session: string;
	readonly column: string;
	readonly expected: string;
	readonly found: string;
}

export interface Report {
	/** How many cells and rows were looked at. */
	readonly checks: number;
	/** The same, by session. */
	readonly checksOf: ReadonlyMap<string, number>;
	readonly differences: readonly Difference[];
	/** Rows that were expected, by table. */
	readonly rows: Readonly<Record<string, number>>;
}

/** A row as a whole, where no single column is to blame. */
const WHOLE_ROW = "(row)";

export function compare(
	expected: readonly ExpectedRow[],
	found: FoundTables,
): Report {
	const differences: Difference[] = [];
	const rows: Record<string, number> = {};
	const checksOf = new Map<string, number>();
	const known = new Set<string>();
	const checked = (session: string): void => {
		checksOf.set(session, (checksOf.get(session) ?? 0) + 1);
	};
	for (const { table, id, session, cells, missing, optional } of expected) {
		const row = found[table]?.get(id);
		const differs = (column: string, is: string, cell: string): void => {
			differences.push({
				table,
				id,
				session,
				column,
				expected: is,
				found: cell,
			});
		};
		known.add(`${table} ${id}`);
		rows[table] = (rows[table] ?? 0) + 1;
		checked(session);
		if (!row) {
			if (!optional) differs(WHOLE_ROW, "a row", "none");
			continue;
		}
		const isMarked = typeof row.missing_since === "number";
		const claims = isMarked && missing ? missing : cells;
		for (const [column, claim] of Object.entries(claims)) {
			const cell = row[column];
			checked(session);
			if (cell === undefined || !claim.holds(cell))
				differs(column, claim.expected, show(cell));
		}
	}
	for (const [table, there] of Object.entries(found))
		for (const [id, row] of there) {
			if (known.has(`${table} ${id}`)) continue;
			const session = String(
				(table === "sessions" ? id : row.session_id) ?? "",
			);
			checked(session);
			differences.push({
				table,
				id,
				session,
				column: WHOLE_ROW,
				expected: "none",
				found: "a row",
			});
		}
	const checks = [...checksOf.values()].reduce((sum, count) => sum + count, 0);
	return { checks, checksOf, differences, rows };
}

/** One line each, in the words of the table. */
export function describe(difference: Difference): string {
	const { table, id, column, expected, found } = difference;
	return `${table} ${id} ${column}: expected ${clip(expected)}, found ${clip(found)}`;
}

function clip(text: string): string {
	return text.length > 160 ? `${text.slice(0, 157)}…` : text;
}
