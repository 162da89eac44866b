/** The hooks: OpenCode's events go in, and nothing ever comes out or is thrown. */

import type { Store } from "../../pkg/clankers.js";
import { type Config, readConfig } from "./config.ts";
import { loadCore } from "./core.ts";
import { HostLog } from "./hosts/host-log.ts";
import {
	type Hooks,
	OpenCode1Host,
	type PluginInput,
} from "./hosts/opencode1.ts";
import { Recorder } from "./recorder.ts";
import { recorderFor, type SharedRecorder } from "./registry.ts";
import { DaemonSink } from "./storage/daemon/daemon-sink.ts";
import type { Sink } from "./storage/sink.ts";
import { SqliteSink } from "./storage/sqlite.ts";
import { VERSION } from "./version.ts";

/** One answer for every call of the `event` hook, so that none allocates. */
const DONE: Promise<void> = Promise.resolve();

/** Starts recording one project's events. Awaits nothing and never rejects. */
export async function record(
	input: PluginInput,
	options?: Record<string, unknown>,
): Promise<Hooks> {
	const log = new HostLog(input.client);
	try {
		const recorder = open(log, options);
		const { client, directory } = input;
		const host =
			client && directory
				? new OpenCode1Host(client, directory, log)
				: undefined;
		const member = recorder.join({ log, host });
		return {
			event: (input) => {
				try {
					const { event } = input;
					if (!recorder.ignored.has(event.type)) member.observe(event);
				} catch (error) {
					log.failed("an event was not recorded", error);
				}
				return DONE;
			},
			dispose: () => {
				try {
					member.leave();
				} catch (error) {
					log.failed("the last events were not stored", error);
				}
				return DONE;
			},
		};
	} catch (error) {
		log.failed("nothing is recorded", error);
		return {};
	}
}

/** The recorder of the configured database: this process has one, however often the plugin is loaded. */
function open(
	log: HostLog,
	options: Record<string, unknown> | undefined,
): SharedRecorder {
	const { config, problems } = readConfig(options, process.env);
	log.level = config.logLevel;
	for (const problem of problems) log.log("warn", problem);
	const { onDelete } = config;
	return recorderFor(`${onDelete} ${placeOf(config)}`, () => {
		const { eventTypes, store } = loadCore();
		const sink = sinkOf(config, store);
		return new Recorder({ onDelete }, eventTypes.ignored, sink);
	});
}

/** What tells one place of the rows from another. */
function placeOf({ storage, database, daemon }: Config): string {
	const { path } = database;
	return storage === "daemon" ? `${path} ${daemon.socketPath}` : path;
}

function sinkOf({ storage, database, daemon }: Config, store: Store): Sink {
	if (storage === "sqlite") return new SqliteSink(database, store);
	return new DaemonSink({
		...{ ...daemon, database, store },
		clientVersion: VERSION,
	});
}
