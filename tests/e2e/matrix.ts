/**
 * The release matrix: every scenario on every release, each compared row by row with what that release answers.
 * `bun tests/e2e/matrix.ts [RELEASE …]`; leaves with 1 unless every check held.
 */

import { RELEASES } from "./harness/releases.ts";
import { describe } from "./mirror/compare.ts";
import {
	isClean,
	SCENARIOS,
	servedVerdicts,
	type Verdict,
	wholeVerdict,
} from "./scenario/matrix.ts";
import { WHOLE } from "./scenario/whole.ts";

const releases = process.argv.length > 2 ? process.argv.slice(2) : RELEASES;
const verdicts: Verdict[] = [];
for (const release of releases) {
	console.log(`${release}: ${SCENARIOS.length} scenarios`);
	verdicts.push(...(await servedVerdicts(release)));
	for (const scenario of Object.keys(WHOLE))
		verdicts.push(await wholeVerdict(release, scenario));
}
console.log(`\n${table(verdicts)}\n`);
for (const { release, scenario, absent } of verdicts)
	if (absent) console.log(`– ${release} ${scenario}: ${absent}`);
for (const { release, scenario, failure, differences } of verdicts) {
	if (failure)
		console.log(`✗ ${release} ${scenario} could not be played: ${failure}`);
	for (const difference of differences)
		console.log(`✗ ${release} ${scenario}: ${describe(difference)}`);
}
const made = verdicts.reduce((sum, verdict) => sum + verdict.made, 0);
const held = verdicts.reduce((sum, verdict) => sum + verdict.held, 0);
console.log(`\n${held} of ${made} checks held on ${releases.length} releases`);
process.exit(verdicts.every(isClean) ? 0 : 1);

/** Release × scenario: checks held of checks made, where they differ. */
function table(cells: readonly Verdict[]): string {
	const scenarios = [
		...new Set([...SCENARIOS, ...cells.map(({ scenario }) => scenario)]),
	];
	const width = Math.max(...scenarios.map((scenario) => scenario.length)) + 2;
	const row = (name: string, columns: readonly string[]): string =>
		name.padEnd(width) + columns.map((column) => column.padStart(11)).join("");
	const lines = scenarios.map((scenario) =>
		row(
			scenario,
			releases.map((release) => {
				const verdict = cells.find(
					(cell) => cell.release === release && cell.scenario === scenario,
				);
				return verdict ? cell(verdict) : "";
			}),
		),
	);
	return [row("checks held", releases), ...lines].join("\n");
}

function cell({ made, held, absent, failure }: Verdict): string {
	if (failure) return "✗";
	if (absent) return "–";
	return held === made ? `${made}` : `${held}/${made}`;
}
