import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
	askForWay,
	recorderFor,
	type SharedRecorder,
} from "../src/registry.ts";

const KEY = Symbol.for("opencode-clankers");
const shared = globalThis as { [KEY]?: unknown };

class FakeRecorder implements SharedRecorder {
	isOver = false;
	join = (): never => assert.fail("nobody joins");
	end(): void {}
	asked = 0;
	stepDown(): void {
		this.asked += 1;
	}
}

describe("the registry", () => {
	it("has one recorder of a name, and a new one when that is over", () => {
		const first = new FakeRecorder();
		const second = new FakeRecorder();
		assert.equal(
			recorderFor("one", () => first),
			first,
		);
		assert.equal(
			recorderFor("one", () => second),
			first,
		);
		first.isOver = true;
		assert.equal(
			recorderFor("one", () => second),
			second,
		);
		assert.notEqual(
			recorderFor("other", () => new FakeRecorder()),
			second,
		);
	});

	it("takes over from another release once that has stored everything", () => {
		const before = shared[KEY];
		const old = new FakeRecorder();
		shared[KEY] = { protocol: -1, recorders: new Map([["one", old]]) };
		const make = (): FakeRecorder => new FakeRecorder();
		assert.equal(recorderFor("one", make), undefined);
		// A release that does not say so is never over.
		shared[KEY] = { protocol: -1, recorders: new Map([["one", {}]]) };
		assert.equal(recorderFor("one", make), undefined);
		old.isOver = true;
		shared[KEY] = { protocol: -1, recorders: new Map([["one", old]]) };
		assert.notEqual(recorderFor("one", make), old);
		shared[KEY] = before;
	});

	it("asks an earlier release to give way, and no other", () => {
		const before = shared[KEY];
		const recorder = new FakeRecorder();
		const recorders = new Map<string, object>([["one", recorder]]);
		shared[KEY] = undefined;
		askForWay();
		recorderFor("one", () => recorder);
		askForWay();
		shared[KEY] = { protocol: Number.POSITIVE_INFINITY, recorders };
		askForWay();
		assert.equal(recorder.asked, 0);
		// One before that had no such word.
		recorders.set("another", {});
		shared[KEY] = { protocol: -1, recorders };
		askForWay();
		assert.equal(recorder.asked, 1);
		shared[KEY] = before;
	});
});
