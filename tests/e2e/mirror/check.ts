/** What the mirror checks of all OpenCodes have in common: comparing a database, until it is clean. */

import { existsSync } from "node:fs";
import { compare, type Report } from "./compare.ts";
import { readTables } from "./database.ts";
import type { ExpectedRow } from "./expected/row.ts";

/** Compares the database at this path once; one that is not there has no rows. */
export function compareAt(
	database: string,
	expected: readonly ExpectedRow[],
	tables?: Readonly<Record<string, string>>,
): Report {
	const isThere = existsSync(database);
	return compare(expected, isThere ? readTables(database, tables) : {});
}

/**
 * Checks again and again until it is clean, and still clean a moment later, or
 * `within` has passed: OpenCode and the plugin both write a little after a turn.
 */
export async function settled(
	check: () => Promise<Report>,
	within = 40_000,
): Promise<Report> {
	const deadline = Date.now() + within;
	let wasClean = false;
	for (;;) {
		const report = await check();
		const isClean = report.differences.length === 0;
		if ((isClean && wasClean) || Date.now() > deadline) return report;
		wasClean = isClean;
		await new Promise((resolve) => setTimeout(resolve, 500));
	}
}
