/** Chance that can be had again: everything random in a history comes from its seed. */

/** A small generator (mulberry32): the same seed gives the same numbers on every runtime. */
export class Random {
	#state: number;

	constructor(seed: number) {
		this.#state = seed >>> 0;
	}

	/** Whether something that happens this often, 0 to 1, happens now. */
	chance(often: number): boolean {
		return this.#next() < often;
	}

	/** A whole number from `least` up to and with `most`. */
	between(least: number, most: number): number {
		return least + Math.floor(this.#next() * (most - least + 1));
	}

	/** One of these; nothing where there is none. */
	pick<One>(from: readonly One[]): One | undefined {
		return from[this.between(0, from.length - 1)];
	}

	#next(): number {
		this.#state = (this.#state + 0x6d2b79f5) >>> 0;
		let mixed = this.#state;
		mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	}
}
