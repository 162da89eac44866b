/** The rows of a clankers database, as far as they are of what OpenCode still has. */

import { compare, type Report } from "../mirror/compare.ts";
import {
	type FoundTables,
	readTables,
	withDatabase,
} from "../mirror/database.ts";
import type { Truth } from "./truth.ts";

const TABLES = {
	sessions: "id",
	messages: "id",
	parts: "id",
	tool_calls: "id",
	usage: "id",
	todos: "session_id || ' ' || position",
	session_errors: "message_id || ' ' || name",
};

/** What is alive; what was spent on the rest stays in the ledger, and nobody is asked for it. */
export function liveRows(database: string): FoundTables {
	const tables = readTables(database, TABLES);
	const isLive = (row: Record<string, unknown>): boolean =>
		(row.deleted_at ?? null) === null;
	const messages = new Set(
		[...(tables.messages ?? [])]
			.filter(([, row]) => isLive(row))
			.map(([id]) => id),
	);
	return Object.fromEntries(
		Object.entries(tables).map(([table, rows]) => [
			table,
			new Map(
				[...rows].filter(([, row]) => {
					const message = row.message_id ?? null;
					return (
						isLive(row) && (message === null || messages.has(String(message)))
					);
				}),
			),
		]),
	);
}

/** Compares messages, what they hold, and what they cost with what OpenCode answers. */
export function checkRows(database: string, { rows }: Truth): Report {
	const { messages, parts, tool_calls, usage } = liveRows(database);
	const found = { messages, parts, tool_calls, usage } as FoundTables;
	const mine = rows.filter(({ table }) => table in found);
	return compare(mine, found);
}

/** What was spent, the copies of forks left out. */
export function spentIn(database: string): number {
	return withDatabase(
		database,
		(open) =>
			open
				.query<{ cost: number }, []>(
					"SELECT sum(cost) AS cost FROM usage WHERE NOT inherited",
				)
				.get()?.cost ?? 0,
	);
}

/** Columns that say who told a row, or that only events tell. */
const TOLD_BY: Readonly<Record<string, readonly string[]>> = {
	parts: ["started_at", "ended_at"],
};

/** What differs between the rows of two databases. */
export function differences(left: string, right: string): string[] {
	const [one, other] = [liveRows(left), liveRows(right)];
	return Object.entries(one).flatMap(([table, rows]) => {
		const others = other[table] ?? new Map();
		const unlike = [...rows].flatMap(([id, row]) => {
			const there = others.get(id);
			if (!there) return [`${table} ${id}: only in the first`];
			return Object.keys(row)
				.filter((column) => row[column] !== there[column])
				.filter((column) => !(TOLD_BY[table] ?? []).includes(column))
				.map(
					(column) =>
						`${table} ${id} ${column}: ${row[column]}, ${there[column]}`,
				);
		});
		const extra = [...others.keys()]
			.filter((id) => !rows.has(id))
			.map((id) => `${table} ${id}: only in the second`);
		return [...unlike, ...extra];
	});
}
