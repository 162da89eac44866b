import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import type { Clock } from "../src/drain-timer.ts";
import { HostLog } from "../src/hosts/host-log.ts";
import type { SharedRecorder } from "../src/registry.ts";
import { Turn } from "../src/turn.ts";
import { type ListeningClient, listeningClient } from "./support/client.ts";

/** Time goes on when it is told to, from one callback to the next. */
class SteppedClock implements Clock {
	readonly waiting = new Set<() => void>();
	now = (): number => 0;

	after(milliseconds: number, callback: () => void): () => void {
		assert.equal(milliseconds, 1000);
		this.waiting.add(callback);
		return () => this.waiting.delete(callback);
	}

	step(): void {
		const due = [...this.waiting];
		this.waiting.clear();
		for (const callback of due) callback();
	}
}

describe("the turn of an instance", () => {
	const recorder = { ignored: new Set<string>() } as unknown as SharedRecorder;
	let client: ListeningClient;
	let clock: SteppedClock;
	let found: SharedRecorder | undefined;
	let begun: SharedRecorder[];

	beforeEach(() => {
		client = listeningClient();
		clock = new SteppedClock();
		found = undefined;
		begun = [];
	});

	const turn = (): Turn =>
		new Turn({
			...{ clock, log: new HostLog(client) },
			find: () => found,
			begin: (one) => begun.push(one),
		});

	it("comes at once where no other release records", () => {
		found = recorder;
		turn();
		assert.deepEqual(begun, [recorder]);
		assert.equal(clock.waiting.size, 0);
	});

	it("comes once the other release has ended, and only once", () => {
		turn();
		for (let second = 0; second < 3; second++) clock.step();
		assert.deepEqual(begun, []);
		found = recorder;
		for (let second = 0; second < 3; second++) clock.step();
		assert.deepEqual(begun, [recorder]);
	});

	it("never comes to an instance that has ended", () => {
		const waiting = turn();
		waiting.end();
		found = recorder;
		clock.step();
		assert.deepEqual(begun, []);
	});

	it("is told to be waited for where that takes long, once", () => {
		turn();
		for (let second = 0; second < 8; second++) clock.step();
		assert.deepEqual(client.lines, []);
		for (let second = 0; second < 8; second++) clock.step();
		assert.deepEqual(
			client.lines.map(({ level, message }) => `${level} ${message}`),
			[
				"warn another release of clankers is loaded already and does the recording: this one begins once that has ended",
			],
		);
	});

	it("has the other release asked to give way where that takes long", () => {
		let asked = 0;
		new Turn({
			...{ clock, log: new HostLog(client) },
			find: () => found,
			begin: (one) => begun.push(one),
			askForWay: () => {
				asked += 1;
			},
		});
		for (let second = 0; second < 3; second++) clock.step();
		assert.equal(asked, 0);
		clock.step();
		assert.equal(asked, 1);
	});

	it("logs what goes wrong when it has come", () => {
		new Turn({
			...{ clock, log: new HostLog(client) },
			find: () => found,
			begin: () => {
				throw new Error("no core today");
			},
		});
		found = recorder;
		clock.step();
		assert.deepEqual(
			client.lines.map(({ message }) => message),
			["nothing is recorded: no core today"],
		);
	});
});
