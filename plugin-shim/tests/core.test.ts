import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import type { Command } from "../../pkg/clankers.js";
import { loadCore, MOST_TRAPS, SurvivingCore } from "../src/core.ts";
import { sessionCreated, sessionIdle } from "./support/events.ts";
import { poison } from "./support/poison.ts";

loadCore();

const NOW = 1_790_000_000_000;
const titles = (commands: readonly Command[]): unknown[] =>
	commands.map(({ params }) => "title" in params && params.title);

describe("a core that traps", () => {
	let traps: unknown[];
	let core: SurvivingCore;

	beforeEach(() => {
		traps = [];
		core = new SurvivingCore({}, (error) => traps.push(error));
	});

	it("is noticed whatever is called, and no call throws", () => {
		const calls: ((core: SurvivingCore) => unknown)[] = [
			(core) => core.observe(sessionCreated("ses_2", "two"), NOW),
			(core) => core.drain(),
			(core) => core.settle(true),
			(core) => core.notices(),
			(core) => core.free(),
		];
		for (const call of calls) {
			core.observe(sessionCreated("ses_1", "one"), NOW);
			core.drain();
			poison();
			call(core);
			core.settle(true);
		}
		assert.equal(traps.length, calls.length);
		assert.ok(traps[0] instanceof WebAssembly.RuntimeError);
	});

	it("is followed by a fresh one that observes the event again", () => {
		core.observe(
			sessionCreated("ses_1", "lost, for catch-up to bring back"),
			NOW,
		);
		poison();
		const urgency = core.observe(sessionCreated("ses_2", "two"), NOW);
		assert.equal(traps.length, 1);
		assert.ok(urgency > 0);
		assert.deepEqual(titles(core.drain()), ["two"]);
	});

	it("calls no session whole any more where what was stored is gone", () => {
		const whole = (commands: readonly Command[]): boolean =>
			commands.some(({ params }) => "wholeAt" in params && params.wholeAt);
		const due = (): readonly Command[] => {
			core.observe(sessionCreated("ses_1", "one"), NOW);
			core.observe(sessionIdle("ses_1"), NOW);
			return core.drain();
		};
		assert.ok(whole(due()));
		poison();
		core.settle(false);
		core.forgetStored();
		const kept = core.drain();
		assert.deepEqual(titles(kept), ["one"]);
		assert.ok(!whole(kept));
	});

	it("does not lose the batch that was drained and is not stored yet", () => {
		core.observe(sessionCreated("ses_1", "one"), NOW);
		assert.deepEqual(titles(core.drain()), ["one"]);
		poison();
		core.settle(false);
		core.observe(sessionCreated("ses_2", "two"), NOW);
		assert.deepEqual(titles(core.drain()), ["one", "two"]);
		core.settle(false);
		assert.deepEqual(titles(core.drain()), ["one", "two"]);
		core.settle(true);
		assert.deepEqual(core.drain(), []);
	});

	it("does not lose a batch that was put back before the trap", () => {
		core.observe(sessionCreated("ses_1", "one"), NOW);
		core.drain();
		core.settle(false);
		poison();
		core.observe(sessionCreated("ses_2", "two"), NOW);
		assert.deepEqual(titles(core.drain()), ["one", "two"]);
	});

	it("does not store a batch again that was stored before the trap", () => {
		core.observe(sessionCreated("ses_1", "one"), NOW);
		core.drain();
		core.settle(true);
		poison();
		core.observe(sessionCreated("ses_2", "two"), NOW);
		assert.deepEqual(titles(core.drain()), ["two"]);
	});

	it("takes the other cores of its instance with it, and they recover too", () => {
		const other = new SurvivingCore({}, () => assert.fail("it did not trap"));
		other.observe(sessionCreated("ses_1", "one"), NOW);
		assert.deepEqual(titles(other.drain()), ["one"]);
		core.observe(sessionCreated("ses_2", "two"), NOW);
		poison();
		core.observe(sessionCreated("ses_3", "three"), NOW);
		other.settle(false);
		assert.deepEqual(titles(other.drain()), ["one"]);
		other.settle(true);
		other.observe(sessionCreated("ses_4", "four"), NOW);
		assert.deepEqual(titles(other.drain()), ["four"]);
	});

	it("is given up when it happens again and again", () => {
		while (traps.length < MOST_TRAPS) {
			assert.equal(core.dead, false);
			core.observe(sessionCreated("ses_1", "one"), NOW);
			poison();
			core.observe(sessionCreated("ses_1", "one"), NOW);
		}
		assert.equal(core.dead, true);
		assert.equal(core.observe(sessionCreated("ses_1", "one"), NOW), 0);
		assert.deepEqual(core.drain(), []);
		assert.equal(traps.length, MOST_TRAPS);
	});
});

describe("a core that is freed", () => {
	it("begins anew, empty, with the next call", () => {
		const core = new SurvivingCore({}, () => assert.fail("it did not trap"));
		core.observe(sessionCreated("ses_1", "one"), NOW);
		core.free();
		core.free();
		assert.deepEqual(core.drain(), []);
		core.observe(sessionCreated("ses_2", "two"), NOW);
		assert.deepEqual(titles(core.drain()), ["two"]);
		core[Symbol.dispose]();
	});
});
