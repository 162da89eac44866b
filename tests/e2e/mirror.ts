/** The mirror check: is the database what OpenCode itself would answer? */

import { existsSync } from "node:fs";
import type { Api } from "./harness/api.ts";
import { compare, describe, type Report } from "./mirror/compare.ts";
import { readTables } from "./mirror/database.ts";
import { expectedRows, type Rules } from "./mirror/expected.ts";
import type { Truth, Witness } from "./mirror/truth.ts";

/** Compares once. */
export function checkMirror(
	database: string,
	truth: Truth,
	rules: Rules,
): Report {
	const expected = expectedRows(truth, rules);
	if (!existsSync(database)) return compare(expected, {});
	return compare(expected, readTables(database));
}

/**
 * Compares again and again until it is clean, and still clean a moment later, or
 * `within` has passed: OpenCode and the plugin both write a little after a turn.
 */
export async function settledMirror(
	database: string,
	witness: Witness,
	projects: readonly Api[],
	rules: Rules,
	within = 20_000,
): Promise<Report> {
	const deadline = Date.now() + within;
	let wasClean = false;
	for (;;) {
		const truth = await witness.truth(...projects);
		const report = checkMirror(database, truth, rules);
		const clean = report.differences.length === 0;
		if ((clean && wasClean) || Date.now() > deadline) return report;
		wasClean = clean;
		await new Promise((resolve) => setTimeout(resolve, 500));
	}
}

export function describeReport(report: Report, limit = 40): string {
	const { checks, differences } = report;
	const lines = differences
		.slice(0, limit)
		.map((difference) => `  ${describe(difference)}`);
	const more =
		differences.length > limit
			? [`  and ${differences.length - limit} more`]
			: [];
	return [
		`${checks - differences.length} of ${checks} checks held`,
		...lines,
		...more,
	].join("\n");
}
