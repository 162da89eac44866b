/** The hooks of OpenCode 1.x: its events go in, and nothing ever comes out or is thrown. */

import { HostLog } from "./hosts/host-log.ts";
import {
	type Hooks,
	OpenCode1Host,
	type PluginInput,
} from "./hosts/opencode1.ts";
import { dialectOf } from "./hosts/program.ts";
import { finderOf } from "./open.ts";
import type { Membership } from "./registry.ts";
import { Turn } from "./turn.ts";

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
		const find = finderOf(dialectOf(), log, options, directory);
		if (find === undefined) return {};
		const host =
			client && directory
				? new OpenCode1Host(client, directory, log)
				: undefined;
		let member: Membership | undefined;
		const turn = new Turn({
			log,
			find,
			begin: (recorder) => {
				member = recorder.join({ log, host });
			},
		});
		return {
			event: (input) => {
				try {
					member?.observe(input.event);
				} catch (error) {
					log.failed("an event was not recorded", error);
				}
				return DONE;
			},
			dispose: async () => {
				turn.end();
				await member?.finish();
				await member?.leave();
			},
		};
	} catch (error) {
		log.failed("nothing is recorded", error, "storage");
		return {};
	}
}
