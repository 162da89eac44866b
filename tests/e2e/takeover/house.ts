/** One home on which OpenCode 1 and OpenCode 2 work, one after the other or at once: a person who upgrades, or goes back. */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { Home } from "../harness/home.ts";
import { ScriptedModel } from "../harness/model.ts";
import { Server } from "../harness/opencode.ts";
import { databaseOf, pluginByFolder, programFile } from "../harness/plugin.ts";
import { until } from "../harness/poll.ts";
import { OPENCODE_2_RELEASE, PINNED_RELEASE } from "../harness/releases.ts";
import { PASSWORD } from "../opencode2/home.ts";
import { Server2 } from "../opencode2/server.ts";

/** On which of the two the plugin is installed. */
export type Recorded = "none" | "1.x" | "2.x" | "both";

export class House {
	/** The plugin's database. */
	readonly database: string;
	private readonly one: Home;
	private readonly two: Home;
	private readonly servers = new Set<Server | Server2>();

	private constructor(
		readonly model: ScriptedModel,
		private recorded: Recorded,
	) {
		const modelURL = model.baseURL;
		this.one = new Home({ release: PINNED_RELEASE, modelURL });
		// OpenCode 2 takes the configuration of OpenCode 1 as it is.
		this.two = new Home({
			release: OPENCODE_2_RELEASE,
			modelURL,
			within: this.one,
			env: { OPENCODE_PASSWORD: PASSWORD },
		});
		this.database = databaseOf(this.one);
	}

	static async open<T>(
		recorded: Recorded,
		use: (house: House) => Promise<T>,
	): Promise<T> {
		const model = await ScriptedModel.start();
		const house = new House(model, recorded);
		try {
			return await use(house);
		} finally {
			await house.stop();
			await model.stop();
			house.one.remove();
		}
	}

	get home(): Home {
		return this.one;
	}

	/** The database that both work on. */
	get store(): string {
		return join(this.one.store, "opencode.db");
	}

	/** A place for a file of the test's own. */
	path(name: string): string {
		return join(this.one.root, name);
	}

	/** Starts OpenCode 1, with the plugin where it is to record. */
	async serveOne(): Promise<Server> {
		this.install("1.x");
		const server = this.keep(await Server.start(this.one));
		// It reads its configuration when the project is first asked for.
		await server.api.sessions();
		return server;
	}

	/** Starts OpenCode 2 likewise, and waits until it has taken over what OpenCode 1 left. */
	async serveTwo(): Promise<Server2> {
		this.install("2.x");
		const server = this.keep(await Server2.start(this.two));
		await until("OpenCode 2 to take over", async () => {
			const path = "/api/experimental/migration/v1";
			const answer = await server.api.request("GET", path);
			return JSON.stringify(answer).includes('"completed"');
		});
		return server;
	}

	/** Ends these servers, or all of them. */
	async stop(...servers: readonly (Server | Server2)[]): Promise<void> {
		for (const server of servers.length > 0 ? servers : [...this.servers]) {
			await server.stop();
			this.servers.delete(server);
		}
	}

	/** Whether the plugin is on this one, when it is started from here on. */
	records(major: "1.x" | "2.x"): boolean {
		return this.recorded === "both" || this.recorded === major;
	}

	/** The plugin is there, and nowhere else, for whoever is started from here on. */
	moveTo(recorded: Recorded): void {
		this.recorded = recorded;
	}

	/** `clankers import` into this database; gives what it says. */
	import(database: string): string {
		const args = ["--db-path", database, "import", "--from", this.store];
		const { status, stdout, stderr } = spawnSync(programFile(), args, {
			env: { ...this.one.env },
			encoding: "utf8",
		});
		if (status !== 0) throw new Error(`import: ${stderr}`);
		return stdout;
	}

	private keep<T extends Server | Server2>(server: T): T {
		this.servers.add(server);
		return server;
	}

	/** Of one that runs already OpenCode 1 sees no change, and OpenCode 2 is started last. */
	private install(major: "1.x" | "2.x"): void {
		this.one.configure(this.records(major) ? [pluginByFolder()] : []);
	}
}
