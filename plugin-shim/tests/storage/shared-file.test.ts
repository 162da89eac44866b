import assert from "node:assert/strict";
import {
	mkdirSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { loadCore } from "../../src/core.ts";
import { SqliteSink } from "../../src/storage/sqlite.ts";
import { sessionUpsert } from "../support/commands.ts";
import { newDatabasePath } from "../support/temporary.ts";

const { store } = loadCore();
const open = (path: string): SqliteSink =>
	new SqliteSink({ path, inOwnFolder: false }, store);

/**
 * Whether this process has a lock on a file, as each connection to a database has:
 * whoever else finds none takes itself for the last, and removes the log that is in
 * use. (SQLite does from 3.51 on look closer; other programs have older ones.)
 */
function isLocked(path: string): boolean {
	const { ino } = statSync(path);
	const held = readFileSync("/proc/locks", "utf8").split("\n");
	const ours = held.map((line) => line.trim().split(/\s+/));
	return ours.some(
		([, , , , pid, file]) =>
			pid === String(process.pid) && file?.endsWith(`:${ino}`),
	);
}

const skip =
	process.platform !== "linux" && "only Linux tells who locks a file, in /proc";

describe("two sinks of one process on one file", { skip }, () => {
	for (const [name, other] of [
		["by one name", (path: string): string => path],
		[
			"by two names",
			(path: string): string => {
				const link = join(dirname(path), "link", "clankers.db");
				mkdirSync(dirname(link), { recursive: true });
				rmSync(link, { force: true });
				symlinkSync(path, link);
				return link;
			},
		],
	] as const)
		it(`keep their locks when one of them closes, ${name}`, () => {
			const path = newDatabasePath();
			const lasting = open(path);
			lasting.apply([sessionUpsert("ses_1", "one")]);
			for (const id of ["ses_2", "ses_3"]) {
				const brief = open(other(path));
				brief.apply([sessionUpsert(id, "brief")]);
				brief.close();
				assert.equal(isLocked(path), true);
			}
			lasting.apply([sessionUpsert("ses_4", "four")]);
			assert.equal(isLocked(path), true);
			lasting.close();
			assert.equal(isLocked(path), false);
		});
});
