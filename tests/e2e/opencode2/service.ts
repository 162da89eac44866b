/** OpenCode 2's background service: what a person's `opencode` and `opencode run` talk to, and what outlives them. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Home } from "../harness/home.ts";
import { type Finished, runCommand } from "../harness/opencode.ts";
import { until } from "../harness/poll.ts";
import { freePort } from "../harness/port.ts";
import { Api2 } from "./api.ts";
import type { Served2 } from "./world.ts";

/** What a running service says of itself. */
interface Registration {
	readonly url: string;
	readonly pid: number;
	readonly password: string;
}

/** The home's service, started where it does not run. Its usual port is one for the whole machine: it gets one of its own. */
export async function startService(home: Home): Promise<Served2> {
	if (!existsSync(join(home.root, "config", "opencode", "service.json")))
		await service(home, "set", "port", String(await freePort()));
	await service(home, "start");
	const { url, pid, password } = await until("the service", () =>
		registered(home),
	);
	return {
		api: new Api2(url, home.project, password),
		stop: async (signal = "SIGTERM") => {
			// Whoever asked for it last may have started another one.
			const running = registered(home)?.pid ?? pid;
			if (signal === "SIGTERM") await service(home, "stop");
			else if (isAlive(running)) process.kill(running, signal);
			await until("the end of the service", () => !isAlive(running));
		},
	};
}

/** `opencode service …`; it must succeed. */
export async function service(
	home: Home,
	...args: readonly string[]
): Promise<Finished> {
	const done = await runCommand(home, ["service", ...args]);
	if (done.code !== 0)
		throw new Error(`opencode service ${args.join(" ")}: ${done.output}`);
	return done;
}

/** Stops the service while somebody's screen is open, which starts another one. */
export async function stopUnderAScreen(home: Home): Promise<void> {
	const before = registered(home)?.pid;
	await service(home, "stop");
	await until("another service", () => {
		const now = registered(home)?.pid;
		return now !== undefined && now !== before && isAlive(now);
	});
}

function registered(home: Home): Registration | undefined {
	const file = join(home.root, "state", "opencode", "service.json");
	if (!existsSync(file)) return undefined;
	return JSON.parse(readFileSync(file, "utf8")) as Registration;
}

function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
}
