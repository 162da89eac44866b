/** OpenCode 1.x at its own screen, whose server is a thread of the same process: what was said is there when it has left, and nothing of the plugin was to be seen. */

import { expect, test } from "bun:test";
import { until } from "./harness/poll.ts";
import { call, say } from "./harness/script.ts";
import { Terminal } from "./harness/terminal.ts";
import { inWorld } from "./harness/world.ts";
import { withDatabase } from "./mirror/database.ts";
import { Witness } from "./mirror/truth.ts";
import { checkMirror, describeReport } from "./mirror.ts";

/** The oldest release: the screens of later 1.x ask a list of providers of a server that no test reaches. */
const RELEASE = "1.0.61";

/** The texts of the answers that are stored. */
function answers(database: string): unknown[] {
	return withDatabase(database, (open) =>
		open
			.query("SELECT text_content FROM messages WHERE role = 'assistant'")
			.values()
			.flat(),
	);
}

test(
	"a turn at the screen of 1.x is mirrored when it has left",
	() =>
		inWorld({ release: RELEASE }, async (world) => {
			const { home, model, database } = world;
			model.script(
				"List the files.",
				call("bash", { command: "ls", description: "List files" }),
				say("There is one file."),
			);
			const terminal = new Terminal(home, ["--prompt", "List the files."]);
			try {
				await terminal.shows("> List the files.");
				terminal.press("Enter");
				await terminal.shows("There is one file.");
				await until("the answer to be stored", () =>
					answers(database).includes("There is one file."),
				);
				terminal.press("C-c");
				await terminal.ends();
				expect(terminal.printed.toLowerCase()).not.toContain("clankers");
			} finally {
				terminal.close();
			}
			const server = await world.serveWithoutPlugin();
			const report = checkMirror(
				database,
				await new Witness().truth(server.api),
				{ release: RELEASE, tombstones: "all" },
			);
			expect(report.checks).toBeGreaterThan(50);
			expect(describeReport(report)).toBe(
				`${report.checks} of ${report.checks} checks held`,
			);
		}),
	600_000,
);
