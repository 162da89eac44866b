/**
 * Histories of starting, stopping, restoring, copying and sharing OpenCode's
 * files and clankers' own, made at random: whatever happens, no word is lost
 * that no deletion event named.
 */
import { describe, it } from "node:test";
import { play } from "./history.ts";

/** How many histories, and the seed of the first: another one each time, and any can be had again. */
const MANY = Number(process.env["CLANKERS_HISTORIES"] ?? 20);
const FIRST = Number(
	process.env["CLANKERS_HISTORY_SEED"] ?? Date.now() % 2 ** 31,
);

describe("whatever happens to the files, no word is lost that no deletion named", () => {
	for (let seed = FIRST; seed < FIRST + MANY; seed++)
		it(`in the history of CLANKERS_HISTORY_SEED=${seed}`, async () => {
			await play(seed);
		});
});
