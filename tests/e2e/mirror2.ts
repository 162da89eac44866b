/** The mirror check for OpenCode 2: is the database what OpenCode itself would answer? */

import { existsSync } from "node:fs";
import { compare, type Report } from "./mirror/compare.ts";
import { readTables } from "./mirror/database.ts";
import { expectedRows2, type Rules2 } from "./mirror2/expected.ts";
import { TABLES } from "./mirror2/tables.ts";
import type { Truth2, Witness2 } from "./mirror2/truth.ts";
import type { Api2 } from "./opencode2/api.ts";
import type { Event2 } from "./opencode2/bus.ts";

/** Compares the database at this path once. */
export function checkMirror2(
	database: string,
	truth: Truth2,
	rules: Rules2,
): Report {
	const expected = expectedRows2(truth, rules);
	if (!existsSync(database)) return compare(expected, {});
	return compare(expected, readTables(database, TABLES));
}

/**
 * Compares again and again until it is clean, and still clean a moment later, or `within` has passed: OpenCode and the
 * plugin both write a little after a turn. `told` is the bus as a client hears it.
 */
export async function settledMirror2(
	database: string,
	witness: Witness2,
	api: Api2,
	told: readonly Event2[],
	rules: Rules2,
	within = 20_000,
): Promise<Report> {
	const deadline = Date.now() + within;
	let wasClean = false;
	for (;;) {
		const truth = { ...(await witness.answers(api)), told };
		const report = checkMirror2(database, truth, rules);
		const isClean = report.differences.length === 0;
		if ((isClean && wasClean) || Date.now() > deadline) return report;
		wasClean = isClean;
		await new Promise((resolve) => setTimeout(resolve, 500));
	}
}
