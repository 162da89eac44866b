/** The mirror check: is the database what OpenCode itself would answer? */

import type { Api } from "./harness/api.ts";
import { compareAt, settled } from "./mirror/check.ts";
import { describe, type Report } from "./mirror/compare.ts";
import type { Rules } from "./mirror/expected/rules.ts";
import { expectedRows } from "./mirror/expected.ts";
import type { Truth, Witness } from "./mirror/truth.ts";

/** Compares once. */
export function checkMirror(
	database: string,
	truth: Truth,
	rules: Rules,
): Report {
	return compareAt(database, expectedRows(truth, rules));
}

/** Compares until it is clean and stays so, or `within` has passed. */
export async function settledMirror(
	database: string,
	witness: Witness,
	projects: readonly Api[],
	rules: Rules,
	within?: number,
): Promise<Report> {
	return await settled(async () => {
		const truth = await witness.truth(...projects);
		return checkMirror(database, truth, rules);
	}, within);
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
