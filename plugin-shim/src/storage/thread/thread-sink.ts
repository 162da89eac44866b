/**
 * The in-process sink in a thread of its own, so that OpenCode's thread waits
 * neither for the disk nor for a lock. At the process's end, which waits for no
 * promise, it is waited for a moment; where it cannot be had, or has ended, this
 * thread writes. A batch has a number by which the file tells that it is stored.
 */
import { randomUUID } from "node:crypto";
import type {
	Command,
	Report,
	Store,
	StoredRequest,
} from "../../../../pkg/clankers.js";
import type { Database } from "../../config.ts";
import type { Batch } from "../open-database.ts";
import {
	isReplaced,
	type RefusedCommand,
	type Sink,
	SinkError,
	type SinkListener,
} from "../sink.ts";
import { SqliteSink } from "../sqlite.ts";
import { ENDING, type Reply } from "./messages.ts";
import { type StartThread, Thread } from "./writer.ts";

/** How long the thread is waited for at the process's end. */
const LAST_MS = 2000;
/** Attempts to store then what another may be storing, each at most a busy timeout long: two seconds in all. */
const LAST_ATTEMPTS = 40;

/** What is not known to be stored. */
interface Flight {
	readonly batches: readonly Batch[];
	readonly resolve: (refused: RefusedCommand[]) => void;
	readonly reject: (error: unknown) => void;
}

/** Has batches written by a thread. */
export class ThreadSink implements Sink {
	readonly target: string;
	readonly #database: Database;
	readonly #store: Store;
	readonly #start: StartThread | undefined;
	readonly #writer: string = randomUUID();
	/** What writes where there is no thread. It knows which database is written. */
	readonly #here: SqliteSink;
	#number = 0;
	#thread: Thread | undefined;
	/** The one that was told last to end. */
	#ending: Thread | undefined;
	#flight: Flight | undefined;
	/** Whether this thread writes from now on. */
	#isAlone = false;
	#listener: SinkListener | undefined;

	constructor(database: Database, store: Store, start?: StartThread) {
		this.target = database.path;
		this.#database = database;
		this.#store = store;
		this.#start = start;
		this.#here = new SqliteSink(database, store);
	}

	attend(listener: SinkListener): void {
		this.#listener = listener;
	}

	apply(
		commands: readonly Command[],
		report?: Report,
	): RefusedCommand[] | Promise<RefusedCommand[]> {
		if (commands.length === 0 && report === undefined) return [];
		this.#number += 1;
		const id = { writer: this.#writer, number: this.#number, report };
		return this.store([{ commands, id }]);
	}

	/** Applies batches that are numbered already as `apply` does one: all of them or none. What has been stored already is left out. */
	store(
		batches: readonly Batch[],
	): RefusedCommand[] | Promise<RefusedCommand[]> {
		const thread = this.#running();
		if (thread === undefined) return this.#here.store(batches);
		return new Promise((resolve, reject) => {
			const flight = { batches, resolve, reject };
			this.#flight = flight;
			thread.do({ kind: "store", batches }, (reply) =>
				this.#answered(flight, reply),
			);
		});
	}

	/** `left`: what another process was to store, and may have stored. */
	finish(left: readonly Batch[] = []): RefusedCommand[] {
		this.#isAlone = true;
		this.#endThread();
		const ending = this.#ending?.wait(LAST_MS);
		const flight = this.#flight;
		this.#flight = undefined;
		const isStored = flight === undefined || ending === ENDING.stored;
		const batches = isStored ? left : [...flight.batches, ...left];
		const isElsewhere = ending === ENDING.none || left.length > 0;
		return this.#storeLast(batches, isElsewhere ? LAST_ATTEMPTS : 1);
	}

	async stored(request: StoredRequest): Promise<readonly unknown[]> {
		const thread = this.#running();
		if (thread === undefined) return this.#here.stored(request);
		const reply = await new Promise<Reply | undefined>((resolve) =>
			thread.do({ kind: "stored", request }, resolve),
		);
		if (reply?.kind === "rows") return reply.rows;
		if (reply?.kind === "failed") throw failure(reply);
		return this.#here.stored(request);
	}

	close(): void {
		this.#endThread();
		this.#here.close();
	}

	#storeLast(batches: readonly Batch[], attempts: number): RefusedCommand[] {
		if (batches.length === 0) return [];
		for (let attempt = 1; ; attempt++)
			try {
				return this.#here.store(batches);
			} catch (error) {
				// Whoever is storing this very batch may hold the lock.
				if (attempt >= attempts || isReplaced(error)) throw error;
			}
	}

	#running(): Thread | undefined {
		if (this.#isAlone) return undefined;
		this.#thread ??= Thread.start(
			{
				database: this.#database,
				store: this.#store,
				last: this.#here.last,
			},
			(why) => this.#lost(why),
			this.#start,
		);
		return this.#thread;
	}

	#endThread(): void {
		this.#thread?.end();
		this.#ending = this.#thread ?? this.#ending;
		this.#thread = undefined;
	}

	#answered(flight: Flight, reply: Reply | undefined): void {
		if (reply?.kind === "stored") this.#here.last = reply.last;
		if (this.#flight !== flight) return;
		this.#flight = undefined;
		if (reply?.kind === "stored") flight.resolve(refusals(flight, reply));
		else if (reply?.kind === "failed") flight.reject(failure(reply));
		else this.#land(flight);
	}

	/** The thread has ended with it under way. */
	#land(flight: Flight): void {
		try {
			flight.resolve(this.#here.store(flight.batches));
		} catch (error) {
			flight.reject(error);
		}
	}

	#lost(why: string): void {
		this.#isAlone = true;
		this.#thread = undefined;
		this.#listener?.log(
			"warn",
			`the thread that writes \`${this.target}\` has ended (${why}): OpenCode's own does it now`,
		);
	}
}

function refusals(
	{ batches }: Flight,
	{ refused }: Extract<Reply, { kind: "stored" }>,
): RefusedCommand[] {
	const all = batches.flatMap(({ commands }) => commands);
	return refused.flatMap(([place, reason]) => {
		const command = all[place];
		return command === undefined ? [] : [{ command, reason }];
	});
}

function failure({ why, message }: Extract<Reply, { kind: "failed" }>): Error {
	return new SinkError(why, message);
}
