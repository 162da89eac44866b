import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { dialectOf } from "../../src/hosts/program.ts";

describe("the program that runs the plugin", () => {
	it("is told by its executable", () => {
		assert.equal(dialectOf("/usr/local/bin/kilo"), "kilo");
		assert.equal(dialectOf("/home/user/bin/Kilo.exe"), "kilo");
		for (const other of ["opencode", "bun", "node", "kilo-helper", "toString"])
			assert.equal(dialectOf(`/usr/local/bin/${other}`), "opencode1");
		assert.equal(dialectOf(), "opencode1");
	});
});
