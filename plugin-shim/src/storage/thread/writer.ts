/** A thread that writes, as the one that asks it sees it. */
import type { Worker } from "node:worker_threads";
import { describe } from "../../hosts/host-log.ts";
import { ENDING, type Reply, type Setup, type Task } from "./messages.ts";
import { startThread } from "./start.ts";

/** One that has not begun by then is not waited for any longer. */
const START_MS = 30_000;

/** How a thread is started, replaceable in tests. */
export type StartThread = typeof startThread;

/** Called with the answer, or with nothing where the thread ended without one. */
type Answered = (reply: Reply | undefined) => void;

/** A running thread. It does not keep the process alive. */
export class Thread {
	readonly #worker: Worker;
	readonly #lost: (why: string) => void;
	/** Who waits for an answer, in the order of the tasks. */
	readonly #waiting: Answered[] = [];
	#isOver = false;
	/** Becomes an `ENDING` once it has ended as it was told. */
	#ending: Int32Array<SharedArrayBuffer> | undefined;
	readonly #watch: NodeJS.Timeout;

	/** `lost` hears that it has ended by itself, or never began. Nothing where there are no threads, of which it hears too. */
	static start(
		setup: Setup,
		lost: (why: string) => void,
		start: StartThread = startThread,
	): Thread | undefined {
		try {
			return new Thread(start, setup, lost);
		} catch (error) {
			lost(describe(error));
			return undefined;
		}
	}

	private constructor(
		start: StartThread,
		setup: Setup,
		lost: (why: string) => void,
	) {
		this.#lost = lost;
		// Its streams are not the process's: nothing is printed to OpenCode's terminal.
		this.#worker = start({
			...{ name: "clankers", workerData: setup },
			...{ execArgv: [], stdout: true, stderr: true },
			// Node would close them with the thread, and with them the locks of others.
			trackUnmanagedFds: false,
		});
		this.#worker.on("message", (reply: Reply) => this.#heard(reply));
		this.#worker.on("error", (error) => this.#ended(describe(error)));
		this.#worker.on("exit", (code) => this.#ended(`code ${code}`));
		// In Node it takes a listener for a reason to stay alive.
		this.#worker.unref();
		this.#watch = setTimeout(() => this.#ended("it did not begin"), START_MS);
		this.#watch.unref();
	}

	/** Gives it something to do. */
	do(task: Task, answered: Answered): void {
		this.#worker.postMessage(task);
		this.#waiting.push(answered);
	}

	/** Lets it end after all it was given. What it answers meanwhile is heard. */
	end(): void {
		if (this.#isOver) return;
		this.#close();
		const ending = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
		this.#worker.postMessage({ kind: "end", ending } satisfies Task);
		this.#ending = new Int32Array(ending);
	}

	/** Stands still until it has ended, so long at most. How it has, an `ENDING`. */
	wait(patienceMs: number): number {
		if (this.#ending === undefined) return ENDING.failed;
		try {
			Atomics.wait(this.#ending, 0, ENDING.none, patienceMs);
		} catch {
			// There are threads that may not stand still.
		}
		return Atomics.load(this.#ending, 0);
	}

	#heard(reply: Reply): void {
		clearTimeout(this.#watch);
		if (reply.kind !== "ready") this.#waiting.shift()?.(reply);
	}

	#ended(why: string): void {
		if (!this.#isOver) {
			this.#close();
			this.#lost(why);
		}
		for (const answered of this.#waiting.splice(0)) answered(undefined);
	}

	#close(): void {
		this.#isOver = true;
		clearTimeout(this.#watch);
	}
}
