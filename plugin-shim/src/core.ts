/**
 * Holds the wasm core and survives its traps. A trap leaves the module's memory
 * unusable, so the module is instantiated anew and the core rebuilt empty; the
 * batch that was drained but not yet stored is kept here and goes again.
 */
import {
	__wbg_reset_state,
	type Command,
	Core,
	type CoreOptions,
	type Counts,
	type EventTypes,
	type Evicted,
	eventTypes,
	initSync,
	type Outcome,
	type Request,
	type Store,
	store,
} from "../../pkg/clankers.js";
import { wasmBytes } from "./wasm.ts";

/** A core that traps this often is not rebuilt any more. */
export const MOST_TRAPS = 32;

/** What a core has counted that has trapped. */
const NO_COUNTS: Counts = { waiting: 0, asked: 0, answered: 0, failed: 0 };

/** Counts the instances of the module; a core of an earlier one is dead. */
let instance = 0;

/** Whose events and answers a core reads. */
export type Dialect = NonNullable<CoreOptions["dialect"]>;

/**
 * Compiles the module, once and synchronously, before anything of it is called.
 * Each evaluation of the plugin has a module of its own, and OpenCode 2 makes one
 * for each directory, of which only the first makes a core.
 */
export function loadModule(): void {
	if (instance !== 0) return;
	initSync({ module: wasmBytes() });
	instance = 1;
}

/** Loads the module, and answers what is constant about it. */
export function loadCore(dialect: Dialect = "opencode1"): {
	eventTypes: EventTypes;
	store: Store;
} {
	loadModule();
	return { eventTypes: eventTypes(dialect), store: store() };
}

/** The core, or its successor. No method throws. */
export class SurvivingCore {
	readonly #options: CoreOptions;
	readonly #trapped: (error: unknown) => void;
	#core: Core | undefined;
	#instance = 0;
	#traps = 0;
	/** The batch drained last, until it is stored. */
	#unstored: Command[] = [];
	/** Batches of cores that have died, until they are stored. */
	#inherited: Command[] = [];

	/** `trapped` hears of each trap: what the core knew and had not drained is lost. */
	constructor(options: CoreOptions, trapped: (error: unknown) => void) {
		this.#options = options;
		this.#trapped = trapped;
	}

	/** Whether it has trapped so often that it does nothing any more. */
	get dead(): boolean {
		return this.#traps >= MOST_TRAPS;
	}

	/** Folds an event in, and says how soon to drain. One that traps is tried once more, on the fresh core. */
	observe(event: unknown, now: number): number {
		const observe = (core: Core): number => core.observe(event, now);
		return this.#call(observe) ?? this.#call(observe) ?? 0;
	}

	/** Takes what is due, of about so many bytes, what dead cores left first. */
	drain(bytes?: number): Command[] {
		const due = this.#call((core) => core.drain(bytes)) ?? [];
		this.#unstored = due;
		return this.#inherited.length === 0 ? due : [...this.#inherited, ...due];
	}

	/** Says what became of the drained batch. */
	settle(stored: boolean): void {
		if (stored) {
			this.#inherited = [];
			this.#unstored = [];
		}
		this.#call((core) => core.settle(stored));
	}

	/** Whether the last drain left something for the next. */
	hasDue(): boolean {
		return this.#call((core) => core.hasDue()) ?? false;
	}

	/** Evicts what is beyond so many changes and bytes, since nothing can be stored. What it was, if anything. */
	evict(most: number, mostBytes: number): Evicted | undefined {
		const inherited = this.#inherited.length;
		const gone = this.#call((core) =>
			core.evict(Math.max(most - inherited, 0), mostBytes),
		);
		if (gone?.what === "all") this.#inherited = [];
		return gone;
	}

	/** What was stored is not there any more: what is told from now on stands alone, and no session is known to be whole. */
	forgetStored(): void {
		this.#call((core) => core.forgetStored());
		for (const { params } of this.#inherited)
			if ("wholeAt" in params) delete params.wholeAt;
	}

	/** How much waits, and what catch-up did since this was asked last. */
	takeCounts(): Counts {
		return this.#call((core) => core.takeCounts()) ?? NO_COUNTS;
	}

	/** New kinds of rejection, a line each. */
	notices(): string[] {
		return this.#call((core) => core.notices()) ?? [];
	}

	/** Compares this directory's sessions, by requests. */
	compare(directory: string): void {
		this.#call((core) => core.compare(directory));
	}

	/** Fetches these sessions from this directory's host, by requests. */
	fetch(directory: string, sessionIds: string[]): void {
		this.#call((core) => core.fetch(directory, sessionIds));
	}

	/** Fetches what events left incomplete from this directory's host. Whether there is anything to ask. */
	fetchWanted(directory: string): boolean {
		return this.#call((core) => core.fetchWanted(directory)) ?? false;
	}

	/** This directory's host is about to go: all that is still asked of it is what events left incomplete. Whether there is anything of that. */
	hurry(directory: string): boolean {
		return this.#call((core) => core.hurry(directory)) ?? false;
	}

	/** This directory's host is gone: nothing more is asked of it. */
	leave(directory: string): void {
		this.#call((core) => core.leave(directory));
	}

	/** The request to make next. */
	nextRequest(now: number): Request | undefined {
		return this.#call((core) => core.nextRequest(now));
	}

	/** Takes what came of it, and says how soon to drain. */
	answer(outcome: Outcome, value: unknown, now: number): number {
		return this.#call((core) => core.answer(outcome, value, now)) ?? 0;
	}

	/** How soon all is to be compared again, milliseconds, if it is. */
	compareAgainIn(): number | undefined {
		return this.#call((core) => core.compareAgainIn());
	}

	/** Gives the core's memory back. The next call begins with an empty core. */
	free(): void {
		const core = this.#core;
		this.#core = undefined;
		this.#unstored = [];
		this.#inherited = [];
		if (core && this.#instance === instance) this.#guard(() => core.free());
	}

	[Symbol.dispose](): void {
		this.free();
	}

	#call<Result>(work: (core: Core) => Result): Result | undefined {
		if (this.dead) return undefined;
		return this.#guard(() => work(this.#current()));
	}

	/** The living core; one whose instance another core's trap has taken away is replaced. */
	#current(): Core {
		if (this.#core !== undefined && this.#instance === instance)
			return this.#core;
		this.#inherit();
		this.#core = new Core(this.#options);
		this.#instance = instance;
		return this.#core;
	}

	/** The core never throws, so whatever is thrown is a trap. */
	#guard<Result>(work: () => Result): Result | undefined {
		try {
			return work();
		} catch (error) {
			this.#traps += 1;
			this.#core = undefined;
			this.#inherit();
			__wbg_reset_state();
			instance += 1;
			this.#trapped(error);
			return undefined;
		}
	}

	#inherit(): void {
		this.#inherited.push(...this.#unstored);
		this.#unstored = [];
	}
}
