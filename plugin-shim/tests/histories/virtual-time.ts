/** Time that passes when a history says so. Nothing in a history waits for a real clock. */
import type { Clock } from "../../src/drain-timer.ts";

interface Timer {
	readonly due: number;
	readonly owner: object;
	readonly callback: () => void;
}

/** Long ago by the real clock: times that it has not reached are held against nothing. */
const BEGINNING = 1_700_000_000_000;
/** How far `rest` goes; what waits for longer does so for ever, as catch-up does where it cannot ask. */
const LONGEST_REST_MS = 120_000;

export class VirtualTime {
	#now = BEGINNING;
	#timers: Timer[] = [];

	/** Unix milliseconds. */
	now(): number {
		return this.#now;
	}

	/** A moment that nothing else happened in. */
	moment(): number {
		this.#now += 1;
		return this.#now;
	}

	/** The clock of one process. */
	clockOf(owner: object): Clock {
		return {
			now: () => this.#now,
			after: (milliseconds, callback) => {
				const timer = { due: this.#now + milliseconds, owner, callback };
				this.#timers.push(timer);
				return () => {
					this.#timers = this.#timers.filter((other) => other !== timer);
				};
			},
		};
	}

	/** The process is gone, and what it waited for with it. */
	forget(owner: object): void {
		this.#timers = this.#timers.filter((timer) => timer.owner !== owner);
	}

	/** Lets this much time pass. */
	async pass(milliseconds: number): Promise<void> {
		const end = this.#now + milliseconds;
		while (await this.#fire(end));
		this.#now = Math.max(this.#now, end);
	}

	/** Lets time pass until nobody waits for anything any more. */
	async rest(): Promise<void> {
		const end = this.#now + LONGEST_REST_MS;
		while (await this.#fire(end));
	}

	/** Fires the timer that is due first, if it is so by `end`. Whether there was one. */
	async #fire(end: number): Promise<boolean> {
		// All that is under way goes as far as it can without waiting.
		await new Promise((resolve) => setImmediate(resolve));
		let next: Timer | undefined;
		for (const timer of this.#timers)
			if (next === undefined || timer.due < next.due) next = timer;
		if (next === undefined || next.due > end) return false;
		this.#timers = this.#timers.filter((timer) => timer !== next);
		this.#now = Math.max(this.#now, next.due);
		next.callback();
		return true;
	}
}
