/** Runs a real OpenCode 2: `opencode serve`, and `opencode run --standalone` for one turn. */

import type { Home } from "../harness/home.ts";
import { type Finished, runTurn, Serving } from "../harness/opencode.ts";
import { Api2 } from "./api.ts";

export class Server2 {
	private constructor(
		readonly api: Api2,
		private readonly process: Serving,
	) {}

	static async start(
		home: Home,
		directory: string = home.project,
	): Promise<Server2> {
		const process = await Serving.start(home, directory);
		return new Server2(new Api2(process.origin, directory), process);
	}

	async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
		await this.process.stop(signal);
	}
}

/** One turn in a private process, which leaves as soon as the turn ends. */
export async function runStandalone(
	home: Home,
	prompt: string,
	args: readonly string[] = [],
	directory: string = home.project,
): Promise<Finished> {
	return await runTurn(home, prompt, ["--standalone", ...args], directory);
}
