/** A package registry on loopback that holds the packed plugin and nothing else: verdaccio, without a way to the network. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./poll.ts";
import { freePort } from "./port.ts";

const VERDACCIO = new URL(
	"../node_modules/verdaccio/bin/verdaccio",
	import.meta.url,
).pathname;
const USER = { name: "somebody", password: "something", type: "user" };

export class Registry {
	private constructor(
		readonly url: string,
		private readonly folder: string,
		private readonly child: ChildProcess,
	) {}

	static async start(): Promise<Registry> {
		const folder = mkdtempSync(join(tmpdir(), "clankers-registry-"));
		const port = await freePort();
		writeFileSync(
			join(folder, "config.yaml"),
			[
				`storage: ${join(folder, "storage")}`,
				"web: { enable: false }",
				`auth: { htpasswd: { file: ${join(folder, "htpasswd")}, algorithm: bcrypt, rounds: 4 } }`,
				"uplinks: {}",
				'packages: { "**": { access: $all, publish: $all } }',
				"log: { type: stdout, format: pretty, level: error }",
			].join("\n"),
		);
		const child = spawn(
			process.execPath,
			[
				VERDACCIO,
				"--config",
				join(folder, "config.yaml"),
				"--listen",
				`127.0.0.1:${port}`,
			],
			{ stdio: "ignore", env: { PATH: process.env.PATH ?? "", HOME: folder } },
		);
		process.once("exit", () => child.kill("SIGKILL"));
		const registry = new Registry(`http://127.0.0.1:${port}/`, folder, child);
		await until(
			"the registry to answer",
			async () => (await fetch(`${registry.url}-/ping`)).ok,
		);
		await registry.register();
		return registry;
	}

	/** Packs a package as it would be published, and publishes the tarball. */
	publish(packageFolder: string): void {
		const tarball = this.npm(
			"pack",
			packageFolder,
			"--pack-destination",
			this.folder,
		);
		this.npm("publish", join(this.folder, tarball.trim()));
	}

	/** The first to come is let in, and may publish. */
	private async register(): Promise<void> {
		const answer = await fetch(
			`${this.url}-/user/org.couchdb.user:${USER.name}`,
			{
				method: "PUT",
				headers: { "content-type": "application/json" },
				body: JSON.stringify(USER),
			},
		);
		const { token } = (await answer.json()) as { token: string };
		writeFileSync(
			join(this.folder, "npmrc"),
			`registry=${this.url}\n//${new URL(this.url).host}/:_authToken=${token}\n`,
		);
	}

	private npm(...args: readonly string[]): string {
		const options = [
			"--loglevel=error",
			"--ignore-scripts",
			`--userconfig=${join(this.folder, "npmrc")}`,
			`--cache=${join(this.folder, "cache")}`,
		];
		const done = spawnSync("npm", [...args, ...options], {
			cwd: this.folder,
			encoding: "utf8",
		});
		if (done.status !== 0)
			throw new Error(`npm ${args.join(" ")} failed: ${done.stderr}`);
		return done.stdout;
	}

	async stop(): Promise<void> {
		const gone = new Promise((resolve) => this.child.once("exit", resolve));
		this.child.kill("SIGKILL");
		await gone;
		rmSync(this.folder, { recursive: true, force: true });
	}
}
