/** `opencode run`: one process per turn, which leaves as soon as the turn has ended. */

import { expect, test } from "bun:test";
import { runTurn } from "./harness/opencode.ts";
import { pluginByPath } from "./harness/plugin.ts";
import { PINNED_RELEASE } from "./harness/releases.ts";
import { call, say, think } from "./harness/script.ts";
import { inWorld, type World } from "./harness/world.ts";
import { Witness } from "./mirror/truth.ts";
import { checkMirror, describeReport } from "./mirror.ts";

/** The oldest release, one that leaves without waiting for anybody, and the newest. */
const RELEASES = ["1.0.61", "1.1.31", PINNED_RELEASE];

test.each(RELEASES)(
	"every message of every turn is there when its process has left: %s",
	async (release) => {
		await inWorld({ release }, async (world) => {
			const { model } = world;
			model.script("Say hello.", think("A greeting.", "Hello."));
			model.script(
				"List the files.",
				call("bash", { command: "ls", description: "List files" }),
				say("One file."),
			);
			model.script(
				"Have them counted.",
				call("task", {
					description: "Count",
					prompt: "Count them.",
					subagent_type: "general",
				}),
				say("Counted."),
			);
			model.script("Count them.", say("There is one."));
			for (const [turn, prompt] of [
				"Say hello.",
				"List the files.",
				"Have them counted.",
			].entries()) {
				const { code, output } = await runTurn(
					world.home,
					prompt,
					turn === 0 ? [] : ["-c"],
				);
				expect(output).not.toContain("clankers");
				expect(code).toBe(0);
				await expectMirror(world, release);
			}
		});
	},
	180_000,
);

/** Asks an OpenCode without the plugin, which mends nothing. */
async function expectMirror(world: World, release: string): Promise<void> {
	const server = await world.serveWithoutPlugin();
	const truth = await new Witness().truth(server.api);
	await server.stop();
	world.home.configure([pluginByPath()]);
	const report = checkMirror(world.database, truth, {
		release,
		tombstones: "all",
	});
	expect(describeReport(report)).toBe(
		`${report.checks} of ${report.checks} checks held`,
	);
}
