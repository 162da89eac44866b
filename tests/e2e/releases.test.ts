/** The release matrix on the oldest release, a middle one, the newest and a fork; `make matrix` has them all, and all of the fork. */

import { describe, expect, test } from "bun:test";
import { KILO_RELEASE, PINNED_RELEASE } from "./harness/releases.ts";
import { describe as inWords } from "./mirror/compare.ts";
import {
	isClean,
	servedVerdicts,
	type Verdict,
	wholeVerdict,
} from "./scenario/matrix.ts";

const RELEASES = ["1.0.61", "1.3.2", PINNED_RELEASE];

test.each([...RELEASES, KILO_RELEASE])(
	"%s is mirrored, whatever a person does in it",
	async (release) => {
		expect(troubles(await servedVerdicts(release))).toEqual([]);
	},
	480_000,
);

describe.each(RELEASES)("OpenCode %s", (release) => {
	test.each([
		[
			"is mirrored after a kill in mid-stream and a restart",
			"kill -9, restart",
		],
		[
			"is mirrored when its history began before the plugin came",
			"installed later",
		],
		["is mirrored however long its history", "long history"],
		[
			"is mirrored when its history changed while the plugin was away",
			"changed meanwhile",
		],
		[
			"is mirrored when messages were removed while the plugin was away",
			"removed meanwhile",
		],
		["is mirrored by two of its processes on one database", "two processes"],
	])(
		"%s",
		async (_, scenario) => {
			expect(troubles([await wholeVerdict(release, scenario)])).toEqual([]);
		},
		120_000,
	);
});

function troubles(verdicts: readonly Verdict[]): string[] {
	return verdicts
		.filter((verdict) => !isClean(verdict))
		.flatMap(({ scenario, failure, differences }) => [
			...(failure ? [`${scenario}: ${failure}`] : []),
			...differences.map((difference) => `${scenario}: ${inWords(difference)}`),
		]);
}
