/**
 * Holds the wasm core and survives its traps. A trap leaves the module's memory
 * unusable, so the module is instantiated anew and the core rebuilt empty; the
 * batch that was drained but not yet stored is kept here and goes again.
 */
import {
	__wbg_reset_state,
	type Absent,
	type Command,
	Core,
	type CoreOptions,
	type EventTypes,
	eventTypes,
	initSync,
	type Plan,
	type Store,
	type StoredMessage,
	type StoredSession,
	store,
} from "../../pkg/clankers.js";
import { wasmBytes } from "./wasm.ts";

/** A core that traps this often is not rebuilt any more. */
export const MOST_TRAPS = 32;

/** Counts the instances of the module; a core of an earlier one is dead. */
let instance = 0;

/** Compiles the module, once and synchronously, and answers what is constant about it. */
export function loadCore(): { eventTypes: EventTypes; store: Store } {
	if (instance === 0) {
		initSync({ module: wasmBytes() });
		instance = 1;
	}
	return { eventTypes: eventTypes(), store: store() };
}

/** The core, or its successor. No method throws. */
export class SurvivingCore {
	#options: CoreOptions;
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

	/** Takes what is due, what dead cores left first. */
	drain(): Command[] {
		const due = this.#call((core) => core.drain()) ?? [];
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

	/** New kinds of rejection, a line each. */
	notices(): string[] {
		return this.#call((core) => core.notices()) ?? [];
	}

	/** From now on events and answers come from this store of OpenCode; nothing where that is in doubt. */
	setStore(storeId: string | undefined): void {
		const { onDelete } = this.#options;
		this.#options = {
			...(onDelete && { onDelete }),
			...(storeId && { storeId }),
		};
		this.#call((core) => core.setStore(storeId));
	}

	/** Compares what OpenCode lists of a directory with what is stored: what to ask it for. */
	plan(
		directory: string,
		listed: unknown[],
		stored: StoredSession[],
		now: number,
	): Plan {
		const nothing: Plan = { fetch: [], verify: [] };
		const plan = (core: Core): Plan =>
			core.plan(directory, listed, stored, now);
		return this.#call(plan) ?? nothing;
	}

	/** Sessions that events left incomplete, since the last call. */
	wanted(): string[] {
		return this.#call((core) => core.wanted()) ?? [];
	}

	/** Whether events are known to be missing. */
	isDeaf(): boolean {
		return this.#call((core) => core.isDeaf()) ?? false;
	}

	/** A session is being asked for: what events tell from now on is newer. */
	beginRecall(sessionId: string, now: number): void {
		this.#call((core) => core.beginRecall(sessionId, now));
	}

	/** Takes a piece of the answer, written as the event that would tell it. */
	recall(answer: unknown, now: number): number {
		return this.#call((core) => core.recall(answer, now)) ?? 0;
	}

	/** What is stored of a session and was not answered; each is to be asked for by itself. */
	absent(answered: unknown[], stored: StoredMessage[]): Absent[] {
		return this.#call((core) => core.absent(answered, stored)) ?? [];
	}

	/** Takes what OpenCode answered to that: the message with its parts, or null where it has none. */
	settleAbsent(sessionId: string, absent: Absent, answer: unknown): number {
		const settle = (core: Core): number =>
			core.settleAbsent(sessionId, absent, answer);
		return this.#call(settle) ?? 0;
	}

	/** What OpenCode answered of a session was taken, all of it where it `isWhole`. */
	endRecall(sessionId: string, isWhole: boolean): number {
		return this.#call((core) => core.endRecall(sessionId, isWhole)) ?? 0;
	}

	/** OpenCode was asked then for a session that its store had, and has none of this id any more. */
	sessionMissing(sessionId: string, since: number): number {
		return this.#call((core) => core.sessionMissing(sessionId, since)) ?? 0;
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
