import assert from "node:assert/strict";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { loadCore } from "../../src/core.ts";
import { SqliteSink } from "../../src/storage/sqlite.ts";
import { sessionUpsert } from "../support/commands.ts";
import { isLocked, notTold } from "../support/locks.ts";
import { newDatabasePath } from "../support/temporary.ts";

const { store } = loadCore();
const open = (path: string): SqliteSink =>
	new SqliteSink({ path, inOwnFolder: false }, store);

describe("two sinks of one process on one file", { skip: notTold }, () => {
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
