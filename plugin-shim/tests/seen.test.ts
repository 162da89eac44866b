import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SeenEvents } from "../src/seen.ts";

describe("the events seen", () => {
	it("know the identical object again, as releases up to 1.3 send it", () => {
		const seen = new SeenEvents();
		const event = { type: "session.idle", properties: { sessionID: "ses_1" } };
		assert.equal(seen.isNew(event), true);
		assert.equal(seen.isNew(event), false);
		assert.equal(seen.isNew({ ...event }), true, "an equal event is another");
	});

	it("know an id again, as releases from 1.14 send it, copy or not", () => {
		const seen = new SeenEvents();
		const event = { id: "evt_1", type: "session.idle" };
		assert.equal(seen.isNew(event), true);
		assert.equal(seen.isNew(event), false);
		assert.equal(seen.isNew({ ...event }), false);
		assert.equal(seen.isNew({ ...event, id: "evt_2" }), true);
	});

	it("take one id with two types for two events", () => {
		const seen = new SeenEvents();
		assert.equal(seen.isNew({ id: "evt_1", type: "session.updated" }), true);
		assert.equal(seen.isNew({ id: "evt_1", type: "session.next.x" }), true);
	});

	it("are known by the object alone where their id or type is long without end", () => {
		const seen = new SeenEvents();
		const long = "x".repeat(1024 * 1024);
		for (const event of [
			{ id: long, type: "session.idle" },
			{ id: "evt_1", type: long },
		]) {
			assert.equal(seen.isNew(event), true);
			assert.equal(seen.isNew(event), false);
			assert.equal(seen.isNew({ ...event }), true);
		}
	});

	it("remember thousands of ids, and not for ever", () => {
		const seen = new SeenEvents();
		const event = (index: number): { id: string; type: string } => ({
			id: `evt_${index}`,
			type: "message.part.delta",
		});
		for (let index = 0; index < 10_000; index++) seen.isNew(event(index));
		for (let index = 10_000 - 4096; index < 10_000; index++)
			assert.equal(seen.isNew(event(index)), false);
		assert.equal(seen.isNew(event(0)), true);
	});
});
