/** What the thread that writes and the one that asks it tell each other. */
import type { Store, StoredRequest } from "../../../../pkg/clankers.js";
import type { Database } from "../../config.ts";
import type { Batch } from "../open-database.ts";
import type { SinkError } from "../sink.ts";

/** What the thread is started with. */
export interface Setup {
	readonly database: Database;
	readonly store: Store;
	/** The database that was written last, if any was. */
	readonly last: string | undefined;
}

/** What it is to do. It answers each but the last, in their order. */
export type Task =
	| { readonly kind: "store"; readonly batches: readonly Batch[] }
	| { readonly kind: "stored"; readonly request: StoredRequest }
	| {
			/** Lets go of the file, says what became of the last `store`, and ends. */
			readonly kind: "end";
			/** One 32-bit number: an `Ending`, of which the other thread is woken. */
			readonly ending: SharedArrayBuffer;
	  };

/** What it answers; `ready` once, before everything else. */
export type Reply =
	| { readonly kind: "ready" }
	| {
			readonly kind: "stored";
			/** The commands that were refused, by their places among all, and why. */
			readonly refused: readonly (readonly [place: number, reason: string])[];
			/** The database they are in. */
			readonly last: string | undefined;
	  }
	| { readonly kind: "rows"; readonly rows: readonly unknown[] }
	| {
			readonly kind: "failed";
			readonly why: SinkError["kind"];
			readonly message: string;
	  };

/** How a thread has ended: not yet, with all it was given in the file, or with the last of it not stored. */
export const ENDING = { none: 0, stored: 1, failed: 2 } as const;
