/** The hooks: OpenCode's events go in, and nothing ever comes out or is thrown. */

import type { Store } from "../../pkg/clankers.js";
import { type Config, readConfig } from "./config.ts";
import { loadCore } from "./core.ts";
import type { Hooks, PluginInput } from "./host.ts";
import { Recorder } from "./recorder.ts";
import { recorderFor, type SharedRecorder } from "./registry.ts";
import { SessionApi } from "./session-api.ts";
import { DaemonSink } from "./storage/daemon/daemon-sink.ts";
import type { Sink } from "./storage/sink.ts";
import { SqliteSink } from "./storage/sqlite.ts";
import { VERSION } from "./version.ts";
import { Voice } from "./voice.ts";

/** One answer for every call of the `event` hook, so that none allocates. */
const DONE: Promise<void> = Promise.resolve();

/** Starts recording one project's events. Awaits nothing and never rejects. */
export async function record(
	input: PluginInput,
	options?: Record<string, unknown>,
): Promise<Hooks> {
	const voice = new Voice(input.client);
	try {
		const recorder = open(voice, options);
		const { client, directory } = input;
		const member = recorder.join({
			voice,
			project:
				client && directory
					? { directory, api: new SessionApi(client, directory) }
					: undefined,
		});
		return {
			event: (input) => {
				try {
					const { event } = input;
					if (!recorder.ignored.has(event.type)) member.observe(event);
				} catch (error) {
					voice.failed("an event was not recorded", error);
				}
				return DONE;
			},
			dispose: () => {
				try {
					member.leave();
				} catch (error) {
					voice.failed("the last events were not stored", error);
				}
				return DONE;
			},
		};
	} catch (error) {
		voice.failed("nothing is recorded", error);
		return {};
	}
}

/** The recorder of the configured database: this process has one, however often the plugin is loaded. */
function open(
	voice: Voice,
	options: Record<string, unknown> | undefined,
): SharedRecorder {
	const { config, problems } = readConfig(options, process.env);
	voice.level = config.logLevel;
	for (const problem of problems) voice.log("warn", problem);
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
