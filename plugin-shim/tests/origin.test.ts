import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { openCodeOrigin } from "../src/origin.ts";
import { newDatabasePath } from "./support/temporary.ts";

/** A data folder of OpenCode's with these files in it. */
function dataWith(...files: string[]): { XDG_DATA_HOME: string } {
	const parent = dirname(newDatabasePath());
	mkdirSync(join(parent, "opencode", "storage"), { recursive: true });
	for (const file of files) writeFileSync(join(parent, "opencode", file), "");
	return { XDG_DATA_HOME: parent };
}

describe("where OpenCode keeps its sessions", () => {
	it("is a folder of files as long as there is no database", () => {
		const environment = dataWith("log.txt");
		const data = join(environment.XDG_DATA_HOME, "opencode");
		assert.equal(openCodeOrigin(environment), join(data, "storage"));
	});

	for (const file of ["opencode.db", "opencode-beta.db"])
		it(`is a database where there is ${file}`, () => {
			const environment = dataWith(file);
			const data = join(environment.XDG_DATA_HOME, "opencode");
			assert.equal(openCodeOrigin(environment), join(data, "opencode.db"));
		});

	it("is the database that OPENCODE_DB names", () => {
		const environment = dataWith("opencode.db");
		const named = (OPENCODE_DB: string): string | undefined =>
			openCodeOrigin({ ...environment, OPENCODE_DB });
		const data = join(environment.XDG_DATA_HOME, "opencode");
		assert.equal(named("/elsewhere/my.db"), "/elsewhere/my.db");
		assert.equal(named("my.db"), join(data, "my.db"));
		assert.equal(named(":memory:"), undefined);
	});

	it("is below the home where nothing else is said, and not there yet", () => {
		assert.equal(
			openCodeOrigin({}, "/nobody"),
			"/nobody/.local/share/opencode/storage",
		);
	});
});
