/**
 * The in-process sink in a thread of its own, so that OpenCode's thread waits
 * neither for the disk nor for a lock. At the process's end, which waits for no
 * promise, it is waited for a moment; where it cannot be had, or has ended, this
 * thread writes. A batch has a number by which the file tells that it is stored.
 */
import { randomUUID } from "node:crypto";
import type {
	Command,
	Store,
	StoredRequest,
} from "../../../../pkg/clankers.js";
import type { Database } from "../../config.ts";
import {
	type RefusedCommand,
	type Sink,
	SinkError,
	type SinkListener,
} from "../sink.ts";
import { type BatchId, SqliteSink } from "../sqlite.ts";
import type { Reply } from "./messages.ts";
import { type StartThread, Thread } from "./writer.ts";

/** How long the thread is waited for at the process's end. */
const LAST_MS = 2000;

/** The batch that is not known to be stored. */
interface Flight {
	readonly commands: readonly Command[];
	readonly id: BatchId;
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
	/** What writes where there is no thread. */
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
	): RefusedCommand[] | Promise<RefusedCommand[]> {
		if (commands.length === 0) return [];
		this.#number += 1;
		const id = { writer: this.#writer, number: this.#number };
		const thread = this.#running();
		if (thread === undefined) return this.#here.apply(commands, id);
		return new Promise((resolve, reject) => {
			const flight = { commands, id, resolve, reject };
			this.#flight = flight;
			thread.do({ kind: "apply", commands, id }, (reply) =>
				this.#applied(flight, reply),
			);
		});
	}

	finish(): RefusedCommand[] {
		this.#isAlone = true;
		this.#endThread();
		const isStored = this.#ending?.wait(LAST_MS) === true;
		const flight = this.#flight;
		this.#flight = undefined;
		if (flight === undefined || isStored) return [];
		// By its number: the thread may be storing it yet.
		return this.#here.apply(flight.commands, flight.id);
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

	#running(): Thread | undefined {
		if (this.#isAlone) return undefined;
		this.#thread ??= Thread.start(
			{ database: this.#database, store: this.#store },
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

	#applied(flight: Flight, reply: Reply | undefined): void {
		if (this.#flight !== flight) return;
		this.#flight = undefined;
		if (reply?.kind === "applied") flight.resolve(refusals(flight, reply));
		else if (reply?.kind === "failed") flight.reject(failure(reply));
		else this.#land(flight);
	}

	/** The thread has ended with the batch under way. */
	#land(flight: Flight): void {
		try {
			flight.resolve(this.#here.apply(flight.commands, flight.id));
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
	{ commands }: Flight,
	{ refused }: Extract<Reply, { kind: "applied" }>,
): RefusedCommand[] {
	return refused.flatMap(([place, reason]) => {
		const command = commands[place];
		return command === undefined ? [] : [{ command, reason }];
	});
}

function failure({ why, message }: Extract<Reply, { kind: "failed" }>): Error {
	return new SinkError(why, message);
}
