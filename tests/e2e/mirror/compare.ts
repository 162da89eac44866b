/** Compares the rows that are there with those that must be. */

import { show } from "./claim.ts";
import type { FoundTables } from "./database.ts";
import type { ExpectedRow } from "./expected.ts";

export interface Difference {
	readonly table: string;
	readonly id: string;
	readonly column: string;
	readonly expected: string;
	readonly found: string;
}

export interface Report {
	/** How many cells and rows were looked at. */
	readonly checks: number;
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
	const known = new Map<string, Set<string>>();
	let checks = 0;
	for (const { table, id, cells, optional } of expected) {
		known.set(table, (known.get(table) ?? new Set()).add(id));
		rows[table] = (rows[table] ?? 0) + 1;
		checks += 1;
		const row = found[table]?.get(id);
		if (!row) {
			if (!optional)
				differences.push({
					table,
					id,
					column: WHOLE_ROW,
					expected: "a row",
					found: "none",
				});
			continue;
		}
		for (const [column, claim] of Object.entries(cells)) {
			checks += 1;
			const cell = row[column];
			if (cell === undefined || !claim.holds(cell))
				differences.push({
					table,
					id,
					column,
					expected: claim.expected,
					found: show(cell),
				});
		}
	}
	for (const [table, there] of Object.entries(found))
		for (const id of there.keys()) {
			if (known.get(table)?.has(id)) continue;
			checks += 1;
			differences.push({
				table,
				id,
				column: WHOLE_ROW,
				expected: "none",
				found: "a row",
			});
		}
	return { checks, differences, rows };
}

/** One line each, in the words of the table. */
export function describe(difference: Difference): string {
	const { table, id, column, expected, found } = difference;
	return `${table} ${id} ${column}: expected ${clip(expected)}, found ${clip(found)}`;
}

function clip(text: string): string {
	return text.length > 160 ? `${text.slice(0, 157)}…` : text;
}
