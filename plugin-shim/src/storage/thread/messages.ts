/** What the thread that writes and the one that asks it tell each other. */
import type {
	Command,
	Store,
	StoredRequest,
} from "../../../../pkg/clankers.js";
import type { Database } from "../../config.ts";
import type { SinkError } from "../sink.ts";
import type { BatchId } from "../sqlite.ts";

/** What the thread is started with. */
export interface Setup {
	readonly database: Database;
	readonly store: Store;
}

/** What it is to do. It answers each but the last, in their order. */
export type Task =
	| {
			readonly kind: "apply";
			readonly commands: readonly Command[];
			readonly id: BatchId;
	  }
	| { readonly kind: "stored"; readonly request: StoredRequest }
	| {
			/** Lets go of the file, says what became of the last batch, and ends. */
			readonly kind: "end";
			/** One 32-bit number: an `Ending`, of which the other thread is woken. */
			readonly ending: SharedArrayBuffer;
	  };

/** What it answers; `ready` once, before everything else. */
export type Reply =
	| { readonly kind: "ready" }
	| {
			readonly kind: "applied";
			/** The commands that were refused, by their places in the batch, and why. */
			readonly refused: readonly (readonly [place: number, reason: string])[];
	  }
	| { readonly kind: "rows"; readonly rows: readonly unknown[] }
	| {
			readonly kind: "failed";
			readonly why: SinkError["kind"];
			readonly message: string;
	  };

/** How a thread has ended: not yet, with all it was given in the file, or with its last batch not stored. */
export const ENDING = { none: 0, stored: 1, failed: 2 } as const;
