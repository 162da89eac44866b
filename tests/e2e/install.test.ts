/**
 * README, with only one release installed: `clankers install`, and a
 * conversation is recorded; `clankers uninstall`, and the next one is not.
 */

import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { runCommand, runTurn } from "./harness/opencode.ts";
import { until } from "./harness/poll.ts";
import { freePort } from "./harness/port.ts";
import { clankers, diagnosed } from "./harness/program.ts";
import {
	KILO_RELEASE,
	OPENCODE_2_RELEASE,
	PINNED_RELEASE,
	releaseNamed,
} from "./harness/releases.ts";
import { say } from "./harness/script.ts";
import { inWorld, type World } from "./harness/world.ts";
import { withDatabase } from "./mirror/database.ts";
import { runStandalone } from "./opencode2/server.ts";
import { service } from "./opencode2/service.ts";
import { inWorld2 } from "./opencode2/world.ts";

/** A world of any release. */
type AnyWorld = Pick<World, "home" | "model" | "database">;

const titles: Readonly<Record<string, string>> = {
	"1.3.2": "OpenCode 1.3.2",
	[PINNED_RELEASE]: `OpenCode ${PINNED_RELEASE}`,
	[OPENCODE_2_RELEASE]: `OpenCode ${OPENCODE_2_RELEASE}`,
	[KILO_RELEASE]: `Kilo ${releaseNamed(KILO_RELEASE).version}`,
};

test.each(Object.entries(titles))(
	"only %s is here: installed, it is recorded; uninstalled, it is not",
	(release, title) =>
		inAnyWorld(release, async (world) => {
			const { home } = world;
			const plugin = (): readonly [string, string][] =>
				diagnosed(home, "plugin").map(({ level, found }) => [level, found]);
			expect(plugin()).toEqual([["broken", `${title} does not load it`]]);

			const installed = clankers(home, ["install"]);
			expect(installed.status, installed.output).toBe(0);
			expect(existsSync(join(home.root, "config", "kilo", "plugin"))).toBe(
				release === KILO_RELEASE,
			);
			expect(plugin()).toEqual([
				["warning", expect.stringContaining(`${title}: placed, not yet seen`)],
			]);

			await converse(world, "Say hello.", "Hello there.");
			expect(wordsIn(world.database)).toEqual(["Say hello.", "Hello there."]);
			expect(plugin()).toEqual([
				["good", expect.stringContaining(`${title}: recording`)],
			]);
			const status = clankers(home, ["status"]);
			expect(status.output).toContain(`● plugin     ${title}: recording`);

			const again = clankers(home, ["install"]);
			expect(again.output).toContain("is there already");
			expect(again.output).not.toContain("placed /");

			const gone = clankers(home, ["uninstall"]);
			expect(gone.status, gone.output).toBe(0);
			await converse(world, "Say goodbye.", "Goodbye.");
			expect(wordsIn(world.database)).toEqual(["Say hello.", "Hello there."]);
			expect(plugin()).toEqual([["broken", `${title} does not load it`]]);
		}),
	600_000,
);

test(
	"a service of OpenCode 2 that is running takes the plugin and lets go of it",
	() =>
		inWorld2({ plugins: [] }, async ({ home, model, database }) => {
			const levels = (): readonly string[] =>
				diagnosed(home, "plugin").map(
					({ found }) => found.split(" (")[0] ?? "",
				);
			const turn = async (prompt: string, answer: string): Promise<void> => {
				model.script(prompt, say(answer));
				const { code, output } = await runTurn(home, prompt);
				expect(code, output).toBe(0);
			};
			await service(home, "set", "port", String(await freePort()));
			await service(home, "start");
			try {
				await turn("Say nothing.", "Nothing.");
				const installed = clankers(home, ["install"]);
				expect(installed.output).toContain("service is running");
				const isActive = "loaded, as its running service says";
				await until(isActive, () => levels()[0]?.includes(isActive) ?? false);
				await turn("Say hello.", "Hello there.");
				// What was said before the plugin came is asked for in the background.
				const all = ["Say nothing.", "Nothing.", "Say hello.", "Hello there."];
				await until("all words in the database", () =>
					Bun.deepEquals(wordsIn(database), all),
				);
				expect(levels()).toEqual([expect.stringContaining("recording")]);

				clankers(home, ["uninstall"]);
				await until(
					"the service to let go",
					async () => !(await isLoaded(home)),
				);
				await turn("Say goodbye.", "Goodbye.");
				expect(wordsIn(database)).toEqual(all);
			} finally {
				await service(home, "stop");
			}
		}),
	600_000,
);

/** What OpenCode itself says in the project's folder. */
async function isLoaded(home: World["home"]): Promise<boolean> {
	const { output } = await runCommand(home, ["api", "get", "/api/plugin"]);
	return output.includes("opencode-clankers");
}

async function inAnyWorld(
	release: string,
	play: (world: AnyWorld) => Promise<void>,
): Promise<void> {
	if (release === OPENCODE_2_RELEASE) await inWorld2({ plugins: [] }, play);
	else await inWorld({ release, plugins: [] }, play);
}

/** One turn, in a process of its own. */
async function converse(
	{ home, model }: AnyWorld,
	prompt: string,
	answer: string,
): Promise<void> {
	model.script(prompt, say(answer));
	const run =
		home.options.release === OPENCODE_2_RELEASE ? runStandalone : runTurn;
	const { code, output } = await run(home, prompt);
	expect(code, output).toBe(0);
	expect(output).toContain(answer);
}

/** What was said, in order; OpenCode 2 puts a prompt of `run` in quotes. */
function wordsIn(database: string): readonly string[] {
	return withDatabase(database, (open) =>
		open
			.query("SELECT text_content FROM messages ORDER BY created_at, id")
			.values()
			.map(([text]) => String(text).replaceAll('"', "").trim()),
	);
}
