/** Everything that a test needs to run OpenCode, cleaned up whatever happens. */

import { Home, type HomeOptions } from "./home.ts";
import { ScriptedModel } from "./model.ts";
import { Server } from "./opencode.ts";
import { databaseOf, pluginByPath } from "./plugin.ts";
import { PINNED_RELEASE } from "./releases.ts";

export interface World {
	readonly home: Home;
	readonly model: ScriptedModel;
	/** The plugin's database. */
	readonly database: string;
	/** Starts `opencode serve`; it is stopped with the world. */
	serve(directory?: string): Promise<Server>;
	/** Stops every server, and takes the plugin away for those started later. */
	serveWithoutPlugin(): Promise<Server>;
}

export interface WorldOptions
	extends Partial<Omit<HomeOptions, "modelURL" | "plugins">> {
	/** Entries of `plugin` in `opencode.json`; the built plugin, by its path, where nothing else is said. */
	readonly plugins?: readonly unknown[];
}

export async function inWorld<T>(
	options: WorldOptions,
	play: (world: World) => Promise<T>,
): Promise<T> {
	const model = await ScriptedModel.start();
	const home = new Home({
		release: PINNED_RELEASE,
		plugins: [pluginByPath()],
		...options,
		modelURL: model.baseURL,
	});
	const servers: Server[] = [];
	const serve = async (directory?: string): Promise<Server> => {
		const server = await Server.start(home, directory);
		servers.push(server);
		return server;
	};
	const stopAll = async (): Promise<void> => {
		await Promise.all(servers.map((server) => server.stop()));
	};
	try {
		return await play({
			home,
			model,
			database: databaseOf(home),
			serve,
			serveWithoutPlugin: async () => {
				await stopAll();
				home.configure([]);
				return await serve();
			},
		});
	} finally {
		await stopAll();
		await model.stop();
		home.remove();
	}
}
