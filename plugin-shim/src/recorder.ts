/** Records into one database: events into the core, the core's commands into the sink. */
import type { CoreOptions } from "../../pkg/clankers.js";
import { CatchUp } from "./catch-up.ts";
import { PENDING_MIB } from "./config.ts";
import { MOST_TRAPS, SurvivingCore } from "./core.ts";
import { Counters } from "./counters.ts";
import { type Clock, DrainTimer, pause, systemClock } from "./drain-timer.ts";
import type { BusEvent, Host } from "./hosts/host.ts";
import { describe, type HostLog } from "./hosts/host-log.ts";
import type { Instance, Membership, SharedRecorder } from "./registry.ts";
import { SeenEvents } from "./seen.ts";
import { type RefusedCommand, type Sink, SinkError } from "./storage/sink.ts";
import { StorageTrouble } from "./storage-trouble.ts";

/** The urgency from which on the core may want sessions. */
const SOON = 2;
/** So many changes are held while nothing can be stored; then OpenCode is to be asked for them. */
const MOST_HELD = 10_000;
/** What is stored in one step: a few milliseconds of OpenCode's thread. A longer text goes alone. */
const SLICE_BYTES = 512 * 1024;
const MIB = 1024 * 1024;
/** Attempts at the process's end, each at most a busy timeout long. */
const LAST_ATTEMPTS = 5;

/** How long an instance that leaves waits for what is being stored. */
const LEAVE_MS = 1000;

/** What a recorder takes from the process that it is in, replaceable in tests. */
export interface Surroundings {
	/** Unix milliseconds. */
	now(): number;
	/** How long to wait. */
	readonly clock: Clock;
}

const PROCESS: Surroundings = {
	now: Date.now,
	clock: systemClock,
};

/** What a recorder is made for. */
export interface RecorderOptions extends CoreOptions {
	/** How much may wait in memory while nothing can be stored. */
	readonly pendingMiB?: number;
}

/** One core, one sink, and the instances that feed them. */
export class Recorder implements SharedRecorder {
	readonly #ignored: ReadonlySet<string>;
	readonly #counters: Counters;
	/** Whether each instance is told of every directory, as by OpenCode 2. */
	readonly #hearsAll: boolean;
	readonly #core: SurvivingCore;
	readonly #sink: Sink;
	readonly #around: Surroundings;
	readonly #timer: DrainTimer;
	readonly #seen = new SeenEvents();
	/** The instances in the order they came; the newest one logs. */
	readonly #instances: Instance[] = [];
	readonly #catchUp: CatchUp;
	readonly #trouble = new StorageTrouble(() => this.#log);
	/** The storing of a batch that is awaited; the core gives no other meanwhile. */
	#awaited: Promise<RefusedCommand[]> | undefined;
	/** Whether something was to be stored meanwhile. */
	#again = false;
	#failures = 0;
	readonly #pendingBytes: number;
	/** Whether changes were evicted that nobody has stored. */
	#hasEvicted = false;
	/** Sessions of which texts were. */
	readonly #toFetch = new Set<string>();
	/** Why nothing is recorded any more. */
	#stopped: string | undefined;
	#isOver = false;
	/** Whether a later release records in its place, once it is over. */
	#stepsDown = false;
	/** Whether what is stored of how things are has to be put right. */
	#isNews = false;
	/** Whether the batch that is stored holds nothing but that. */
	#isNewsAlone = false;
	/** Whether the sink knows whom to tell what happens. */
	#isAttended = false;

	/** The core has to be loaded. `ignored` are the event types that it knows and has no use for. */
	constructor(
		options: RecorderOptions,
		ignored: readonly string[],
		sink: Sink,
		around: Surroundings = PROCESS,
	) {
		this.#around = around;
		this.#timer = new DrainTimer(() => this.#drain(), around.clock);
		this.#ignored = new Set(ignored);
		const { dialect = "opencode1" } = options;
		this.#counters = new Counters(dialect, around.now());
		this.#hearsAll = dialect === "opencode2";
		this.#pendingBytes = (options.pendingMiB ?? PENDING_MIB) * MIB;
		this.#core = new SurvivingCore(options, (error) => this.#trapped(error));
		this.#sink = sink;
		this.#catchUp = new CatchUp({
			core: this.#core,
			stored: async (request) => {
				await this.#drained();
				return sink.stored(request);
			},
			changed: (urgency) => this.#timer.ask(urgency),
			halted: (message) => {
				this.#counters.wentWrong(message, around.now());
				this.#log?.trouble("events", "warn", message);
			},
			stillHalted: (message) => {
				this.#log?.log("debug", message);
				this.#log?.remind("events", "warn", message);
			},
			ended: (isWhole) => this.#caughtUp(isWhole),
			pause: (milliseconds) => pause(milliseconds, around.clock),
			now: () => around.now(),
		});
	}

	get isOver(): boolean {
		return this.#isOver;
	}

	join(instance: Instance): Membership {
		const { log, host } = instance;
		this.#isOver = false;
		this.#instances.push(instance);
		log.log("info", `records to \`${this.#sink.target}\``);
		// What it says at once is heard by somebody.
		if (!this.#isAttended) this.#attend();
		if (host !== undefined) this.#catchUp.join(host);
		return {
			observe: (event) => this.#observe(event, instance),
			missed: () => {
				this.#counters.isBehind(this.#around.now());
				if (host !== undefined) this.#catchUp.compare(host);
			},
			finish: () => this.#finish(instance),
			leave: () => this.#leave(instance),
		};
	}

	#attend(): void {
		this.#isAttended = true;
		this.#sink.attend?.({
			log: (level, message) => this.#log?.log(level, message),
			notify: (message) => {
				this.#counters.wentWrong(message, this.#around.now());
				this.#log?.notify(message, "daemon");
			},
			well: (message, wasNotified) => {
				if (wasNotified) this.#log?.reassure(message);
				this.#log?.over("daemon", message);
			},
			ready: (ids) => this.#catchUp.compareAll(ids),
			replaced: (message) => this.#replaced(message),
		});
	}

	#observe(event: BusEvent, instance: Instance): void {
		if (this.#ignored.has(event.type)) {
			if (this.#isFirst(instance)) this.#counters.saw(true);
			return;
		}
		if (this.#stopped !== undefined) {
			this.#log?.remind("storage", "error", this.#stopped);
			return;
		}
		if (this.#stepsDown && this.#isOver) return;
		if (!this.#seen.isNew(event)) return;
		this.#counters.saw(false);
		this.#isOver = false;
		this.#trouble.remind();
		const urgency = this.#core.observe(event, this.#around.now());
		this.#timer.ask(urgency);
		const directory = instance.host?.directory;
		if (urgency >= SOON && directory !== undefined)
			this.#catchUp.fetchWanted(directory);
	}

	stepDown(): void {
		if (this.#isOver) return;
		this.#stepsDown = true;
		this.#catchUp.end();
		if (this.#drain(true)) this.#close();
	}

	/** Whether it came first of those that hear the same events. So what is never recorded is counted once, and nothing more is read of it. */
	#isFirst(instance: Instance): boolean {
		const directory = instance.host?.directory;
		const first = this.#instances.find(
			({ host }) => this.#hearsAll || host?.directory === directory,
		);
		return first === instance;
	}

	end(): void {
		// Nothing is opened for that alone.
		this.#isNews = false;
		const finish = (): RefusedCommand[] => this.#sink.finish?.() ?? [];
		if (this.#awaited === undefined) finish();
		else this.#settle(finish);
		for (let attempt = 0; attempt < LAST_ATTEMPTS; attempt++)
			if (this.#drain(true)) break;
		this.#timer.clear();
		this.#sink.close();
	}

	/** What is left is stored before this waits for anything: it may not be waited for. */
	async #finish(instance: Instance): Promise<void> {
		try {
			this.#drain(true);
			const directory = instance.host?.directory;
			const goesOn = this.#instances.some(
				(one) => one !== instance && one.host?.directory === directory,
			);
			if (directory === undefined || goesOn) return;
			await this.#catchUp.finish(directory);
		} catch (error) {
			this.#log?.failed("what events left incomplete is not asked for", error);
		}
	}

	/** Nothing is closed before all is stored: an instance may still come, or the timer bring the rest home. */
	async #leave(instance: Instance): Promise<void> {
		const place = this.#instances.indexOf(instance);
		if (place < 0) return;
		try {
			const stored = this.#drain(true);
			this.#instances.splice(place, 1);
			if (instance.host !== undefined) this.#leaveCatchUp(instance.host);
			if (stored && this.#isLeft) this.#close();
			await this.#unawaited();
		} catch (error) {
			instance.log.failed("the last events were not stored", error);
		}
	}

	/** Until nothing is being stored, a second at most. */
	async #unawaited(): Promise<void> {
		if (this.#awaited === undefined) return;
		let isLate = false;
		const late = pause(LEAVE_MS, this.#around.clock).then(() => {
			isLate = true;
		});
		while (this.#awaited !== undefined && !isLate)
			await Promise.race([this.#awaited.catch(() => {}), late]);
	}

	/** The core stays: OpenCode 1.x tells a plugin that it has disposed of a last few events, which go on from what is known. */
	#close(): void {
		this.#sink.close();
		this.#isOver = this.#isLeft;
	}

	/** Whether nobody needs it any more. */
	get #isLeft(): boolean {
		return this.#instances.length === 0 || this.#stepsDown;
	}

	/** A directory is caught up on as long as it has an instance, through the newest one. */
	#leaveCatchUp({ directory }: Host): void {
		const others = this.#instances.map(({ host }) => host);
		const next = others.findLast((host) => host?.directory === directory);
		if (next === undefined) this.#catchUp.leave(directory);
		else this.#catchUp.handOver(next);
	}

	/** Stores what is due, a slice of it or `all`. Whether nothing is left that should have been stored. */
	#drain(all = false): boolean {
		if (this.#stopped !== undefined) return true;
		for (;;) {
			this.#again = this.#awaited !== undefined;
			if (this.#again) return false;
			const batch = this.#core.drain(SLICE_BYTES);
			for (const notice of this.#core.notices()) this.#log?.log("warn", notice);
			if (batch.length === 0 && !this.#isNews) return true;
			this.#isNewsAlone = batch.length === 0;
			this.#isNews = false;
			this.#timer.clear();
			const report = this.#counters.report(
				batch,
				this.#core.takeCounts(),
				this.#around.now(),
			);
			if (!this.#settle(() => this.#sink.apply(batch, report))) return false;
			if (!this.#core.hasDue()) return true;
			if (all) continue;
			this.#timer.next();
			return false;
		}
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
			this.#counters.stored();
			for (const one of refused) this.#refused(one);
			this.#succeeded();
			return true;
		} catch (error) {
			this.#core.settle(false);
			return this.#failed(error);
		}
	}

	#await(applied: Promise<RefusedCommand[]>): void {
		const settle = (outcome: () => RefusedCommand[]): void => {
			// At the process's end it was not waited for.
			if (this.#awaited !== applied || !this.#settle(outcome)) return;
			const isLeft = this.#isLeft;
			const isMore = this.#again || isLeft || this.#core.hasDue();
			if (isMore && this.#drain() && isLeft) this.#close();
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
		this.#counters.wentWrong(
			`a command was refused: ${reason}`,
			this.#around.now(),
		);
		this.#log?.failed(`a \`${command.method}\` was refused`, reason);
	}

	/** Catch-up came to its end. That something is missing, or is not any more, is stored at once. */
	#caughtUp(isWhole: boolean): void {
		if (isWhole) this.#log?.over("events", "what was missed is here");
		this.#counters.caughtUp(isWhole, this.#around.now());
		this.#isNews = this.#counters.isNews && !this.#isLeft;
		if (this.#isNews) this.#timer.ask(SOON);
	}

	#succeeded(): void {
		this.#trouble.over(`storing again to \`${this.#sink.target}\``);
		this.#failures = 0;
		if (this.#hasEvicted || this.#toFetch.size > 0)
			this.#catchUp.compareAll([...this.#toFetch]);
		else this.#catchUp.resume();
		this.#hasEvicted = false;
		this.#toFetch.clear();
	}

	/** Whether it holds nothing up: then the next batch tells what this was to tell. */
	#failed(error: unknown): boolean {
		const kind = error instanceof SinkError ? error.kind : "unavailable";
		this.#counters.wentWrong(describe(error), this.#around.now());
		if (kind === "unsupported") {
			this.#stop(`nothing is recorded: ${describe(error)}`);
			return false;
		}
		if (kind === "replaced") {
			this.#replaced(describe(error));
			return false;
		}
		if (this.#isNewsAlone) return true;
		this.#holdLess();
		this.#failures += 1;
		this.#timer.pause(this.#failures);
		this.#trouble.failed(kind, describe(error), this.#failures);
		return false;
	}

	/** What nobody has stored is more than a process should hold: OpenCode has most of it, too. */
	#holdLess(): void {
		const gone = this.#core.evict(MOST_HELD, this.#pendingBytes);
		if (gone === undefined) return;
		this.#counters.isBehind(this.#around.now());
		const hadEvicted = this.#hasEvicted || this.#toFetch.size > 0;
		let what = `the longest texts of ${this.#pendingBytes / MIB} MiB`;
		if (gone.what === "all") {
			this.#core.forgetStored();
			this.#hasEvicted = true;
			what = `${gone.changes} changes`;
		} else for (const id of gone.sessions) this.#toFetch.add(id);
		const message = `${what} could not be stored, and are let go of: OpenCode is asked for them once something can be stored`;
		if (!hadEvicted || gone.what === "all")
			this.#log?.trouble("events", "warn", message);
	}

	/** Another database is in the place of the one that was written: it is to have all that OpenCode has. */
	#replaced(message: string): void {
		this.#core.forgetStored();
		this.#counters.isBehind(this.#around.now());
		this.#timer.ask(SOON);
		this.#trouble.replaced(message);
		this.#catchUp.compareAll();
	}

	#trapped(error: unknown): void {
		if (this.#core.dead)
			this.#stop(`nothing is recorded any more: ${MOST_TRAPS} crashes`);
		else
			this.#log?.trouble(
				"events",
				"error",
				`the core was restarted: ${describe(error)}`,
			);
		// What was thrown may say what was being read: it is not stored.
		this.#counters.wentWrong("the core was restarted", this.#around.now());
		// What it knew and had not drained is lost: OpenCode is asked for it.
		this.#counters.isBehind(this.#around.now());
		this.#catchUp.compareAll();
	}

	/** Recording is over for this process; what is held is let go, and OpenCode goes on. */
	#stop(message: string): void {
		this.#stopped = message;
		this.#catchUp.end();
		this.#timer.clear();
		this.#awaited = undefined;
		this.#close();
		this.#core.free();
		this.#log?.notify(message, "storage");
	}

	/** The newest instance's: the others may have ended without a word. */
	get #log(): HostLog | undefined {
		return this.#instances.at(-1)?.log;
	}
}
