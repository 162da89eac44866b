/** `opencode run`: one process per turn, which leaves as soon as the turn has ended. */

import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { runTurn } from "./harness/opencode.ts";
import { pluginByPath } from "./harness/plugin.ts";
import { diagnosed } from "./harness/program.ts";
import { PINNED_RELEASE } from "./harness/releases.ts";
import { say } from "./harness/script.ts";
import { inWorld } from "./harness/world.ts";
import { describeReport } from "./mirror.ts";
import { runs } from "./scenario/whole.ts";

/** The oldest release, one that leaves without waiting for anybody, and the newest. */
const RELEASES = ["1.0.61", "1.1.31", PINNED_RELEASE];

test.each(RELEASES)(
	"every message of every turn is there when its process has left: %s",
	async (release) => {
		const report = await runs(release);
		expect(describeReport(report)).toBe(
			`${report.checks} of ${report.checks} checks held`,
		);
	},
	600_000,
);

test(
	"nothing is said to be behind after a run where OpenCode moves its session's time and tells nobody",
	() =>
		inWorld({ release: PINNED_RELEASE }, async ({ home, model }) => {
			// Without git there is no summary of what was changed, whose event tells the time.
			const folder = join(home.root, "plain");
			mkdirSync(folder);
			model.script("Say hello.", say("Hello."));
			for (const args of [[], [], ["--continue"]]) {
				const { code, output } = await runTurn(
					home,
					"Say hello.",
					args,
					folder,
				);
				expect(code, output).toBe(0);
				expect(diagnosed(home, "history")).toMatchObject([{ level: "good" }]);
			}
		}),
	600_000,
);

test(
	"a run that goes on with a session from before the plugin leaves it whole",
	() =>
		inWorld(
			{ release: PINNED_RELEASE, plugins: [] },
			async ({ home, model }) => {
				model.script("Say hello.", say("Hello."));
				await runTurn(home, "Say hello.");
				home.configure([pluginByPath()]);
				const { code, output } = await runTurn(home, "Say hello.", [
					"--continue",
				]);
				expect(code, output).toBe(0);
				expect(diagnosed(home, "history")).toMatchObject([{ level: "good" }]);
			},
		),
	600_000,
);
