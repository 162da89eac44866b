import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Clock } from "../src/drain-timer.ts";
import { EventPump } from "../src/event-pump.ts";
import type { BusEvent } from "../src/hosts/host.ts";
import { until } from "./support/until.ts";

/** Waits no time at all, and says how long it should have. */
class HurriedClock implements Clock {
	readonly waits: number[] = [];

	now(): number {
		return 0;
	}

	after(milliseconds: number, callback: () => void): () => void {
		this.waits.push(milliseconds);
		const timer = setImmediate(callback);
		return () => clearImmediate(timer);
	}
}

/** Nobody cares whether it brings anything. */
const UNHEARD = { silent: () => {}, heard: () => {} };

/** A stream of these, which then ends, breaks or stays. */
async function* stream(
	types: readonly string[],
	then: "ends" | "breaks" | "stays",
): AsyncGenerator<BusEvent> {
	for (const type of types) yield { type };
	if (then === "breaks") throw new Error("the stream broke");
	if (then === "stays") await new Promise(() => {});
}

describe("an event pump", () => {
	it("opens the stream before it returns", () => {
		let isOpen = false;
		const pump = new EventPump({
			open: () => ({
				[Symbol.asyncIterator]: () => ({
					next: () => {
						isOpen = true;
						return new Promise(() => {});
					},
				}),
			}),
			take: () => assert.fail("there was no event"),
			reopened: () => assert.fail("it was opened once"),
			...UNHEARD,
		});
		assert.ok(isOpen);
		pump.end();
	});

	it("opens a stream again that ends or breaks, and says so", async () => {
		const streams = [
			() => stream(["a"], "ends"),
			() => stream(["b"], "breaks"),
			() => {
				throw new Error("no stream today");
			},
			() => stream([], "breaks"),
			() => stream(["c", "d"], "stays"),
		];
		const taken: string[] = [];
		const clock = new HurriedClock();
		const pump = new EventPump({
			open: () => streams.shift()?.() ?? assert.fail("it is open"),
			take: ({ type }) => taken.push(type),
			reopened: () => taken.push("again"),
			silent: (times) => taken.push(`silent ${times}`),
			heard: () => taken.push("heard"),
			clock,
		});
		await until("the last stream is followed", () => taken.includes("d"));
		assert.deepEqual(taken, [
			...["heard", "a", "again", "heard", "b"],
			...["silent 1", "again", "silent 2"],
			...["again", "heard", "c", "d"],
		]);
		assert.deepEqual(clock.waits, [100, 100, 200, 400]);
		pump.end();
	});

	it("never waits longer than ten seconds", async () => {
		const clock = new HurriedClock();
		let left = 20;
		const pump = new EventPump({
			open: () => {
				if (left-- > 0) throw new Error("no stream today");
				return stream(["a"], "stays");
			},
			take: () => {
				left = -100;
			},
			reopened: () => {},
			...UNHEARD,
			clock,
		});
		await until("it is open at last", () => left === -100);
		assert.equal(Math.max(...clock.waits), 10_000);
		pump.end();
	});

	it("hands on nothing after its end, and opens nothing", async () => {
		const taken: string[] = [];
		const clock = new HurriedClock();
		let opened = 0;
		const pump = new EventPump({
			open: () => {
				opened += 1;
				return stream(["a", "b"], "breaks");
			},
			take: ({ type }) => {
				taken.push(type);
				pump.end();
			},
			reopened: () => assert.fail("it has ended"),
			...UNHEARD,
			clock,
		});
		await until("the first is taken", () => taken.length > 0);
		for (let turn = 0; turn < 20; turn++)
			await new Promise((resolve) => setImmediate(resolve));
		assert.deepEqual(taken, ["a"]);
		assert.equal(opened, 1);
		assert.deepEqual(clock.waits, []);
	});

	it("survives a stream that cannot be closed", async () => {
		for (const close of [
			(): never => {
				throw new Error("it stays open");
			},
			async (): Promise<never> => {
				throw new Error("it stays open");
			},
		]) {
			const next = (): Promise<never> => new Promise(() => {});
			const iterator = { next, return: close };
			const pump = new EventPump({
				open: () => ({ [Symbol.asyncIterator]: () => iterator }),
				take: () => {},
				reopened: () => {},
				...UNHEARD,
			});
			pump.end();
		}
		// A rejected promise that nobody caught would end the process here.
		await new Promise((resolve) => setTimeout(resolve, 0));
	});
});
