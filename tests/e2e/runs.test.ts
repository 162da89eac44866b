/** `opencode run`: one process per turn, which leaves as soon as the turn has ended. */

import { expect, test } from "bun:test";
import { PINNED_RELEASE } from "./harness/releases.ts";
import { describeReport } from "./mirror.ts";
import { runs } from "./scenario/whole.ts";

/** The oldest release, one that leaves without waiting for anybody, and the newest. */
const RELEASES = ["1.0.61", "1.1.31", PINNED_RELEASE];

test.each(RELEASES)(
	"every message of every turn is there when its process has left: %s",
	async (release) => {
		const report = await runs(release);
		expect(describeReport(report)).toBe(
			`${report.checks} of ${report.checks} checks held`,
		);
	},
	600_000,
);
