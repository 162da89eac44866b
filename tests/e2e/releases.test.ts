/**
 * The release matrix on the oldest release, a middle one, the newest and a fork, as far as `make test` has time for it;
 * `make matrix` has all of it on all of them.
 */

import { describe, expect, test } from "bun:test";
import { KILO_RELEASE, PINNED_RELEASE } from "./harness/releases.ts";
import { describe as inWords } from "./mirror/compare.ts";
import {
	isClean,
	servedVerdicts,
	type Verdict,
	wholeVerdict,
} from "./scenario/matrix.ts";

const OLDEST = "1.0.61";

/** What a fork may do otherwise: it is slow to start and to work. */
const OF_A_FORK: readonly string[] = [
	"chat",
	"tools",
	"permission",
	"sub-agent",
	"500, retried",
	"abort",
	"compaction",
	"delete",
];

test.each([OLDEST, "1.3.2", PINNED_RELEASE])(
	"%s is mirrored, whatever a person does in it",
	async (release) => {
		expect(troubles(await servedVerdicts(release))).toEqual([]);
	},
	600_000,
);

test(`${KILO_RELEASE} is mirrored`, async () => {
	const verdicts = await servedVerdicts(KILO_RELEASE, OF_A_FORK);
	const played = verdicts.map(({ scenario }) => scenario);
	expect(played.sort()).toEqual([...OF_A_FORK].sort());
	expect(troubles(verdicts)).toEqual([]);
}, 600_000);

describe.each([OLDEST, PINNED_RELEASE])("OpenCode %s", (release) => {
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
		600_000,
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
