/** What applies commands. A sink knows nothing of OpenCode. */
import type { Command, Report, StoredRequest } from "../../../pkg/clankers.js";

/** Where the core's commands become rows. Nothing is opened before it is needed. */
export interface Sink {
	/** Where the rows go, in words for a person. */
	readonly target: string;
	/**
	 * Applies all commands or, where it throws or rejects with a `SinkError`,
	 * leaves all of them to be applied again, `replaced` ones once the core has
	 * forgotten what is stored. A command that can never be applied
	 * is left out and returned, so that it does not hold up the others for ever.
	 * A sink that waits for another process answers with a promise, and is given
	 * the next batch once that is settled. `report`, how the recorder is, is stored
	 * with them, or by itself where there are none.
	 */
	apply(
		commands: readonly Command[],
		report?: Report,
	): RefusedCommand[] | Promise<RefusedCommand[]>;
	/**
	 * The process ends: the batch whose promise is not settled is applied before
	 * this returns, as `apply` says, and what is given to `apply` from now on too.
	 */
	finish?(): RefusedCommand[];
	/**
	 * The rows that answer a request for what is stored, with everything applied
	 * before. Throws, or rejects with, a `SinkError`.
	 */
	stored(
		request: StoredRequest,
	): readonly unknown[] | Promise<readonly unknown[]>;
	/** Names who is to hear of what happens between calls; a sink that works in the background begins. */
	attend?(listener: SinkListener): void;
	/** Lets go of everything held; a later `apply` opens it again. */
	close(): void;
}

/** Who hears of what happens between calls. */
export interface SinkListener {
	/** Something for the log. */
	log(level: "info" | "warn", message: string): void;
	/** Something that a person has to see of the process that the rows go to. */
	notify(message: string): void;
	/** That process is well; `wasNotified` where the person was shown otherwise. */
	well(message: string, wasNotified: boolean): void;
	/**
	 * The rows go to another process again, and perhaps into another file than
	 * meanwhile: what is stored there may lack what these sessions became.
	 */
	ready(sessionIds: readonly string[]): void;
	/** Another database is in the place of the one that was written; the message is for a person. */
	replaced(message: string): void;
}

/** A command that the storage refused for what is in it. */
export interface RefusedCommand {
	readonly command: Command;
	readonly reason: string;
}

/**
 * Why nothing was stored: `unavailable` may be over in a moment (locked, disk
 * full), `incompatible` lasts until somebody puts it right (a newer schema, a
 * file of something else), `unsupported` as long as the process (its SQLite is
 * too old). `replaced` is over at the next attempt: another file is in the place
 * of the one that was written, and has not what was stored there.
 */
export class SinkError extends Error {
	override readonly name = "SinkError";
	readonly kind: "unavailable" | "incompatible" | "unsupported" | "replaced";

	constructor(kind: SinkError["kind"], message: string, cause?: unknown) {
		super(message, { cause });
		this.kind = kind;
	}
}

/** Whether another file is in the place of the one that was written. */
export function isReplaced(error: unknown): boolean {
	return error instanceof SinkError && error.kind === "replaced";
}
