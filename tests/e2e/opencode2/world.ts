/** Everything that a scenario needs to run in a served OpenCode 2, cleaned up whatever happens. */

import { join } from "node:path";
import { ScriptedModel } from "../harness/model.ts";
import { databaseOf } from "../harness/plugin.ts";
import { Witness2 } from "../mirror2/truth.ts";
import type { Api2 } from "./api.ts";
import { Bus2, type Event2 } from "./bus.ts";
import { Home2, type Home2Options } from "./home.ts";
import type { Stage2 } from "./scenario.ts";
import { runStandalone, Server2 } from "./server.ts";

/** An OpenCode that serves, whoever began it. */
export interface Served2 {
	readonly api: Api2;
	/** Ends it by this signal, and waits until it has ended. */
	stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface World2 extends Stage2 {
	/** clankers' database. */
	readonly database: string;
	/** Everything that a client of any of its servers heard, in order. */
	readonly told: readonly Event2[];
	/** Ends the server. */
	stop(): Promise<void>;
	/** Ends the server in another way, and starts another. */
	restartBy(end: () => Promise<unknown>): Promise<void>;
}

export interface World2Options extends Partial<Omit<Home2Options, "modelURL">> {
	/** Puts files into the home before OpenCode starts. */
	readonly prepare?: ((home: Home2) => void) | undefined;
	/** Starts the server; `opencode serve` where nothing is said. */
	readonly start?: (home: Home2) => Promise<Served2>;
}

export async function inWorld2<T>(
	{ prepare, start = Server2.start, ...options }: World2Options,
	play: (world: World2) => Promise<T>,
): Promise<T> {
	const model = await ScriptedModel.start();
	const home = new Home2({ ...options, modelURL: model.baseURL });
	const servers: Served2[] = [];
	const buses: Bus2[] = [];
	const serve = async (): Promise<void> => {
		const server = await start(home);
		servers.push(server);
		buses.push(await Bus2.open(server.api));
	};
	const stop = async (signal?: NodeJS.Signals): Promise<void> => {
		buses.at(-1)?.close();
		await servers.at(-1)?.stop(signal);
	};
	const restartBy = async (end: () => Promise<unknown>): Promise<void> => {
		buses.at(-1)?.close();
		await end();
		await serve();
	};
	try {
		prepare?.(home);
		await serve();
		return await play({
			home,
			model,
			database: databaseOf(home),
			witness: new Witness2(join(home.store, "opencode.db")),
			get api() {
				return last(servers).api;
			},
			get bus() {
				return last(buses);
			},
			get told() {
				return buses.flatMap(({ events }) => events);
			},
			stop,
			restart: (signal) => restartBy(() => stop(signal)),
			restartBy,
			runStandalone: (prompt, ...args) => runStandalone(home, prompt, args),
		});
	} finally {
		await stop("SIGKILL");
		await model.stop();
		home.remove();
	}
}

function last<T>(all: readonly T[]): T {
	const found = all.at(-1);
	if (found === undefined) throw new Error("no server was started");
	return found;
}
