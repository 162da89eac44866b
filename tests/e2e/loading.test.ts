/** However a person installs the plugin, it is loaded and rows land. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
	copyFileSync,
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { Home } from "./harness/home.ts";
import { runTurn } from "./harness/opencode.ts";
import {
	PACKAGE,
	pluginByFolder,
	pluginByPath,
	pluginFile,
	pluginFolder,
} from "./harness/plugin.ts";
import { diagnosed } from "./harness/program.ts";
import { Registry } from "./harness/registry.ts";
import {
	contemporaryProvider,
	KILO_RELEASE,
	OPENCODE_2_RELEASE,
	PINNED_RELEASE,
} from "./harness/releases.ts";
import { say } from "./harness/script.ts";
import { inWorld, type World } from "./harness/world.ts";
import { withDatabase } from "./mirror/database.ts";
import { runStandalone } from "./opencode2/server.ts";
import { inWorld2 } from "./opencode2/world.ts";

/** Those that take a function. */
const RELEASES = ["1.0.61", "1.3.2", PINNED_RELEASE];
/** Those, and the one that takes an object in a folder. */
const BOTH_MAJORS = [...RELEASES, OPENCODE_2_RELEASE];
/** And the fork, which takes what 1.x takes, from places of its own; each of its runs takes 20 seconds, for which `make long` has time. */
const EACH =
	process.env.E2E_SCENARIO === "all"
		? [...BOTH_MAJORS, KILO_RELEASE]
		: BOTH_MAJORS;

let registry: Registry;

beforeAll(async () => {
	registry = await Registry.start();
	registry.publish(PACKAGE);
	// A release that installs the provider, too, finds it there.
	for (const folder of packagesIn(contemporaryProvider()))
		registry.publish(folder);
}, 600_000);

afterAll(() => registry.stop());

test.each(RELEASES)(
	"by path, in opencode.json: %s",
	(release) => inWorld({ release, plugins: [pluginByPath()] }, expectOneTurn),
	600_000,
);

test.each(RELEASES)(
	"as one file in the project's plugin folder: %s",
	(release) =>
		inWorld({ release, plugins: [] }, async (world) => {
			dropPlugin(world.home);
			await expectOneTurn(world);
		}),
	600_000,
);

test.each(RELEASES)(
	"twice, in opencode.json and in the plugin folder: each event is recorded once: %s",
	(release) =>
		inWorld({ release, plugins: [pluginByPath()] }, async (world) => {
			dropPlugin(world.home);
			await expectOneTurn(world);
		}),
	600_000,
);

test.each(EACH)(
	"by the path of a folder, in the configuration: %s",
	(release) => inAnyWorld(release, [pluginByFolder()], {}, expectOneTurn),
	600_000,
);

test(
	"by the path of a folder, in a configuration that 1.x reads too: OpenCode 2",
	() =>
		inWorld(
			{ release: OPENCODE_2_RELEASE, plugins: [pluginByFolder()] },
			expectOneTurn,
		),
	600_000,
);

test.each(BOTH_MAJORS)(
	"as README says, a file and a folder in the person's plugin folder: %s",
	(release) =>
		inAnyWorld(release, [], {}, async (world) => {
			dropBoth(world.home);
			await expectOneTurn(world);
		}),
	600_000,
);

test(
	"twice, in the configuration and in the plugin folder: OpenCode 2 runs one of them",
	() =>
		inAnyWorld(OPENCODE_2_RELEASE, [pluginByFolder()], {}, async (world) => {
			dropBoth(world.home);
			await expectOneTurn(world);
		}),
	600_000,
);

test.each(EACH)(
	"by name, from a package registry: %s",
	(release) => byName(release, ({ name }) => name),
	600_000,
);

test.each([PINNED_RELEASE, OPENCODE_2_RELEASE])(
	"by name and version, from a package registry: %s",
	(release) => byName(release, ({ name, version }) => `${name}@${version}`),
	600_000,
);

/** What the configuration names is had from the registry. */
async function byName(
	release: string,
	entry: (about: { name: string; version: string }) => string,
): Promise<void> {
	const about = readFileSync(join(PACKAGE, "package.json"), "utf8");
	const env = {
		npm_config_registry: registry.url,
		BUN_CONFIG_REGISTRY: registry.url,
	};
	const plugins = [entry(JSON.parse(about))];
	await inAnyWorld(release, plugins, env, expectOneTurn);
}

test.each([
	{
		form: "a file that the configuration names",
		plugins: [pluginByPath()],
		drop: () => {},
		says: "configured plugin path must be a directory",
	},
	{
		form: "the file for 1.x alone in the plugin folder",
		plugins: [],
		drop: (home: Home) =>
			cpSync(pluginFile(), join(pluginFolderOf(home), "clankers.js")),
		says: "failed to load plugin",
	},
])(
	"OpenCode 2 leaves out $form, says so in its log only, and works",
	({ plugins, drop, says }) =>
		inAnyWorld(OPENCODE_2_RELEASE, plugins, {}, async (world) => {
			drop(world.home);
			await expectNothing(world);
			const log = join(world.home.store, "log", "opencode.log");
			expect(readFileSync(log, "utf8")).toContain(says);
		}),
	600_000,
);

const OFF = "-opencode-clankers";

test.each([
	{
		form: "the configuration names",
		plugins: [pluginByFolder(), OFF],
		drop: () => {},
	},
	{ form: "lies in the plugin folder", plugins: [OFF], drop: dropBoth },
])(
	"OpenCode 2 leaves out what $form where its id with a minus is listed, and doctor says so",
	({ plugins, drop }) =>
		inAnyWorld(OPENCODE_2_RELEASE, plugins, {}, async (world) => {
			drop(world.home);
			await expectNothing(world);
			expect(
				diagnosed(world.home, "plugin").map(({ advice }) => advice),
			).toContainEqual(expect.stringContaining(`turned off by \`${OFF}\``));
		}),
	600_000,
);

test("OpenCode 2 loads what is listed behind its id with a minus, and doctor says so", () => {
	const plugins = [OFF, pluginByFolder()];
	return inAnyWorld(OPENCODE_2_RELEASE, plugins, {}, async (world) => {
		await expectOneTurn(world);
		const levels = diagnosed(world.home, "plugin").map(({ level }) => level);
		expect(levels).toEqual(["good"]);
	});
}, 600_000);

test.each(["1.0.61", PINNED_RELEASE, OPENCODE_2_RELEASE])(
	"in a developer's own OpenCode, by what scripts/dev-home.sh prepares: %s",
	async (release) => {
		const folder = mkdtempSync(join(tmpdir(), "clankers-dev-"));
		try {
			const env = developersEnvironment(folder);
			const database = join(folder, "clankers.db");
			await inAnyWorld(release, [], env, (world) =>
				expectOneTurn({ ...world, database }),
			);
		} finally {
			rmSync(folder, { recursive: true, force: true });
		}
	},
	600_000,
);

test.each([PINNED_RELEASE, OPENCODE_2_RELEASE])(
	"with options, in the form of 1.x: %s",
	(release) =>
		inWorld({ release, plugins: [] }, async (world) => {
			const database = join(world.home.root, "own.db");
			world.home.configure([[pluginByFolder(), { dbPath: database }]]);
			await expectOneTurn({ ...world, database });
		}),
	600_000,
);

test(
	"with options, in OpenCode 2's own form",
	() =>
		inWorld2({}, async (world) => {
			const database = join(world.home.root, "own.db");
			world.home.configure([
				{ package: pluginByFolder(), options: { dbPath: database } },
			]);
			await expectOneTurn({ ...world, database });
		}),
	600_000,
);

/** A world of either major. */
type AnyWorld = Pick<World, "home" | "model" | "database">;

async function inAnyWorld(
	release: string,
	plugins: readonly string[],
	env: Readonly<Record<string, string>>,
	play: (world: AnyWorld) => Promise<void>,
): Promise<void> {
	const options = { release, plugins, env };
	if (release === OPENCODE_2_RELEASE) await inWorld2(options, play);
	else await inWorld(options, play);
}

/** What the script has a shell export, beside the path of programs. */
function developersEnvironment(folder: string): Record<string, string> {
	const script = join(PACKAGE, "..", "scripts", "dev-home.sh");
	const env = { ...process.env, CLANKERS_DEV_HOME: folder };
	const prepared = spawnSync(script, { env, encoding: "utf8" });
	expect(prepared.status, prepared.stderr).toBe(0);
	const exported = readFileSync(join(folder, "env"), "utf8").matchAll(
		/^export (?!PATH=)(\w+)="(.*)"$/gm,
	);
	return Object.fromEntries(
		[...exported].map(([, name, value]) => [String(name), String(value)]),
	);
}

/** The person's own plugin folder, which every release reads. */
function pluginFolderOf(home: Home): string {
	const config = join(home.root, "config", "opencode");
	if (home.options.release !== OPENCODE_2_RELEASE) home.seedHelpers(config);
	const folder = join(config, "plugin");
	mkdirSync(folder, { recursive: true });
	return folder;
}

/** The two lines of README. */
function dropBoth(home: Home): void {
	const folder = pluginFolderOf(home);
	for (const path of [pluginFile(), pluginFolder()])
		cpSync(path, join(folder, basename(path)), { recursive: true });
}

/** The folders of the packages in a `node_modules`. */
function packagesIn(folder: string): string[] {
	return readdirSync(folder)
		.filter((name) => !name.startsWith("."))
		.flatMap((name) =>
			name.startsWith("@")
				? packagesIn(join(folder, name))
				: [join(folder, name)],
		);
}

function dropPlugin(home: Home): void {
	// Releases disagree about the folder's name: the first ones know only the singular.
	const folder = join(
		home.project,
		".opencode",
		home.options.release.startsWith("1.0.") ? "plugin" : "plugins",
	);
	home.seedHelpers(dirname(folder));
	mkdirSync(folder, { recursive: true });
	copyFileSync(pluginFile(), join(folder, "clankers.js"));
}

/** OpenCode 2 answers, says nothing of plugins, and no row lands. */
async function expectNothing({
	home,
	model,
	database,
}: AnyWorld): Promise<void> {
	model.script("Say hello.", say("Hello there."));
	const { code, output } = await runStandalone(home, "Say hello.");
	expect(code, output).toBe(0);
	expect(output).not.toContain("plugin");
	expect(existsSync(database)).toBeFalse();
}

async function expectOneTurn({
	home,
	model,
	database,
}: AnyWorld): Promise<void> {
	model.script("Say hello.", say("Hello there."));
	const run =
		home.options.release === OPENCODE_2_RELEASE ? runStandalone : runTurn;
	const { code, output } = await run(home, "Say hello.");
	expect(code, output).toBe(0);
	const rows = withDatabase(database, (open) => ({
		messages: open
			.query("SELECT role, text_content FROM messages ORDER BY id")
			.values(),
		steps: open
			.query(
				"SELECT count(*), round(sum(cost), 9) = (SELECT sum(cost) FROM messages) FROM usage WHERE kind IS NOT 'overhead'",
			)
			.values(),
		rejections: open.query("SELECT * FROM rejections").values(),
	}));
	expect(
		rows.messages.map(([role, text]) => [
			role,
			String(text).replaceAll('"', "").trim(),
		]),
	).toEqual([
		["user", "Say hello."],
		["assistant", "Hello there."],
	]);
	expect(rows.steps).toEqual([[1, 1]]);
	expect(rows.rejections).toEqual([]);
}
