/** Decides when to drain: at once, shortly, or after a pause when storing failed. */

/** How long changes of each urgency may wait; the core's third one may not. */
const PATIENCE_MS = [Number.POSITIVE_INFINITY, 1000, 250, 0] as const;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;

/** The runtime's clock and timer, replaceable in tests. */
export interface Clock {
	/** Milliseconds, monotonic: they say how long, not when. */
	now(): number;
	/** Calls back once; returns what cancels it. Must not keep the process alive. */
	after(milliseconds: number, callback: () => void): () => void;
}

/** The runtime's own. */
export const systemClock: Clock = {
	now: () => performance.now(),
	after: (milliseconds, callback) => {
		const timer = setTimeout(callback, milliseconds);
		timer.unref();
		return () => clearTimeout(timer);
	},
};

/** Waits without keeping the process alive. */
export function pause(
	milliseconds: number,
	clock: Clock = systemClock,
): Promise<void> {
	return new Promise((resolve) => {
		clock.after(milliseconds, resolve);
	});
}

/** How long to pause after this many failures in a row: twice as long each time. */
export function pauseAfter(failures: number): number {
	return Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS);
}

/** One timer for all that waits. */
export class DrainTimer {
	readonly #drain: () => void;
	readonly #clock: Clock;
	#due = Number.POSITIVE_INFINITY;
	#cancel: (() => void) | undefined;
	#pausing = false;

	constructor(drain: () => void, clock: Clock = systemClock) {
		this.#drain = drain;
		this.#clock = clock;
	}

	/** Something changed that may wait as long as its urgency (0 to 3) lets it. During a pause it waits for its end. */
	ask(urgency: number): void {
		const patience = PATIENCE_MS[urgency] ?? 0;
		if (this.#pausing || patience === Number.POSITIVE_INFINITY) return;
		if (patience === 0) this.#fire();
		else this.#arm(patience);
	}

	/** More is due: once others have had their turn. */
	next(): void {
		if (!this.#pausing) this.#arm(0);
	}

	/** Storing has failed this many times in a row: pause. */
	pause(failures: number): void {
		this.clear();
		this.#pausing = true;
		this.#arm(pauseAfter(failures));
	}

	/** Nothing waits any more. */
	clear(): void {
		this.#cancel?.();
		this.#cancel = undefined;
		this.#due = Number.POSITIVE_INFINITY;
		this.#pausing = false;
	}

	#arm(milliseconds: number): void {
		const due = this.#clock.now() + milliseconds;
		if (this.#due <= due) return;
		this.#cancel?.();
		this.#due = due;
		this.#cancel = this.#clock.after(milliseconds, () => this.#fire());
	}

	#fire(): void {
		this.clear();
		this.#drain();
	}
}
