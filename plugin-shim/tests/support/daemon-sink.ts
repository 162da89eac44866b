/** Sinks of test daemons. */
import { loadCore } from "../../src/core.ts";
import { DaemonSink } from "../../src/storage/daemon/daemon-sink.ts";
import type { TestDaemon } from "./daemon.ts";

const { store } = loadCore();

/** A sink and what it said. */
export interface Heard {
	readonly sink: DaemonSink;
	readonly lines: string[];
	readonly told: string[];
	/** The sessions of which it said that they were written meanwhile, each time. */
	readonly ready: readonly (readonly string[])[];
}

/** How a sink differs from a plain one. */
interface Differences {
	/** Its own way to the database. */
	readonly path?: string;
	/** How long it waits. */
	readonly answerMs?: number;
	/** The schema that its commands are for. */
	readonly schema?: number;
}

/** A sink of this daemon. */
export function openDaemonSink(
	{ socketPath, databasePath }: TestDaemon,
	{
		path = databasePath,
		answerMs = 10_000,
		schema = store.schemaVersion,
	}: Differences = {},
): Heard {
	const sink = new DaemonSink({
		...{ socketPath, database: { path, inOwnFolder: false } },
		store: { ...store, schemaVersion: schema },
		clientVersion: "test",
		patience: { firstMs: 5, longestMs: 20, answerMs },
	});
	const lines: string[] = [];
	const told: string[] = [];
	const ready: (readonly string[])[] = [];
	sink.attend({
		log: (_level, message) => lines.push(message),
		notify: (message) => told.push(message),
		well: (message, wasNotified) => wasNotified && told.push(message),
		ready: (written) => ready.push(written),
		replaced: (message) => told.push(message),
	});
	return { sink, lines, told, ready };
}
