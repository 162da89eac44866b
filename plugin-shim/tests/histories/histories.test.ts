/**
 * Histories of starting, stopping, restoring, copying and sharing OpenCode's
 * files and clankers' own, made at random: whatever happens, no word is lost
 * that no deletion event named.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { play } from "./history.ts";

/** How many histories, and the seed of the first. `make long` begins with another one each time. */
const MANY = Number(process.env["CLANKERS_HISTORIES"] ?? 20);
const FIRST = Number(process.env["CLANKERS_HISTORY_SEED"] ?? 1);

/** From so many on, each of what a history is for has happened in one of them. */
const ENOUGH = 100;

describe("whatever happens to the files, no word is lost that no deletion named", () => {
	const counts: Awaited<ReturnType<typeof play>>[] = [];

	for (let seed = FIRST; seed < FIRST + MANY; seed++)
		it(`in the history of CLANKERS_HISTORY_SEED=${seed}`, async () => {
			counts.push(await play(seed));
		});

	if (MANY >= ENOUGH)
		it("and things were deleted, missing and alive again in them", () => {
			for (const what of ["held", "named", "missing", "revived"] as const)
				assert.ok(
					counts.some((count) => count[what] > 0),
					`nothing was ever ${what}`,
				);
		});
});
