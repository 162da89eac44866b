/** Records into one database: events into the core, the core's commands into the sink. */
import type { CoreOptions } from "../../pkg/clankers.js";
import { CatchUp } from "./catch-up.ts";
import { MOST_TRAPS, SurvivingCore } from "./core.ts";
import { type Clock, DrainTimer, pause, systemClock } from "./drain-timer.ts";
import type { BusEvent } from "./host.ts";
import type { Instance, Membership, SharedRecorder } from "./registry.ts";
import { SeenEvents } from "./seen.ts";
import type { SessionApi } from "./session-api.ts";
import { type RefusedCommand, type Sink, SinkError } from "./storage/sink.ts";
import { openCodeStore } from "./store-identity.ts";
import { describe, type Voice } from "./voice.ts";

/** Failures in a row before the person is shown one: a lock of a moment is nobody's concern. */
const FAILURES_UNTIL_TOLD = 3;
/** The urgency from which on the core may want sessions. */
const SOON = 2;
/** Attempts at the process's end, each at most a busy timeout long. */
const LAST_ATTEMPTS = 5;

/** What a recorder takes from the process that it is in, replaceable in tests. */
export interface Surroundings {
	/** Unix milliseconds. */
	now(): number;
	/** How long to wait. */
	readonly clock: Clock;
	/** Which store the OpenCode works on that answers there; nothing where that is in doubt. */
	storeId(api: SessionApi): Promise<string | undefined>;
}

const PROCESS: Surroundings = {
	now: Date.now,
	clock: systemClock,
	storeId: openCodeStore,
};

/** One core, one sink, and the instances that feed them. */
export class Recorder implements SharedRecorder {
	readonly ignored: ReadonlySet<string>;
	readonly #core: SurvivingCore;
	readonly #sink: Sink;
	readonly #around: Surroundings;
	readonly #timer: DrainTimer;
	readonly #seen = new SeenEvents();
	/** The instances in the order they came; the newest one speaks. */
	readonly #instances: Instance[] = [];
	/** What catches each project directory up. */
	readonly #catchUps = new Map<string, CatchUp>();
	/** The last of the requests that go one after the other. */
	#asking: Promise<void> = Promise.resolve();
	/** The storing of a batch that is awaited; the core gives no other meanwhile. */
	#awaited: Promise<RefusedCommand[]> | undefined;
	/** Whether something was to be stored meanwhile. */
	#again = false;
	#failures = 0;
	#told = false;
	#stopped = false;

	/** The core has to be loaded. `ignored` are the event types that it knows and has no use for. */
	constructor(
		options: CoreOptions,
		ignored: readonly string[],
		sink: Sink,
		around: Surroundings = PROCESS,
	) {
		this.#around = around;
		this.#timer = new DrainTimer(() => this.#drain(), around.clock);
		this.ignored = new Set(ignored);
		this.#core = new SurvivingCore(options, (error) => this.#trapped(error));
		this.#sink = sink;
		sink.attend?.({
			log: (level, message) => this.#voice?.log(level, message),
			tell: (message) => this.#voice?.tell(message),
			ready: (ids) => this.#compareAll(ids),
		});
	}

	join(instance: Instance): Membership {
		this.#instances.push(instance);
		instance.voice.log("info", `records to \`${this.#sink.target}\``);
		const catchUp = this.#catchUpOf(instance);
		catchUp?.compare();
		return {
			observe: (event) => this.#observe(event, catchUp),
			leave: () => this.#leave(instance),
		};
	}

	#observe(event: BusEvent, catchUp: CatchUp | undefined): void {
		if (this.#stopped || !this.#seen.isNew(event)) return;
		const urgency = this.#core.observe(event, this.#around.now());
		this.#timer.ask(urgency);
		if (urgency < SOON) return;
		const wanted = this.#core.wanted();
		if (wanted.length > 0) catchUp?.want(wanted);
	}

	/** One a directory, however many instances it has. */
	#catchUpOf({ project, voice }: Instance): CatchUp | undefined {
		if (project === undefined) return undefined;
		const { directory, api } = project;
		const existing = this.#catchUps.get(directory);
		if (existing !== undefined) return existing;
		const catchUp = new CatchUp({
			api,
			core: this.#core,
			directory,
			storeId: () => this.#around.storeId(api),
			stored: async (ids, storeId) => {
				await this.#drained();
				return this.#sink.stored(directory, ids, storeId);
			},
			storedMessages: async (sessionId, storeId) => {
				await this.#drained();
				return this.#sink.storedMessages(sessionId, storeId);
			},
			inTurn: (work) => this.#inTurn(work),
			changed: (urgency) => this.#timer.ask(urgency),
			log: (level, message) => voice.log(level, message),
			pause: (milliseconds) => pause(milliseconds, this.#around.clock),
			now: () => this.#around.now(),
		});
		this.#catchUps.set(directory, catchUp);
		return catchUp;
	}

	#inTurn(work: () => Promise<void>): Promise<void> {
		const done = this.#asking.then(work);
		this.#asking = done.catch(() => {});
		return done;
	}

	end(): void {
		const finish = (): RefusedCommand[] => this.#sink.finish?.() ?? [];
		if (this.#awaited === undefined) finish();
		else this.#settle(finish);
		for (let attempt = 0; attempt < LAST_ATTEMPTS; attempt++)
			if (this.#drain()) break;
		this.#timer.clear();
		this.#sink.close();
	}

	/** Nothing is closed before all is stored: an instance may still come, or the timer bring the rest home. */
	#leave(instance: Instance): void {
		const place = this.#instances.indexOf(instance);
		if (place < 0) return;
		const stored = this.#drain();
		this.#instances.splice(place, 1);
		this.#endCatchUp(instance.project?.directory);
		if (stored && this.#instances.length === 0) this.#letGo();
	}

	#letGo(): void {
		this.#sink.close();
		this.#core.free();
	}

	/** Ends a directory's catch-up with its last instance. */
	#endCatchUp(directory: string | undefined): void {
		const isOf = ({ project }: Instance): boolean =>
			project?.directory === directory;
		if (directory === undefined || this.#instances.some(isOf)) return;
		this.#catchUps.get(directory)?.end();
		this.#catchUps.delete(directory);
	}

	/** Stores what is due. Whether nothing is left that should have been stored. */
	#drain(): boolean {
		if (this.#stopped) return true;
		this.#again = this.#awaited !== undefined;
		if (this.#again) return false;
		const batch = this.#core.drain();
		for (const notice of this.#core.notices()) this.#voice?.log("warn", notice);
		if (batch.length === 0) return true;
		this.#timer.clear();
		return this.#settle(() => this.#sink.apply(batch));
	}

	/** Tells the core what became of its batch, once that is known. Whether it is, and all is stored. */
	#settle(apply: () => ReturnType<Sink["apply"]>): boolean {
		this.#awaited = undefined;
		try {
			const refused = apply();
			if (refused instanceof Promise) {
				this.#await(refused);
				return false;
			}
			this.#core.settle(true);
			for (const one of refused) this.#refused(one);
			this.#succeeded();
			return true;
		} catch (error) {
			this.#core.settle(false);
			this.#failed(error);
			return false;
		}
	}

	#await(applied: Promise<RefusedCommand[]>): void {
		const settle = (outcome: () => RefusedCommand[]): void => {
			// At the process's end it was not waited for.
			if (this.#awaited !== applied || !this.#settle(outcome)) return;
			const isLeft = this.#instances.length === 0;
			if ((this.#again || isLeft) && this.#drain() && isLeft) this.#letGo();
		};
		this.#awaited = applied;
		applied.then(
			(refused) => settle(() => refused),
			(error: unknown) =>
				settle(() => {
					throw error;
				}),
		);
	}

	/** Stores what is due, after what is being stored. */
	async #drained(): Promise<void> {
		await this.#awaited?.catch(() => {});
		this.#drain();
	}

	#refused({ command, reason }: RefusedCommand): void {
		this.#voice?.failed(`a \`${command.method}\` was refused`, reason);
	}

	#compareAll(wanted: readonly string[] = []): void {
		for (const catchUp of this.#catchUps.values()) {
			catchUp.want(wanted);
			catchUp.compare();
		}
	}

	#succeeded(): void {
		if (this.#failures > 0)
			this.#voice?.log("info", `storing again to \`${this.#sink.target}\``);
		this.#failures = 0;
	}

	#failed(error: unknown): void {
		if (error instanceof SinkError && error.kind === "incompatible") {
			this.#stop(`nothing is recorded: ${error.message}`);
			return;
		}
		this.#failures += 1;
		this.#timer.pause(this.#failures);
		const message = `not stored yet, will be tried again: ${describe(error)}`;
		if (this.#failures === 1) this.#voice?.log("warn", message);
		if (this.#failures < FAILURES_UNTIL_TOLD || this.#told) return;
		this.#told = true;
		this.#voice?.tell(message);
	}

	#trapped(error: unknown): void {
		if (this.#core.dead)
			this.#stop(`nothing is recorded any more: ${MOST_TRAPS} crashes`);
		else
			this.#voice?.log("error", `the core was restarted: ${describe(error)}`);
		// What it knew and had not drained is lost: OpenCode is asked for it.
		this.#compareAll();
	}

	/** Recording is over for this process; what is held is let go, and OpenCode goes on. */
	#stop(message: string): void {
		this.#stopped = true;
		for (const catchUp of this.#catchUps.values()) catchUp.end();
		this.#timer.clear();
		this.#awaited = undefined;
		this.#letGo();
		this.#voice?.tell(message);
	}

	get #voice(): Voice | undefined {
		return this.#instances.at(-1)?.voice;
	}
}
