/** However a person installs the plugin, it is loaded and rows land. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Home } from "./harness/home.ts";
import { runTurn } from "./harness/opencode.ts";
import { PACKAGE, pluginByPath, pluginFile } from "./harness/plugin.ts";
import { Registry } from "./harness/registry.ts";
import { contemporaryProvider, PINNED_RELEASE } from "./harness/releases.ts";
import { say } from "./harness/script.ts";
import { inWorld, type World } from "./harness/world.ts";
import { withDatabase } from "./mirror/database.ts";

const RELEASES = ["1.0.61", "1.3.2", PINNED_RELEASE];

let registry: Registry;

beforeAll(async () => {
	registry = await Registry.start();
	registry.publish(PACKAGE);
	// A release that installs the provider, too, finds it there.
	for (const folder of packagesIn(contemporaryProvider()))
		registry.publish(folder);
}, 60_000);

afterAll(() => registry.stop());

test.each(RELEASES)(
	"by path, in opencode.json: %s",
	(release) => inWorld({ release, plugins: [pluginByPath()] }, expectOneTurn),
	60_000,
);

test.each(RELEASES)(
	"as one file in the project's plugin folder: %s",
	(release) =>
		inWorld({ release, plugins: [] }, async (world) => {
			dropPlugin(world.home);
			await expectOneTurn(world);
		}),
	60_000,
);

test.each(RELEASES)(
	"twice, in opencode.json and in the plugin folder: each event is recorded once: %s",
	(release) =>
		inWorld({ release, plugins: [pluginByPath()] }, async (world) => {
			dropPlugin(world.home);
			await expectOneTurn(world);
		}),
	60_000,
);

test.each(RELEASES)(
	"by name, from a package registry: %s",
	(release) => {
		const { name, version } = JSON.parse(
			readFileSync(join(PACKAGE, "package.json"), "utf8"),
		) as { name: string; version: string };
		const env = {
			npm_config_registry: registry.url,
			BUN_CONFIG_REGISTRY: registry.url,
		};
		return inWorld(
			{ release, plugins: [`${name}@${version}`], env },
			expectOneTurn,
		);
	},
	60_000,
);

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

async function expectOneTurn({ home, model, database }: World): Promise<void> {
	model.script("Say hello.", say("Hello there."));
	const { code, output } = await runTurn(home, "Say hello.");
	expect(code, output).toBe(0);
	const rows = withDatabase(database, (open) => ({
		messages: open
			.query("SELECT role, text_content FROM messages ORDER BY id")
			.values(),
		steps: open
			.query(
				"SELECT count(*), round(sum(cost), 9) = (SELECT sum(cost) FROM messages) FROM usage",
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
