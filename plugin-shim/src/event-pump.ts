/** Follows a stream of events for as long as it is wanted. */
import { type Clock, pause, pauseAfter, systemClock } from "./drain-timer.ts";
import type { BusEvent } from "./hosts/host.ts";

/** What a pump works with. Nothing of it may throw but `open`. */
export interface PumpOptions {
	/** Opens the stream, which begins with what happens next. */
	open(): AsyncIterable<BusEvent>;
	take(event: BusEvent): void;
	/** The stream had broken and is open again: what happened meanwhile was not heard. */
	reopened(): void;
	/** It has been opened this often in a row without bringing anything. */
	silent(times: number): void;
	/** It brings events: called with the first of each stream. */
	heard(): void;
	readonly clock?: Clock;
}

/** Hands on each event of a stream; a stream that ends or breaks is opened again. */
export class EventPump {
	readonly #options: PumpOptions;
	#stream: AsyncIterator<BusEvent> | undefined;
	#ended = false;

	/** The stream is open, or has failed to, when this returns. */
	constructor(options: PumpOptions) {
		this.#options = options;
		void this.#run();
	}

	/** Hands on nothing more. */
	end(): void {
		this.#ended = true;
		try {
			Promise.resolve(this.#stream?.return?.()).catch(() => {});
		} catch {
			// A stream that cannot be closed is left to its host.
		}
	}

	/** Never rejects. */
	async #run(): Promise<void> {
		const { clock = systemClock, reopened, silent } = this.#options;
		let opened: typeof reopened | undefined;
		for (let times = 0; ; opened = reopened) {
			const heard = await this.#follow(opened);
			if (this.#ended) return;
			times = heard ? 0 : times + 1;
			if (times > 0) silent(times);
			await pause(pauseAfter(times + 1), clock);
			if (this.#ended) return;
		}
	}

	/** Follows one stream to its end, however it ends. Whether it brought anything. */
	async #follow(opened: (() => void) | undefined): Promise<boolean> {
		let heard = false;
		try {
			const stream = this.#options.open()[Symbol.asyncIterator]();
			this.#stream = stream;
			const first = stream.next();
			opened?.();
			for (
				let next = await first;
				!next.done && !this.#ended;
				next = await stream.next()
			) {
				if (!heard) this.#options.heard();
				heard = true;
				this.#options.take(next.value);
			}
		} catch {
			// A stream that breaks is opened again like one that ends.
		}
		return heard;
	}
}
