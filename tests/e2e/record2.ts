/**
 * Records what OpenCode 2 sends: `bun tests/e2e/record2.ts FOLDER [SCENARIO …]`.
 * Each scenario gives FOLDER/2.0.15/SCENARIO.jsonl, the events verbatim but for the machine's own paths and ports,
 * and SCENARIO.truth.json, what the HTTP API answered at the end.
 */

import {
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { until } from "./harness/poll.ts";
import { OPENCODE_2_RELEASE } from "./harness/releases.ts";
import type { Answers2 } from "./mirror2/truth.ts";
import type { Scenario } from "./opencode2/scenario.ts";
import { SCENARIOS } from "./opencode2/scenarios/index.ts";
import { inWorld2, type World2 } from "./opencode2/world.ts";

/** The plugin that writes down what it hears: a folder, which is all that OpenCode 2 takes. */
const RECORDER = new URL("./opencode2/recorder", import.meta.url).pathname;

/** Plays a scenario with the recorder writing to `events`; gives what both said. */
async function record(
	scenario: Scenario,
	events: string,
): Promise<{ heard: string; answers: string }> {
	const options = {
		...scenario.home,
		prepare: scenario.prepare,
		plugins: [RECORDER],
		env: { ...scenario.home?.env, E2E_EVENTS_FILE: events },
	};
	return await inWorld2(options, async (world) => {
		if (!scenario.isFirst) await warmUp(world, events);
		await scenario.run(world);
		const answers: Answers2 = await world.witness.answers(world.api);
		await world.stop();
		const { unheard } = world.model;
		if (unheard.length > 0)
			throw new Error(`the model never heard "${unheard.join('", "')}"`);
		return {
			heard: world.home.neutral(readFileSync(events, "utf8")),
			answers: world.home.neutral(`${JSON.stringify(answers, null, "\t")}\n`),
		};
	});
}

/** The first prompt of a directory starts its plugins: one in a session that goes again, and then the recording begins. */
async function warmUp({ api }: World2, events: string): Promise<void> {
	const { id } = await api.createSession({ title: "Warming up" });
	await api.prompt(id, "Warm up.");
	await api.remove(id);
	await until("the recorder", () =>
		readFileSync(events, "utf8").includes('"session.deleted"'),
	);
	writeFileSync(events, "");
}

const [folder, ...chosen] = process.argv.slice(2);
if (!folder)
	throw new Error("usage: bun tests/e2e/record2.ts FOLDER [SCENARIO …]");
const target = resolve(folder, OPENCODE_2_RELEASE);
mkdirSync(target, { recursive: true });
const scratch = mkdtempSync(join(tmpdir(), "clankers-record-"));
let failures = 0;
for (const scenario of SCENARIOS) {
	if (chosen.length > 0 && !chosen.includes(scenario.name)) continue;
	const events = join(scratch, `${scenario.name}.jsonl`);
	try {
		const { heard, answers } = await record(scenario, events);
		writeFileSync(join(target, `${scenario.name}.jsonl`), heard);
		writeFileSync(join(target, `${scenario.name}.truth.json`), answers);
		console.log(`${scenario.name}: ${heard.split("\n").length - 1} events`);
	} catch (error) {
		failures += 1;
		console.error(`${scenario.name}: ${error}`);
	}
}
rmSync(scratch, { recursive: true });
process.exit(failures === 0 ? 0 : 1);
