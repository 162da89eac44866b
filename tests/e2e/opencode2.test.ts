/** The real OpenCode 2 with the plugin: what is stored is compared with what OpenCode answers, scenario by scenario. */

import { test } from "bun:test";
import { pluginByFolder } from "./harness/plugin.ts";
import { expectMirrored, RULES } from "./opencode2/mirrored.ts";
import type { Scenario } from "./opencode2/scenario.ts";
import { SCENARIOS } from "./opencode2/scenarios/index.ts";
import { inWorld2, type World2 } from "./opencode2/world.ts";

/**
 * A scenario's name, or `all`: those below are what `make test` has time for, with those of the day,
 * which plays what a ledger depends on in one home.
 */
const CHOSEN = process.env.E2E_SCENARIO;
const BRIEF: readonly string[] = [
	"plain-turn",
	"tools",
	"parallel-tools",
	"reasoning",
	"questions",
	"unauthorized",
	"queued-and-steered",
	"renamed",
	"runs",
	"killed-in-stream",
	"stopped-in-stream",
];

async function play(scenario: Scenario): Promise<void> {
	const options = {
		...scenario.home,
		prepare: scenario.prepare,
		plugins: [pluginByFolder()],
	};
	await inWorld2(options, async (world) => {
		if (!scenario.isFirst) await warmUp(world);
		await scenario.run(world);
		const { isUnheard = false } = scenario;
		await expectMirrored(world, 1, { ...RULES, isUnheard });
	});
}

/** The first prompt of a directory starts its plugins: one in a session that goes again. */
async function warmUp({ api, witness }: World2): Promise<void> {
	const { id } = await api.createSession({ title: "Warming up" });
	await api.prompt(id, "Warm up.");
	await witness.see(api, id);
	await api.remove(id);
}

for (const scenario of SCENARIOS) {
	const isChosen =
		CHOSEN === undefined
			? BRIEF.includes(scenario.name)
			: CHOSEN === "all" || CHOSEN === scenario.name;
	if (!isChosen) continue;
	test.concurrent(
		`${scenario.name} is mirrored`,
		() => play(scenario),
		600_000,
	);
}
