import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { type Clock, DrainTimer } from "../src/drain-timer.ts";

/** A clock that a test moves by hand. */
class HandClock implements Clock {
	#now = 0;
	#waiting: { due: number; callback: () => void }[] = [];

	now(): number {
		return this.#now;
	}

	after(milliseconds: number, callback: () => void): () => void {
		const entry = { due: this.#now + milliseconds, callback };
		this.#waiting.push(entry);
		return () => {
			this.#waiting = this.#waiting.filter((other) => other !== entry);
		};
	}

	/** Lets time pass, calling back what falls due on the way. */
	pass(milliseconds: number): void {
		this.#now += milliseconds;
		for (const entry of [...this.#waiting])
			if (entry.due <= this.#now && this.#waiting.includes(entry)) {
				this.#waiting = this.#waiting.filter((other) => other !== entry);
				entry.callback();
			}
	}

	get timers(): number {
		return this.#waiting.length;
	}
}

describe("the drain timer", () => {
	let clock: HandClock;
	let drains: number;
	let timer: DrainTimer;

	beforeEach(() => {
		clock = new HandClock();
		drains = 0;
		timer = new DrainTimer(() => {
			drains += 1;
		}, clock);
	});

	it("does nothing while nothing is due", () => {
		timer.ask(0);
		assert.equal(clock.timers, 0);
	});

	it("drains what is urgent before it returns", () => {
		timer.ask(3);
		assert.equal(drains, 1);
		assert.equal(clock.timers, 0);
	});

	it("lets a growing stream wait a second, and a change a quarter of one", () => {
		timer.ask(1);
		clock.pass(999);
		assert.equal(drains, 0);
		clock.pass(1);
		assert.equal(drains, 1);
		timer.ask(2);
		clock.pass(249);
		assert.equal(drains, 1);
		clock.pass(1);
		assert.equal(drains, 2);
	});

	it("drains once for all that came meanwhile, by the earliest deadline", () => {
		timer.ask(1);
		clock.pass(900);
		timer.ask(2);
		timer.ask(1);
		clock.pass(100);
		assert.equal(drains, 1);
		clock.pass(10_000);
		assert.equal(drains, 1);
	});

	it("brings a waiting drain forward when something more urgent comes", () => {
		timer.ask(1);
		timer.ask(2);
		clock.pass(250);
		assert.equal(drains, 1);
		timer.ask(1);
		timer.ask(3);
		assert.equal(drains, 2);
		assert.equal(clock.timers, 0);
	});

	it("pauses after failures, twice as long each time, ten seconds at most", () => {
		for (const [failures, pause] of [
			[1, 100],
			[2, 200],
			[3, 400],
			[7, 6400],
			[8, 10_000],
			[5000, 10_000],
		] as const) {
			drains = 0;
			timer.pause(failures);
			clock.pass(pause - 1);
			assert.equal(drains, 0);
			clock.pass(1);
			assert.equal(drains, 1);
		}
	});

	it("drains nothing during a pause, however urgent", () => {
		timer.pause(3);
		timer.ask(3);
		timer.ask(2);
		assert.equal(drains, 0);
		assert.equal(clock.timers, 1);
		clock.pass(400);
		assert.equal(drains, 1);
		timer.ask(3);
		assert.equal(drains, 2);
	});

	it("forgets what waits when it is cleared", () => {
		timer.ask(1);
		timer.clear();
		timer.pause(1);
		timer.clear();
		clock.pass(10_000);
		assert.equal(drains, 0);
		timer.ask(3);
		assert.equal(drains, 1);
	});
});
