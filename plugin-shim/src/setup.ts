/** What OpenCode 2.x calls: its events are followed, and nothing ever comes out or is thrown. */
import { EventPump } from "./event-pump.ts";
import { HostLog } from "./hosts/host-log.ts";
import { type Context, OpenCode2Host } from "./hosts/opencode2.ts";
import { openRecorder } from "./open.ts";

/** Ends the recording of one directory; OpenCode awaits it. */
export type CleanUp = () => Promise<void>;

/**
 * Starts recording, and returns at once: OpenCode holds the first prompt of the
 * directory until then. Nothing where there is no stream of events, as in the
 * 1.x releases that call `setup` as well.
 */
export function setup(context?: Context): CleanUp | undefined {
	// OpenCode 2.x gives a plugin no log to write to.
	const log = new HostLog(undefined);
	try {
		const events = context?.event;
		const subscribe = events?.subscribe;
		if (typeof subscribe !== "function") return undefined;
		const recorder = openRecorder("opencode2", log, context?.options);
		const member = recorder.join({ log, host: hostOf(context, log) });
		const pump = new EventPump({
			open: () => subscribe.call(events),
			take: (event) => {
				attempt("an event was not recorded", () => {
					if (!recorder.ignored.has(event.type)) member.observe(event);
				});
			},
			reopened: () => {
				attempt("what was missed is not asked for", () => member.missed());
			},
		});
		return async () => {
			pump.end();
			attempt("the last events were not stored", () => member.leave());
		};
	} catch (error) {
		log.failed("nothing is recorded", error);
		return undefined;
	}

	function attempt(consequence: string, work: () => void): void {
		try {
			work();
		} catch (error) {
			log.failed(consequence, error);
		}
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
