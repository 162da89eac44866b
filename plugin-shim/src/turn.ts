/**
 * The turn of an instance: one release of clankers records in a process at a
 * time. OpenCode 2.x loads changed files into a running process, one directory
 * after the other, and the old release records until its last instance has left.
 */
import { type Clock, systemClock } from "./drain-timer.ts";
import type { HostLog } from "./hosts/host-log.ts";
import type { Find } from "./open.ts";
import type { SharedRecorder } from "./registry.ts";

/** How often the other release is looked at. */
const LOOK_MS = 1000;
/** Looks before the other is asked to step down: an update is over by then. */
const PATIENT_UNTIL_ASKED = 5;
/** Looks before it is told. */
const SILENT_UNTIL_TOLD = 10;

const WAITING =
	"another release of clankers is loaded already and does the recording: this one begins once that has ended";

/** What an instance waits with. */
export interface TurnOptions {
	readonly log: HostLog;
	readonly find: Find;
	/** It is this instance's turn. */
	begin(recorder: SharedRecorder): void;
	/** Asks the other release to step down, where its instances may never leave. */
	askForWay?(): void;
	readonly clock?: Clock;
}

/** Begins at once, or as soon as the other release has ended. */
export class Turn {
	readonly #options: TurnOptions;
	#looks = 0;
	#cancel: (() => void) | undefined;

	/** Throws what `find` and `begin` throw at once; what they throw later is logged. */
	constructor(options: TurnOptions) {
		this.#options = options;
		this.#look();
	}

	/** It never begins, if it has not. */
	end(): void {
		this.#cancel?.();
		this.#cancel = undefined;
	}

	#look(): void {
		const { begin, find } = this.#options;
		this.#cancel = undefined;
		const recorder = find();
		if (recorder === undefined) this.#wait();
		else begin(recorder);
	}

	#wait(): void {
		const { askForWay, clock = systemClock, log } = this.#options;
		this.#looks += 1;
		if (this.#looks >= PATIENT_UNTIL_ASKED) askForWay?.();
		if (this.#looks === SILENT_UNTIL_TOLD)
			log.trouble("events", "warn", WAITING);
		else if (this.#looks > SILENT_UNTIL_TOLD)
			log.remind("events", "warn", WAITING);
		this.#cancel = clock.after(LOOK_MS, () => {
			try {
				this.#look();
			} catch (error) {
				log.failed("nothing is recorded", error, "storage");
			}
		});
	}
}
