/**
 * Records what real releases send and answer: `bun tests/e2e/record.ts FOLDER [RELEASE …]`.
 * Each scenario gives FOLDER/RELEASE/SCENARIO.jsonl (bus events, verbatim) and SCENARIO.api.json (the API's answers at the end).
 */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Home } from "./harness/home.ts";
import { ScriptedModel } from "./harness/model.ts";
import { runTurn, Server } from "./harness/opencode.ts";
import { RELEASES } from "./harness/releases.ts";
import { call, say, think } from "./harness/script.ts";
import { MATRIX, SERVED } from "./scenario/index.ts";
import { NotInThisRelease, type Step } from "./scenario/step.ts";
import { readTruth } from "./scenario/truth.ts";

const RECORDER = new URL("./harness/recorder.js", import.meta.url).href;

async function recordServed(
	release: string,
	folder: string,
	scenario: string,
	steps: readonly Step[],
): Promise<void> {
	await recording(release, folder, scenario, async (home, model) => {
		const server = await Server.start(home);
		const elsewhere = server.api.in(home.makeProject("elsewhere"));
		const bus = await server.api.listen();
		const stage = { release, home, model, api: server.api, elsewhere, bus };
		for (const step of steps) {
			const begun = Date.now();
			const outcome = await step.run(stage).then(
				() => "done",
				(error: Error) =>
					error instanceof NotInThisRelease
						? `not in this release: ${error.message}`
						: `FAILED: ${error.message}`,
			);
			console.log(
				`${release} ${scenario} ${step.name}: ${outcome} (${Date.now() - begun} ms)`,
			);
		}
		bus.close();
		const answers = {
			project: await readTruth(server.api),
			elsewhere: await readTruth(elsewhere),
		};
		await server.stop();
		return answers;
	});
}

async function recordRuns(release: string, folder: string): Promise<void> {
	await recording(release, folder, "run", async (home, model) => {
		model.script(
			"Say hello from the command line.",
			think("A greeting.", "Hello from the command line."),
		);
		model.script(
			"List the files here.",
			call("bash", { command: "ls", description: "List files" }),
			say("One file."),
		);
		model.script(
			"Have it counted.",
			call("task", {
				description: "Count",
				prompt: "Count them all.",
				subagent_type: "general",
			}),
			say("Counted."),
		);
		model.script("Count them all.", say("There is one."));
		await runTurn(home, "Say hello from the command line.");
		await runTurn(home, "List the files here.", ["-c"]);
		await runTurn(home, "Have it counted.", ["-c"]);
		home.configure([]);
		const reader = await Server.start(home);
		const answers = { project: await readTruth(reader.api) };
		await reader.stop();
		return answers;
	});
}

async function recording(
	release: string,
	folder: string,
	scenario: string,
	play: (home: Home, model: ScriptedModel) => Promise<object>,
): Promise<void> {
	const events = join(folder, release, `${scenario}.jsonl`);
	mkdirSync(join(folder, release), { recursive: true });
	rmSync(events, { force: true });
	const model = await ScriptedModel.start();
	const home = new Home({
		release,
		modelURL: model.baseURL,
		plugins: [RECORDER],
		env: { E2E_EVENTS_FILE: events },
	});
	try {
		const answers = await play(home, model);
		writeFileSync(
			join(folder, release, `${scenario}.api.json`),
			JSON.stringify(answers, null, 1),
		);
		console.log(
			`${release} ${scenario}: ${readFileSync(events, "utf8").split("\n").length - 1} events`,
		);
	} finally {
		await model.stop();
		home.remove();
	}
}

const [folder, ...chosen] = process.argv.slice(2);
if (!folder)
	throw new Error("usage: bun tests/e2e/record.ts FOLDER [RELEASE …]");
for (const release of chosen.length > 0 ? chosen : RELEASES) {
	await recordRuns(release, folder);
	await recordServed(release, folder, "served", SERVED);
	await recordServed(release, folder, "matrix", MATRIX);
}
process.exit(0);
