/**
 * `clankers doctor` and a release agree on what the release loads: a plugin that
 * looks like clankers lies in every place that any release reads, and each writes
 * down its name when it is loaded.
 */

import { expect, test } from "bun:test";
import {
	copyFileSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Home } from "./harness/home.ts";
import type { ScriptedModel } from "./harness/model.ts";
import { runTurn } from "./harness/opencode.ts";
import { diagnosed } from "./harness/program.ts";
import {
	KILO_RELEASE,
	OPENCODE_2_RELEASE,
	PINNED_RELEASE,
} from "./harness/releases.ts";
import { say } from "./harness/script.ts";
import { inWorld } from "./harness/world.ts";
import { runStandalone } from "./opencode2/server.ts";
import { inWorld2 } from "./opencode2/world.ts";

const FILES = [
	"config.json",
	"opencode.json",
	"opencode.jsonc",
	"kilo.json",
	"kilo.jsonc",
];
const DOT_FOLDERS = [".opencode", ".kilo", ".kilocode"];
const PLUGIN_FOLDERS = ["plugin", "plugins"];

test.each([
	{ release: "1.3.2", told: false },
	{ release: PINNED_RELEASE, told: false },
	{ release: PINNED_RELEASE, told: true },
	{ release: OPENCODE_2_RELEASE, told: false },
	{ release: OPENCODE_2_RELEASE, told: true },
	{ release: KILO_RELEASE, told: false },
	{ release: KILO_RELEASE, told: true },
])(
	"doctor knows what $release loads, told of other places by variables: $told",
	async ({ release, told }) => {
		const own = mkdtempSync(join(tmpdir(), "clankers-home-"));
		try {
			await inAnyWorld(release, variables(release, own, told), async (world) =>
				compare(world, own),
			);
		} finally {
			rmSync(own, { recursive: true, force: true });
		}
	},
	600_000,
);

interface AnyWorld {
	readonly home: Home;
	readonly model: ScriptedModel;
}

async function inAnyWorld(
	release: string,
	env: Readonly<Record<string, string>>,
	play: (world: AnyWorld) => Promise<void>,
): Promise<void> {
	const options = { plugins: [], env };
	if (release === OPENCODE_2_RELEASE) await inWorld2(options, play);
	else await inWorld({ ...options, release }, play);
}

/** The person's home folder is not above the project, as 2.x reads what is above. */
function variables(
	release: string,
	own: string,
	told: boolean,
): Record<string, string> {
	const prefix = release === KILO_RELEASE ? "KILO" : "OPENCODE";
	const always = { HOME: own, MARKS: join(own, "marks") };
	if (!told) return always;
	return {
		...always,
		[`${prefix}_CONFIG`]: join(own, "named.json"),
		[`${prefix}_CONFIG_DIR`]: join(own, "told"),
		[`${prefix}_CONFIG_CONTENT`]: JSON.stringify({
			plugin: [new Markers(own, release).make("content")],
		}),
	};
}

async function compare({ home, model }: AnyWorld, own: string): Promise<void> {
	const { release } = home.options;
	const markers = new Markers(own, release);
	const folder = join(home.project, "folder");
	mkdirSync(folder);
	// Where 2.x is told of another folder, it reads nothing of the global one.
	const { configFile, name: program } = home.application;
	const global = join(home.root, "config", program, configFile);
	copyFileSync(global, join(own, "named.json"));
	list(join(own, "named.json"), markers.make("named"));
	const roots: Readonly<Record<string, string>> = {
		global: join(home.root, "config", "opencode"),
		globalkilo: join(home.root, "config", "kilo"),
		told: join(own, "told"),
		here: folder,
		project: home.project,
		above: home.root,
	};
	for (const [name, root] of Object.entries({ ...roots, own }))
		for (const dot of ["", ...DOT_FOLDERS]) {
			// Nobody looks for a configuration right in the home folder.
			if (name === "own" && dot === "") continue;
			const path = join(root, dot);
			home.seedHelpers(path);
			for (const file of FILES)
				list(join(path, file), markers.make(`${name}${dot}-${file}`));
			for (const plugins of PLUGIN_FOLDERS)
				markers.drop(join(path, plugins), `${name}${dot}-in-${plugins}`);
		}

	const [found, ...more] = diagnosed(home, "plugin", folder).filter((check) =>
		check.found.includes("placed, not yet seen at work"),
	);
	expect(more).toEqual([]);
	model.script("Say hello.", say("Hello there."));
	const run = release === OPENCODE_2_RELEASE ? runStandalone : runTurn;
	const { code, output } = await run(home, "Say hello.", [], folder);
	expect(code, output).toBe(0);

	const loaded = markers.loaded();
	expect(loaded.length).toBeGreaterThan(5);
	const named = [...markers.names, "content"];
	const expected = named.filter((name) =>
		[`/${name}\``, `/${name}/`, `/${name}.js`, `/${name},`].some((words) =>
			found?.found.includes(words),
		),
	);
	expect(expected.toSorted()).toEqual(loaded);
}

/** Adds an entry to a configuration, which is made where it is not there. */
function list(file: string, entry: string): void {
	const config = existsSync(file)
		? (JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>)
		: {};
	writeFileSync(file, JSON.stringify({ ...config, plugin: [entry] }));
}

/** Plugins that write down their names. */
class Markers {
	readonly names: string[] = [];

	constructor(
		private readonly own: string,
		private readonly release: string,
	) {}

	/** Makes one that a configuration can name: a file for 1.x, a folder for 2.x. */
	make(name: string): string {
		const folder = join(this.own, "markers", name);
		this.#write(folder, name);
		return this.#isObject ? folder : `file://${join(folder, `${name}.js`)}`;
	}

	/** Makes one in a folder of plugins. */
	drop(folder: string, name: string): void {
		if (this.#isObject) this.#write(join(folder, name), name);
		else this.#write(folder, name);
	}

	/** The names of those that were loaded. */
	loaded(): string[] {
		const text = readFileSync(join(this.own, "marks"), "utf8");
		return [...new Set(text.trim().split("\n"))].toSorted();
	}

	get #isObject(): boolean {
		return this.release === OPENCODE_2_RELEASE;
	}

	/** Up to 1.3 only one of several files with the same name is loaded. */
	#write(folder: string, name: string): void {
		const file = this.#isObject ? "server.js" : `${name}.js`;
		const mark = `appendFileSync(process.env.MARKS, ${JSON.stringify(`${name}\n`)});`;
		const body = this.#isObject
			? [
					"// opencode-clankers 0.1.0, an object for OpenCode 2.x",
					'import { appendFileSync } from "node:fs";',
					`export default { id: ${JSON.stringify(name)}, setup() { ${mark} } };`,
				]
			: [
					"// opencode-clankers 0.1.0, a function for OpenCode 1.x",
					'import { appendFileSync } from "node:fs";',
					mark,
					"export default async () => ({});",
				];
		mkdirSync(folder, { recursive: true });
		writeFileSync(join(folder, file), body.join("\n"));
		if (!this.names.includes(name)) this.names.push(name);
	}
}
