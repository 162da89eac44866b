/** Starts the thread that writes. The build puts the thread's code itself in the place of its file. */
import { Worker, type WorkerOptions } from "node:worker_threads";

/** Starts it. Throws where the runtime has no threads. */
export function startThread(options: WorkerOptions): Worker {
	return new Worker(new URL("./thread.ts", import.meta.url), options);
}
