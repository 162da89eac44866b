/** What a clankers database says: every word, and what is alive. */

import { columnsOf, withDatabase } from "../mirror/database.ts";
import { until } from "./poll.ts";

/** Every text that is stored, by where it is. */
export type Words = ReadonlyMap<string, string>;

export type Fate = "alive" | "missing" | "deleted";

/** Every column with words, as SQL. */
const TEXTS: Readonly<Record<string, readonly string[]>> = {
	sessions: ["title"],
	messages: ["text_content", "error_message"],
	// A step's own figures are no words, and come in any order.
	parts: ["text", "iif(type LIKE 'step-%', NULL, data)"],
	tool_calls: ["title", "input", "output", "error"],
	todos: ["content"],
};

export function wordsOf(database: string): Words {
	return withDatabase(database, (open) => {
		const words = new Map<string, string>();
		for (const [table, columns] of Object.entries(TEXTS))
			for (const column of columns) {
				const rows = open
					.query<{ id: string; words: string | null }, []>(
						`SELECT ${idOf(table)} AS id, ${column} AS words FROM ${table}`,
					)
					.all();
				for (const { id, words: text } of rows)
					if (text) words.set(`${table} ${id} ${column}`, text);
			}
		return words;
	});
}

/** The texts of `before` that are there no more, or in part only. */
export function lostSince(before: Words, database: string): string[] {
	const now = wordsOf(database);
	return [...before]
		.filter(([place, text]) => !now.get(place)?.startsWith(text))
		.map(([place, text]) => `${place}: ${text}`);
}

/** What became of each session, by its title; by its id where the title was erased. */
export function fatesOf(database: string): Record<string, Fate> {
	return withDatabase(database, (open) => {
		// A database of before marks has none.
		const isMarked = columnsOf(open, "sessions").includes("missing_since");
		const missing = isMarked ? "missing_since IS NOT NULL" : "false";
		return Object.fromEntries(
			open
				.query<{ name: string; fate: Fate }, []>(
					`SELECT coalesce(title, id) AS name,
						CASE WHEN deleted_at IS NOT NULL THEN 'deleted'
							WHEN ${missing} THEN 'missing' ELSE 'alive' END AS fate
					FROM sessions ORDER BY created_at`,
				)
				.all()
				.map(({ name, fate }) => [name, fate]),
		);
	});
}

/** Waits until nothing is written any more: what catch-up had to say is said. */
export async function untilStill(database: string): Promise<void> {
	let before = "";
	let since = Date.now();
	await until("the database to come to rest", () => {
		const now = JSON.stringify([...wordsOf(database), fatesOf(database)]);
		if (now !== before) since = Date.now();
		before = now;
		return Date.now() - since > STILL_MS;
	});
}

/** Longer than catch-up pauses, and than a change waits to be stored. */
const STILL_MS = 1000;

function idOf(table: string): string {
	return table === "todos" ? "session_id || position" : "id";
}
