/**
 * Records what real releases send: `bun tests/e2e/record.ts [--answers] FOLDER [RELEASE …]`.
 * Each scenario gives FOLDER/RELEASE/SCENARIO.jsonl, the bus events verbatim but for the machine's own paths and ports;
 * with `--answers` also SCENARIO.api.json, what the API answered at the end.
 */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { Home } from "./harness/home.ts";
import { ScriptedModel } from "./harness/model.ts";
import { runTurn, Server } from "./harness/opencode.ts";
import { KILO_RELEASE, RELEASES } from "./harness/releases.ts";
import { call, say, think } from "./harness/script.ts";
import { type Truth, Witness } from "./mirror/truth.ts";
import { ACTS, KILOS_OWN, SERVED } from "./scenario/index.ts";
import { openStage, play } from "./scenario/play.ts";
import type { Step } from "./scenario/step.ts";

const RECORDER = new URL("./harness/recorder.js", import.meta.url).href;

interface Recording {
	readonly folder: string;
	readonly release: string;
	readonly scenario: string;
}

type Play = (home: Home, model: ScriptedModel) => Promise<Truth>;

async function record(
	{ folder, release, scenario }: Recording,
	playIt: Play,
): Promise<void> {
	const file = resolve(folder, release, scenario);
	mkdirSync(dirname(file), { recursive: true });
	const model = await ScriptedModel.start();
	const events = `${file}.jsonl`;
	rmSync(events, { force: true });
	const home = new Home({
		release,
		modelURL: model.baseURL,
		plugins: [RECORDER],
		env: { E2E_EVENTS_FILE: events },
	});
	try {
		const answers = await playIt(home, model);
		writeFileSync(events, home.neutral(readFileSync(events, "utf8")));
		if (withAnswers)
			writeFileSync(
				`${file}.api.json`,
				home.neutral(JSON.stringify(answers, null, "\t")),
			);
		const count = readFileSync(events, "utf8").split("\n").length - 1;
		console.log(`${release} ${scenario}: ${count} events`);
	} finally {
		await model.stop();
		home.remove();
	}
}

function served(recording: Recording, steps: readonly Step[]): Promise<void> {
	return record(recording, async (home, model) => {
		const server = await Server.start(home);
		const stage = await openStage(home, model, server);
		for (const step of steps) {
			const { result, detail } = await play(stage, step);
			if (result === "failed") throw new Error(`${step.name}: ${detail}`);
			if (detail) console.log(`${recording.release} ${step.name}: ${detail}`);
		}
		stage.bus.close();
		const truth = await stage.witness.truth(stage.api, stage.elsewhere);
		await server.stop();
		return truth;
	});
}

/** Three processes, one turn each, in one session. */
function run(recording: Recording): Promise<void> {
	return record(recording, async (home, model) => {
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
		const truth = await new Witness().truth(reader.api);
		await reader.stop();
		return truth;
	});
}

/** What is played in one process, by the names of the recordings. */
function scenariosOf(release: string): Record<string, readonly Step[]> {
	const { turns = [], failures = [], history = [] } = ACTS;
	const always = { served: SERVED, "matrix-failures": failures };
	return release === KILO_RELEASE
		? { ...always, own: KILOS_OWN }
		: { ...always, "matrix-turns": turns, "matrix-history": history };
}

const withAnswers = process.argv.includes("--answers");
const [folder, ...chosen] = process.argv
	.slice(2)
	.filter((argument) => argument !== "--answers");
if (!folder)
	throw new Error(
		"usage: bun tests/e2e/record.ts [--answers] FOLDER [RELEASE …]",
	);
for (const release of chosen.length > 0 ? chosen : RELEASES) {
	await run({ folder, release, scenario: "run" });
	for (const [scenario, steps] of Object.entries(scenariosOf(release)))
		await served({ folder, release, scenario }, steps);
}
process.exit(0);
