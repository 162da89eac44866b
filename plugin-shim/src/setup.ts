/** What OpenCode 2.x calls: its events are followed, and nothing ever comes out or is thrown. */
import { EventPump } from "./event-pump.ts";
import type { BusEvent, Host } from "./hosts/host.ts";
import { HostLog } from "./hosts/host-log.ts";
import { type Context, OpenCode2Host } from "./hosts/opencode2.ts";
import { finderOf } from "./open.ts";
import { askForWay, type SharedRecorder } from "./registry.ts";
import { Turn } from "./turn.ts";

/** Openings of the stream in a row that bring nothing, before that is told: one that ends at once is opened again in a tenth of a second. */
const SILENT_UNTIL_TOLD = 3;

const BROKEN =
	"OpenCode's stream of events broke and was opened again: what it told meanwhile is asked for";
const SILENT =
	"nothing is recorded: OpenCode's stream of events cannot be followed";

/** Ends the recording of one directory; OpenCode awaits it. */
export type CleanUp = () => Promise<void>;

/**
 * Starts recording, and returns at once: OpenCode holds the first prompt of the
 * directory until then. Nothing where there is no stream of events, as in the
 * 1.x releases that call `setup` as well.
 */
export function setup(context?: Context): CleanUp | undefined {
	// OpenCode 2.x gives a plugin no log to write to.
	const log = new HostLog(undefined, releaseOf(context));
	try {
		const events = context?.event;
		const subscribe = events?.subscribe;
		if (typeof subscribe !== "function") return undefined;
		const host = hostOf(context, log);
		const find = finderOf("opencode2", log, context?.options, host?.directory);
		if (find === undefined) return undefined;
		let stop: CleanUp | undefined;
		const turn = new Turn({
			log,
			find,
			askForWay,
			begin: (recorder) => {
				stop = follow(recorder, log, host, () => subscribe.call(events));
			},
		});
		return async () => {
			turn.end();
			await stop?.();
		};
	} catch (error) {
		log.failed("nothing is recorded", error, "storage");
		return undefined;
	}
}

/** Records what the stream tells, and comes back with what ends that. */
function follow(
	recorder: SharedRecorder,
	log: HostLog,
	host: Host | undefined,
	open: () => AsyncIterable<BusEvent>,
): CleanUp {
	const member = recorder.join({ log, host });
	const pump = new EventPump({
		open,
		take: (event) => {
			attempt("an event was not recorded", () => member.observe(event));
		},
		reopened: () => {
			log.trouble("events", "warn", BROKEN);
			attempt("what was missed is not asked for", () => member.missed());
		},
		silent: (times) => {
			if (times >= SILENT_UNTIL_TOLD) log.trouble("stream", "error", SILENT);
		},
		heard: () => log.over("stream", "OpenCode tells its events again"),
	});
	return async () => {
		// Meanwhile it goes on listening: what is told then is newer than an answer.
		await member.finish();
		pump.end();
		await member.leave();
	};

	function attempt(consequence: string, work: () => void): void {
		try {
			work();
		} catch (error) {
			log.failed(consequence, error);
		}
	}
}

function releaseOf(context: Context | undefined): string | undefined {
	try {
		const version = context?.app?.version;
		return typeof version === "string" ? version : undefined;
	} catch {
		return undefined;
	}
}

function hostOf(
	context: Context | undefined,
	log: HostLog,
): OpenCode2Host | undefined {
	const directory = context?.location?.directory;
	if (typeof directory !== "string") return undefined;
	return new OpenCode2Host(context?.session, directory, log);
}
