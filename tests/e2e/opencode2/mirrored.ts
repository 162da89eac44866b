/** What nearly every test of OpenCode 2 ends with: the mirror check of all that its world holds. */

import { expect } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { OPENCODE_2_RELEASE } from "../harness/releases.ts";
import { describe as inWords, type Report } from "../mirror/compare.ts";
import type { Rules2 } from "../mirror2/expected/rules.ts";
import { settledMirror2 } from "../mirror2.ts";
import type { World2 } from "./world.ts";

export const RULES: Rules2 = { release: OPENCODE_2_RELEASE };

/** No difference, of at least so many checks, and the plugin has said of no trouble. */
export async function expectMirrored(
	world: World2,
	least = 1,
	rules: Rules2 = RULES,
): Promise<Report> {
	const report = await expectSame(world, least, rules);
	expect(troubleOf(world)).toBe("");
	return report;
}

/** No difference, of at least so many checks. */
export async function expectSame(
	{ database, witness, api, told }: World2,
	least = 1,
	rules: Rules2 = RULES,
): Promise<Report> {
	const report = await settledMirror2(database, witness, api, told, rules);
	expect(report.differences.map(inWords)).toEqual([]);
	expect(report.checks).toBeGreaterThanOrEqual(least);
	return report;
}

/** What the plugin wrote beside the database. */
function troubleOf({ database }: World2): string {
	const file = `${database}.log`;
	return existsSync(file) ? readFileSync(file, "utf8") : "";
}
