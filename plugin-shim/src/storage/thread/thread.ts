/** The thread that writes: the in-process sink, away from the thread that OpenCode works on. */
import { parentPort, workerData } from "node:worker_threads";
import { describe } from "../../hosts/host-log.ts";
import { SinkError } from "../sink.ts";
import { SqliteSink } from "../sqlite.ts";
import { ENDING, type Reply, type Setup, type Task } from "./messages.ts";

const port = parentPort;
const { database, store, last } = workerData as Setup;
const sink = new SqliteSink(database, store);
sink.last = last;
/** Whether what came last is in the file. */
let isStored = true;

port?.on("message", (task: Task) => {
	if (task.kind === "end") end(task.ending);
	else port.postMessage(replyTo(task));
});
port?.postMessage({ kind: "ready" } satisfies Reply);

function replyTo(task: Exclude<Task, { kind: "end" }>): Reply {
	try {
		if (task.kind === "stored")
			return { kind: "rows", rows: sink.stored(task.request) };
		isStored = false;
		const refused = sink.store(task.batches);
		isStored = true;
		const all = task.batches.flatMap(({ commands }) => commands);
		return {
			kind: "stored",
			refused: refused.map(({ command, reason }) => [
				all.indexOf(command),
				reason,
			]),
			last: sink.last,
		};
	} catch (error) {
		const why = error instanceof SinkError ? error.kind : "unavailable";
		return { kind: "failed", why, message: describe(error) };
	}
}

function end(ending: SharedArrayBuffer): void {
	sink.close();
	const cell = new Int32Array(ending);
	Atomics.store(cell, 0, isStored ? ENDING.stored : ENDING.failed);
	Atomics.notify(cell, 0);
	port?.close();
}
