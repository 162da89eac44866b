import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { BusEvent } from "../src/hosts/host.ts";
import plugin from "../src/index.ts";
import server, { type Context } from "../src/server.ts";
import { sessionCreated } from "./support/events.ts";
import { query } from "./support/query.ts";
import { newDatabasePath } from "./support/temporary.ts";
import { until } from "./support/until.ts";

/** A stream of events that never ends by itself, as OpenCode 2.x has one. */
async function* endless(events: BusEvent[]): AsyncGenerator<BusEvent> {
	yield* events;
	await new Promise(() => {});
}

describe("the server entry", () => {
	it("is what 1.14.34 and later take: an id and the plugin function", () => {
		assert.equal(server.id, "opencode-clankers");
		assert.equal(server.server, plugin);
	});

	it("does nothing in `setup` where there is no stream of events", () => {
		const contexts: unknown[] = [
			...[undefined, null, {}, { event: null }, { event: {} }],
			{ event: { subscribe: "soon" } },
		];
		for (const context of contexts)
			assert.equal(server.setup(context as Context), undefined);
	});

	it("follows the stream until it is cleaned up", async () => {
		const dbPath = newDatabasePath();
		const events = [sessionCreated("ses_1", "one")];
		let taken = 0;
		const cleanUp = server.setup({
			options: { dbPath },
			event: {
				subscribe: () => {
					taken += 1;
					return endless(events);
				},
			},
		});
		await until("the stream is followed", () => taken > 0);
		await until("the session is stored", () => stored(dbPath) === 1);
		await cleanUp?.();
		assert.equal(stored(dbPath), 1);
	});

	it("survives a stream that cannot be opened, and one that breaks", async () => {
		for (const subscribe of [
			(): never => {
				throw new Error("no stream today");
			},
			async function* (): AsyncGenerator<BusEvent> {
				yield sessionCreated("ses_1", "one");
				throw new Error("the stream broke");
			},
		]) {
			const cleanUp = server.setup({
				options: { dbPath: newDatabasePath() },
				event: { subscribe },
			});
			await cleanUp?.();
		}
		// A rejected promise that nobody caught would end the process here.
		await new Promise((resolve) => setTimeout(resolve, 0));
	});
});

function stored(path: string): unknown {
	try {
		return query(path, "SELECT count(*) AS n FROM sessions")[0]?.["n"];
	} catch {
		return 0;
	}
}
