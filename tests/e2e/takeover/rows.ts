/** The rows of a clankers database, as far as they are of what OpenCode still has. */

import { compare, type Report } from "../mirror/compare.ts";
import {
	TABLES as ALL,
	type FoundRow,
	type FoundTables,
	readTables,
	withDatabase,
} from "../mirror/database.ts";
import type { Truth } from "./truth.ts";

/** Nobody answers for permissions, and a refusal is no row of OpenCode's. */
const { permissions: _, rejections: __, ...ANSWERED } = ALL;
const TABLES = { ...ANSWERED, session_errors: "message_id || ' ' || name" };

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

/** Columns in which databases may differ that were told the same by others, each with the reason. */
const BY_WHOM: Readonly<Record<string, readonly string[]>> = {
	// When a text of OpenCode 2's was begun and ended, only its events say.
	parts: ["started_at", "ended_at"],
	// Till OpenCode 2 goes on with what it took over, it depends on who reads it whether its place is known.
	messages: ["position"],
	// The lines that OpenCode 1 counted are in no answer of OpenCode 2's.
	sessions: ["additions", "deletions", "files_changed"],
	// When a failure was told, and when the message was made that has it.
	session_errors: ["id", "created_at"],
};

/** What differs between the rows of two databases, but for who told them and in which transaction. */
export function differences(left: string, right: string): string[] {
	const [one, other] = [liveRows(left), liveRows(right)];
	return Object.entries(one).flatMap(([table, rows]) => {
		const others = other[table] ?? new Map<string, FoundRow>();
		const apart = ["changed", ...(BY_WHOM[table] ?? [])];
		const unlike = [...rows].flatMap(([id, row]) => {
			const there = others.get(id);
			if (!there) return [`${table} ${id}: only in the first`];
			return Object.keys(row)
				.filter((column) => !apart.includes(column))
				.filter((column) => !isSame(row[column], there[column]))
				.map((column) => {
					const [cell, found] = [row[column], there[column]];
					return `${table} ${id} ${column}: ${cell}, ${found}`;
				});
		});
		const extra = [...others.keys()]
			.filter((id) => !rows.has(id))
			.map((id) => `${table} ${id}: only in the second`);
		return [...unlike, ...extra];
	});
}

/** Sums of dollars are rounded, and the fields of an object come in any order. */
function isSame(left: unknown, right: unknown): boolean {
	if (typeof left === "number" && typeof right === "number")
		return Math.abs(left - right) < 1e-9;
	return Bun.deepEquals(parsed(left), parsed(right));
}

function parsed(cell: unknown): unknown {
	if (typeof cell !== "string" || !cell.startsWith("{")) return cell;
	try {
		return JSON.parse(cell);
	} catch {
		return cell;
	}
}
