/** The hooks of OpenCode 1.x: its events go in, and nothing ever comes out or is thrown. */

import { HostLog } from "./hosts/host-log.ts";
import {
	type Hooks,
	OpenCode1Host,
	type PluginInput,
} from "./hosts/opencode1.ts";
import { dialectOf } from "./hosts/program.ts";
import { openRecorder } from "./open.ts";

/** One answer for every call of the `event` hook, so that none allocates. */
const DONE: Promise<void> = Promise.resolve();

/** Starts recording one project's events. Awaits nothing and never rejects. */
export async function record(
	input: PluginInput,
	options?: Record<string, unknown>,
): Promise<Hooks> {
	const log = new HostLog(input.client);
	try {
		const { client, directory } = input;
		const recorder = openRecorder(dialectOf(), log, options, directory);
		if (recorder === undefined) return {};
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
			dispose: async () => {
				await member.finish();
				await member.leave();
			},
		};
	} catch (error) {
		log.failed("nothing is recorded", error, "storage");
		return {};
	}
}
