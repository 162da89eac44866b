import assert from "node:assert/strict";
import { describe, it } from "node:test";
import plugin from "../src/index.ts";
import server from "../src/server.ts";
import { setup } from "../src/setup.ts";

describe("the server entry", () => {
	it("is what 1.14.34 and later take: an id and the plugin function", () => {
		assert.equal(server.id, "opencode-clankers");
		assert.equal(server.server, plugin);
	});

	it("is what 2.x takes: a plain object with properties of its own", () => {
		assert.equal(Object.getPrototypeOf(server), Object.prototype);
		assert.deepEqual(Object.keys(server).sort(), ["id", "server", "setup"]);
		assert.equal(server.setup, setup);
	});
});
