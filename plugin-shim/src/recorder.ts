/** Records into one database: events into the core, the core's commands into the sink. */
import type { CoreOptions } from "../../pkg/clankers.js";
import { MOST_TRAPS, SurvivingCore } from "./core.ts";
import { DrainTimer } from "./drain-timer.ts";
import type { BusEvent } from "./host.ts";
import type { SharedRecorder } from "./registry.ts";
import { SeenEvents } from "./seen.ts";
import { type Sink, SinkError } from "./sinks/sink.ts";
import { describe, type Voice } from "./voice.ts";

/** Failures in a row before the person is shown one: a lock of a moment is nobody's concern. */
const FAILURES_UNTIL_TOLD = 3;
/** Attempts at the process's end, each at most a busy timeout long. */
const LAST_ATTEMPTS = 5;

/** One core, one sink, and the instances that feed them. */
export class Recorder implements SharedRecorder {
	readonly ignored: ReadonlySet<string>;
	readonly #core: SurvivingCore;
	readonly #sink: Sink;
	readonly #timer: DrainTimer = new DrainTimer(() => this.#drain());
	readonly #seen = new SeenEvents();
	/** The instances in the order they came; the newest one speaks. */
	readonly #voices: Voice[] = [];
	#failures = 0;
	#told = false;
	#stopped = false;

	/** The core has to be loaded. `ignored` are the event types that it knows and has no use for. */
	constructor(options: CoreOptions, ignored: readonly string[], sink: Sink) {
		this.ignored = new Set(ignored);
		this.#core = new SurvivingCore(options, (error) => this.#trapped(error));
		this.#sink = sink;
	}

	join(voice: Voice): () => void {
		this.#voices.push(voice);
		voice.log("info", `records to \`${this.#sink.target}\``);
		return () => this.#leave(voice);
	}

	observe(event: BusEvent): void {
		if (this.#stopped || !this.#seen.isNew(event)) return;
		this.#timer.ask(this.#core.observe(event, Date.now()));
	}

	end(): void {
		for (let attempt = 0; attempt < LAST_ATTEMPTS; attempt++)
			if (this.#drain()) break;
		this.#timer.clear();
		this.#sink.close();
	}

	/** Nothing is closed before all is stored: an instance may still come, or the timer bring the rest home. */
	#leave(voice: Voice): void {
		const place = this.#voices.indexOf(voice);
		if (place < 0) return;
		const stored = this.#drain();
		this.#voices.splice(place, 1);
		if (!stored || this.#voices.length > 0) return;
		this.#sink.close();
		this.#core.free();
	}

	/** Stores what is due. Whether nothing is left that should have been stored. */
	#drain(): boolean {
		if (this.#stopped) return true;
		const batch = this.#core.drain();
		for (const notice of this.#core.notices()) this.#voice?.log("warn", notice);
		if (batch.length === 0) return true;
		try {
			const refused = this.#sink.apply(batch);
			this.#core.settle(true);
			for (const { command, reason } of refused)
				this.#voice?.failed(`a \`${command.method}\` was refused`, reason);
			this.#succeeded();
			return true;
		} catch (error) {
			this.#core.settle(false);
			this.#failed(error);
			return false;
		}
	}

	#succeeded(): void {
		this.#timer.clear();
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
	}

	/** Recording is over for this process; what is held is let go, and OpenCode goes on. */
	#stop(message: string): void {
		this.#stopped = true;
		this.#timer.clear();
		this.#core.free();
		this.#sink.close();
		this.#voice?.tell(message);
	}

	get #voice(): Voice | undefined {
		return this.#voices.at(-1);
	}
}
