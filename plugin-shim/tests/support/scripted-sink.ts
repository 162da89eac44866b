/** A sink that keeps its batches and fails when it is told to. */
import type {
	Command,
	StoredMessage,
	StoredSession,
} from "../../../pkg/clankers.js";
import {
	type RefusedCommand,
	type Sink,
	SinkError,
} from "../../src/storage/sink.ts";

export class ScriptedSink implements Sink {
	readonly target = "the scripted sink";
	/** What was stored, a batch each. */
	readonly batches: Command[][] = [];
	/** What `apply` throws from now on, if anything. */
	failure: unknown;
	/** What `apply` says it could not store. */
	refused: RefusedCommand[] = [];
	attempts = 0;
	closed = 0;

	apply(commands: readonly Command[]): RefusedCommand[] {
		this.attempts += 1;
		if (this.failure !== undefined) throw this.failure;
		this.batches.push([...commands]);
		return this.refused;
	}

	stored(): StoredSession[] {
		return [];
	}

	storedMessages(): StoredMessage[] {
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

export function incompatible(message: string): SinkError {
	return new SinkError("incompatible", message);
}
