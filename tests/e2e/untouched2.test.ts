/** OpenCode 2 starts plugins with the first prompt of a directory: what is in the others only an import brings in. */

import { expect, test } from "bun:test";
import { pluginByFolder } from "./harness/plugin.ts";
import { clankers, diagnosed } from "./harness/program.ts";
import { call, say, think } from "./harness/script.ts";
import { withDatabase } from "./mirror/database.ts";
import { expectMirrored, RULES } from "./opencode2/mirrored.ts";
import { runStandalone } from "./opencode2/server.ts";
import { inWorld2 } from "./opencode2/world.ts";

test(
	"the history of a directory that nobody touches is named by doctor, and imported as OpenCode has it",
	() =>
		inWorld2({}, async (world) => {
			const { home, model, database } = world;
			const other = home.makeProject("other");
			model.title("Look around", "In the other project");
			model.script(
				"Look around.",
				{ thought: "Where am I?", ...call("shell", { command: "ls" }) },
				say("One file."),
			);
			model.script("Think again.", think("Once more.", "Still one file."));
			model.script("Say hello.", say("Hello."));
			for (const [prompt, ...args] of [
				["Look around."],
				["Think again.", "--continue"],
			] as const)
				await ran(runStandalone(home, prompt, args, other));

			home.configure([pluginByFolder()]);
			await ran(runStandalone(home, "Say hello."));
			expect(projectsIn(database)).toEqual(["project"]);
			expect(diagnosed(home, "history")).toMatchObject([
				{
					level: "warning",
					found:
						"1 session that OpenCode has is not recorded, or only in an older state",
					advice: "run: clankers import",
				},
			]);

			const { status, output } = clankers(home, ["import"]);
			expect(status, output).toBe(0);
			expect(projectsIn(database)).toEqual(["other", "project"]);
			expect(diagnosed(home, "history")).toMatchObject([{ level: "good" }]);
			await expectMirrored(world, 100, { ...RULES, isUnheard: true });
		}),
	600_000,
);

/** A turn that ended well. */
async function ran(turn: ReturnType<typeof runStandalone>): Promise<void> {
	const { code, output } = await turn;
	expect(code, output).toBe(0);
}

function projectsIn(database: string): unknown[] {
	return withDatabase(database, (open) =>
		open
			.query<{ name: string }, []>(
				"SELECT project_name AS name FROM sessions ORDER BY name",
			)
			.all()
			.map(({ name }) => name),
	);
}
