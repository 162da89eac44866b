/**
 * A thread in the place of the one that writes, on a machine that has no time for
 * it: it holds the database's lock for longer than it is waited for at the
 * process's end, and stores only then what it was given.
 */
import { setTimeout as pause } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { SqliteSink } from "../../src/storage/sqlite.ts";
import type { Reply, Setup, Task } from "../../src/storage/thread/messages.ts";
import { lock } from "./query.ts";

const LOCKED_MS = 2500;

const { database, store } = workerData as Setup;
const sink = new SqliteSink(database, store);
parentPort?.on("message", async (task: Task) => {
	if (task.kind !== "store") return;
	const unlock = lock(database.path);
	parentPort?.postMessage({ kind: "ready" } satisfies Reply);
	await pause(LOCKED_MS);
	unlock();
	sink.store(task.batches);
	sink.close();
	parentPort?.close();
});
