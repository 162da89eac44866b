/** The mirror check for OpenCode 2: is the database what OpenCode itself would answer? */

import { compareAt, settled } from "./mirror/check.ts";
import type { Report } from "./mirror/compare.ts";
import type { Rules2 } from "./mirror2/expected/rules.ts";
import { expectedRows2 } from "./mirror2/expected.ts";
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
	const { permissions: _, ...heard } = TABLES;
	const tables = rules.isUnheard ? heard : TABLES;
	return compareAt(database, expectedRows2(truth, rules), tables);
}

/** Compares until it is clean and stays so, or `within` has passed. `told` is the bus as a client hears it. */
export async function settledMirror2(
	database: string,
	witness: Witness2,
	api: Api2,
	told: readonly Event2[],
	rules: Rules2,
	within?: number,
): Promise<Report> {
	return await settled(async () => {
		const truth = { ...(await witness.answers(api)), told };
		return checkMirror2(database, truth, rules);
	}, within);
}
