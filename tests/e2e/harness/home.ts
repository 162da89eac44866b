/** A throw-away home: nothing of the machine's own OpenCode or Kilo is read or written. */

import { spawnSync } from "node:child_process";
import {
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Application } from "./application.ts";
import {
	contemporaryProvider,
	installsProvider,
	isOlder,
	releaseNamed,
} from "./releases.ts";

export const PROVIDER = "scripted";
export const LARGE_MODEL = "scripted-large";
export const SMALL_MODEL = "scripted-small";
/** Dollars for a million tokens of the large model. */
export const PRICE = {
	input: 3,
	output: 15,
	cache_read: 0.3,
	cache_write: 3.75,
};
/** The same of the small one: what its configuration does not name costs nothing. */
export const SMALL_PRICE = { input: 0.25, output: 1 };

export interface HomeOptions {
	readonly release: string;
	readonly modelURL: string;
	/** Entries of `plugin` in the configuration. */
	readonly plugins?: readonly unknown[];
	/** Merged over the configuration. */
	readonly config?: Readonly<Record<string, unknown>>;
	readonly env?: Readonly<Record<string, string>>;
	/** Another program's home: this one is the same folder, with the same projects. */
	readonly within?: Home;
	/** The project of another home, where it is to be shared. */
	readonly project?: string;
}

export class Home {
	readonly root: string;
	readonly project: string;
	readonly env: Readonly<Record<string, string>>;

	constructor(readonly options: HomeOptions) {
		const { within } = options;
		this.root = within?.root ?? mkdtempSync(join(tmpdir(), "clankers-e2e-"));
		this.project =
			within?.project ?? options.project ?? this.makeProject("project");
		this.env = {
			PATH: process.env.PATH ?? "",
			HOME: this.root,
			XDG_DATA_HOME: join(this.root, "data"),
			XDG_CONFIG_HOME: join(this.root, "config"),
			XDG_CACHE_HOME: join(this.root, "cache"),
			XDG_STATE_HOME: join(this.root, "state"),
			...this.application.offline,
			// Nothing here is to be had from the network.
			npm_config_registry: "http://127.0.0.1:9/",
			npm_config_fetch_retries: "0",
			LANG: "C.UTF-8",
			...options.env,
		};
		const cache = join(this.root, "cache", this.application.name);
		mkdirSync(cache, { recursive: true });
		writeFileSync(join(cache, "models.json"), JSON.stringify(CATALOGUE));
		writeFileSync(join(cache, "version"), cacheVersion(options.release));
		if (installsProvider(options.release)) {
			// A copy: an OpenCode that installs a plugin writes there.
			cpSync(contemporaryProvider(), join(cache, "node_modules"), {
				recursive: true,
			});
			writeFileSync(
				join(cache, "package.json"),
				JSON.stringify({
					dependencies: { "@ai-sdk/openai-compatible": "latest" },
				}),
			);
		}
		this.configure(options.plugins ?? []);
	}

	/** Where the program keeps its sessions. */
	get store(): string {
		return join(this.root, "data", this.application.name);
	}

	get application(): Application {
		return releaseNamed(this.options.release).application;
	}

	/** Writes the configuration anew: what is installed, for processes started from here on. */
	configure(plugins: readonly unknown[]): void {
		this.seedHelpers(this.configFolder);
		const depth = isOlder(this.options.release, "1.18.34")
			? {}
			: { subagent_depth: 3 };
		this.writeConfig({
			...baseConfig(this.options.modelURL),
			...depth,
			plugin: plugins,
		});
	}

	/** The folder is made where it is not there yet; the home's own options win. */
	protected writeConfig(base: Readonly<Record<string, unknown>>): void {
		const folder = this.configFolder;
		mkdirSync(folder, { recursive: true });
		const config = { ...base, ...this.options.config };
		const file = join(folder, this.application.configFile);
		writeFileSync(file, JSON.stringify(config, null, 2));
	}

	private get configFolder(): string {
		return join(this.root, "config", this.application.name);
	}

	/**
	 * Makes a configuration folder look as if the release had installed its helper
	 * package there already: it waits for that before it loads plugins, and tries
	 * for a minute where there is no network.
	 */
	seedHelpers(folder: string): void {
		const { application, version } = releaseNamed(this.options.release);
		const dependencies = { [application.helper]: version };
		mkdirSync(join(folder, "node_modules"), { recursive: true });
		const write = (name: string, content: object): void =>
			writeFileSync(join(folder, name), JSON.stringify(content));
		write("package.json", { dependencies });
		write("package-lock.json", { packages: { "": { dependencies } } });
	}

	/** A git repository with one commit, whose hash is the same on every machine; the one that is there, where it was made before. */
	makeProject(name: string): string {
		const folder = join(this.root, name);
		if (existsSync(folder)) return folder;
		mkdirSync(folder, { recursive: true });
		writeFileSync(join(folder, "README.md"), `# ${name}\n`);
		const git = (...args: string[]): void => {
			const env = {
				PATH: process.env.PATH ?? "",
				HOME: this.root,
				GIT_CONFIG_GLOBAL: "/dev/null",
				GIT_CONFIG_NOSYSTEM: "1",
				GIT_AUTHOR_DATE: "2026-01-01T00:00:00Z",
				GIT_COMMITTER_DATE: "2026-01-01T00:00:00Z",
			};
			const done = spawnSync(
				"git",
				["-c", "user.name=user", "-c", "user.email=user@example.com", ...args],
				{ cwd: folder, env, encoding: "utf8" },
			);
			if (done.status !== 0)
				throw new Error(`git ${args.join(" ")}: ${done.stderr}`);
		};
		git("init", "-q", "-b", "main");
		git("add", ".");
		git("commit", "-q", "-m", `begin ${name}`);
		return folder;
	}

	/** As if recorded in a person's home, with a model somewhere on the network. */
	neutral(text: string): string {
		return text
			.replaceAll(this.root, "/home/user")
			.replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, "http://model.example");
	}

	remove(): void {
		rmSync(this.root, {
			recursive: true,
			force: true,
			maxRetries: 5,
			retryDelay: 100,
		});
	}
}

/** 1.0.x does not start without this provider in its catalogue of models. */
const CATALOGUE = {
	opencode: {
		id: "opencode",
		name: "OpenCode",
		env: ["OPENCODE_API_KEY"],
		npm: "@ai-sdk/openai-compatible",
		models: {},
	},
};

/** Up to 1.3 a cache folder of another number is emptied at start, the catalogue with it. */
function cacheVersion(release: string): string {
	if (isOlder(release, "1.0.162")) return "9";
	if (isOlder(release, "1.1.31")) return "14";
	if (isOlder(release, "1.1.65")) return "18";
	return "21";
}

function baseConfig(modelURL: string): Record<string, unknown> {
	const limit = { context: 200_000, output: 8192 };
	const large = {
		name: "Scripted Large",
		tool_call: true,
		reasoning: true,
		attachment: true,
		temperature: true,
		limit,
		cost: PRICE,
	};
	const small = {
		name: "Scripted Small",
		tool_call: true,
		limit,
		cost: SMALL_PRICE,
	};
	return {
		$schema: "https://opencode.ai/config.json",
		autoupdate: false,
		share: "disabled",
		model: `${PROVIDER}/${LARGE_MODEL}`,
		small_model: `${PROVIDER}/${SMALL_MODEL}`,
		provider: {
			[PROVIDER]: {
				npm: "@ai-sdk/openai-compatible",
				name: "Scripted",
				options: { baseURL: modelURL, apiKey: "scripted" },
				models: { [LARGE_MODEL]: large, [SMALL_MODEL]: small },
			},
		},
		permission: {
			edit: "allow",
			webfetch: "deny",
			bash: { "*": "allow", "touch *": "ask" },
		},
		command: {
			greet: {
				description: "Greet somebody.",
				template: "Greet this person: $ARGUMENTS",
			},
			delegate: {
				description: "Have a sub-agent do it.",
				template: "Delegated work: $ARGUMENTS",
				agent: "general",
				subtask: true,
			},
		},
		agent: {
			deputy: {
				mode: "subagent",
				description: "Delegates further.",
				tools: { task: true },
				permission: { task: "allow", edit: "allow", bash: { "*": "allow" } },
			},
		},
	};
}
