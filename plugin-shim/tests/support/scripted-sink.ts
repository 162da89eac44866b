/** A sink that keeps its batches, and fails or waits when it is told to. */
import type { Command, Report } from "../../../pkg/clankers.js";
import {
	type RefusedCommand,
	type Sink,
	SinkError,
	type SinkListener,
} from "../../src/storage/sink.ts";

interface Waiting {
	readonly commands: readonly Command[];
	readonly report: Report | undefined;
	readonly resolve: (refused: RefusedCommand[]) => void;
	readonly reject: (error: unknown) => void;
}

export class ScriptedSink implements Sink {
	readonly target = "the scripted sink";
	/** What was stored, a batch each. */
	readonly batches: Command[][] = [];
	/** How the recorder was, as it was told with what was stored last. */
	report: Report | undefined;
	/** What `apply` throws from now on, if anything. */
	failure: unknown;
	/** What `apply` says it could not store. */
	refused: RefusedCommand[] = [];
	/** Whether `apply` waits until `land` is called. */
	waits = false;
	attempts = 0;
	closed = 0;
	listener: SinkListener | undefined;
	/** The batch that waits. */
	#waiting: Waiting | undefined;

	apply(
		commands: readonly Command[],
		report?: Report,
	): RefusedCommand[] | Promise<RefusedCommand[]> {
		if (!this.waits) return this.#store(commands, report);
		return new Promise((resolve, reject) => {
			this.#waiting = { commands, report, resolve, reject };
		});
	}

	attend(listener: SinkListener): void {
		this.listener = listener;
	}

	get isWaiting(): boolean {
		return this.#waiting !== undefined;
	}

	/** Settles the batch that waits, and lets those that wait for it go on. */
	async land(): Promise<void> {
		const waiting = this.#waiting;
		this.#waiting = undefined;
		try {
			waiting?.resolve(this.#store(waiting.commands, waiting.report));
		} catch (error) {
			waiting?.reject(error);
		}
		await new Promise((resolve) => setImmediate(resolve));
	}

	finish(): RefusedCommand[] {
		this.waits = false;
		const waiting = this.#waiting;
		this.#waiting = undefined;
		if (waiting === undefined) return [];
		return this.#store(waiting.commands, waiting.report);
	}

	#store(
		commands: readonly Command[],
		report: Report | undefined,
	): RefusedCommand[] {
		this.attempts += 1;
		if (this.failure !== undefined) throw this.failure;
		this.batches.push([...commands]);
		this.report = report;
		return this.refused;
	}

	stored(): unknown[] {
		return [];
	}

	close(): void {
		this.closed += 1;
	}

	/** The stored values of a parameter, in order. */
	values(method: Command["method"], parameter: string): unknown[] {
		return this.batches
			.flat()
			.filter((command) => command.method === method)
			.map(({ params }) => Object.entries(params))
			.map((entries) => entries.find(([name]) => name === parameter)?.[1]);
	}
}

export function unavailable(message: string): SinkError {
	return new SinkError("unavailable", message);
}

export function replaced(message: string): SinkError {
	return new SinkError("replaced", message);
}

export function incompatible(message: string): SinkError {
	return new SinkError("incompatible", message);
}

export function unsupported(message: string): SinkError {
	return new SinkError("unsupported", message);
}
