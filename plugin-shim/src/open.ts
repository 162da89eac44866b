/** Opens the recorder of the configured database. */
import type { Store } from "../../pkg/clankers.js";
import { type Config, readConfig } from "./config.ts";
import { type Dialect, loadCore } from "./core.ts";
import type { HostLog } from "./hosts/host-log.ts";
import { type TroubleLog, troubleLogOf } from "./hosts/trouble-log.ts";
import { isIgnored, readRecorded } from "./recorded.ts";
import { Recorder } from "./recorder.ts";
import { recorderFor, type SharedRecorder } from "./registry.ts";
import { DaemonSink } from "./storage/daemon/daemon-sink.ts";
import type { Sink } from "./storage/sink.ts";
import { ThreadSink } from "./storage/thread/thread-sink.ts";
import { VERSION } from "./version.ts";

/** Said of a directory that is not recorded. */
const IGNORED = "nothing is recorded of this directory: its settings ignore it";
const NO_CONTENT = "no content is recorded: its settings say `metadata`";

/** Finds the recorder; nothing while another release of clankers records in this process. */
export type Find = () => SharedRecorder | undefined;

/**
 * What finds the recorder for hosts that speak this dialect: this process has one, however
 * often the plugin is loaded. None where this directory is one that a person ignores.
 */
export function finderOf(
	dialect: Dialect,
	log: HostLog,
	options: Record<string, unknown> | undefined,
	directory: string | undefined,
): Find | undefined {
	const { config, problems } = readConfig(options, process.env);
	const { recorded, problems: more } = readRecorded(process.env);
	problems.push(...more);
	log.level = config.logLevel;
	if (!log.isHeard) log.file = fileFor(log, config);
	for (const problem of problems) log.trouble("settings", "warn", problem);
	if (problems.length === 0) log.over("settings", "every setting is used");
	if (config.storage === "sqlite") log.over("daemon", "no daemon is used");
	if (directory !== undefined && isIgnored(recorded, directory)) {
		log.log("info", IGNORED);
		return undefined;
	}
	if (recorded.content === "metadata") log.log("info", NO_CONTENT);
	const { onDelete } = config;
	const told = JSON.stringify(recorded);
	const name = `${dialect} ${onDelete} ${told} ${placeOf(config)}`;
	const make = (): Recorder => {
		const { eventTypes, store } = loadCore(dialect);
		const sink = sinkOf(config, store);
		return new Recorder(
			{ dialect, onDelete, recorded, pendingMiB: config.pendingMiB },
			eventTypes.ignored,
			sink,
		);
	};
	return () => recorderFor(name, make);
}

function fileFor({ release }: HostLog, config: Config): TroubleLog {
	const { database, troubleFiles: files } = config;
	return troubleLogOf({ database: database.path, files, release });
}

/** What tells one place of the rows from another. */
function placeOf({ storage, database, daemon }: Config): string {
	const { path } = database;
	return storage === "daemon" ? `${path} ${daemon.socketPath}` : path;
}

function sinkOf({ storage, database, daemon }: Config, store: Store): Sink {
	if (storage === "sqlite") return new ThreadSink(database, store);
	return new DaemonSink({
		...{ ...daemon, database, store },
		clientVersion: VERSION,
	});
}
