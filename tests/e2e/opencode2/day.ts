/** A day: many scenarios on one server, in two directories side by side, in an order that a seed makes. */

import { Random } from "../../../plugin-shim/tests/histories/random.ts";
import type { Scenario, Stage2 } from "./scenario.ts";
import { SCENARIOS } from "./scenarios/index.ts";
import type { World2, World2Options } from "./world.ts";

/** What goes on at the same time: in the home's own project, and in the other directory. */
export interface Hour {
	readonly here?: Scenario;
	readonly elsewhere?: Scenario;
}

/** Those whose every event a client of the server hears. */
const KINDS = SCENARIOS.filter(({ isUnheard }) => !isUnheard);

/** What no day is without: whatever makes a ledger differ from a sum of answers, and what a person is asked. */
const ALWAYS: readonly string[] = [
	"titled",
	"sub-agent",
	"retried",
	"interrupted-stream",
	"finish-reasons",
	"compacted",
	"forked",
	"revert-committed",
	"deleted",
	"permissions",
];

/** The day of this seed, with so many scenarios; all of them once, where nothing is said. */
export function planDay(seed: number, many: number = KINDS.length): Hour[] {
	const random = new Random(seed);
	const here: Scenario[] = [];
	const elsewhere: Scenario[] = [];
	const alone: Hour[] = [];
	// A scenario's own files are in the home's project alone.
	for (const scenario of drawn(random, many))
		if (scenario.isAlone)
			alone.push(
				random.chance(0.5) ? { here: scenario } : { elsewhere: scenario },
			);
		else if (scenario.prepare || here.length <= elsewhere.length)
			here.push(scenario);
		else elsewhere.push(scenario);
	const hours = here.map((scenario, index): Hour => {
		const beside = elsewhere[index];
		return { here: scenario, ...(beside && { elsewhere: beside }) };
	});
	for (const hour of alone)
		hours.splice(random.between(0, hours.length), 0, hour);
	return hours;
}

/** Those of every day and others, in any order. */
function drawn(random: Random, many: number): Scenario[] {
	const isAlways = ({ name }: Scenario): boolean => ALWAYS.includes(name);
	const others = shuffled(
		random,
		KINDS.filter((scenario) => !isAlways(scenario)),
	);
	return shuffled(random, [
		...KINDS.filter(isAlways),
		...others.slice(0, Math.max(0, many - ALWAYS.length)),
	]);
}

function shuffled<One>(random: Random, all: readonly One[]): One[] {
	const left = [...all];
	return all.flatMap(() => left.splice(random.between(0, left.length - 1), 1));
}

/** A home that has what any scenario wants to be there. */
export function homeForAll(): World2Options {
	return {
		config: Object.assign(
			{},
			...KINDS.map(({ home }) => home?.config ?? {}),
		) as Record<string, unknown>,
		prepare: (home) => {
			for (const { prepare } of KINDS) prepare?.(home);
		},
	};
}

/** What was played, in words. */
export function nameOf({ here, elsewhere }: Hour): string {
	return [here?.name ?? "—", elsewhere?.name ?? "—"].join(" beside ");
}

export async function playHour(
	world: World2,
	{ here, elsewhere }: Hour,
): Promise<void> {
	const { home, model } = world;
	await Promise.all([
		here?.run(stageIn(world, home.project)),
		elsewhere?.run(stageIn(world, home.makeProject("other"))),
	]);
	// What one scenario leaves would be another one's answer.
	model.summary = undefined;
	await world.api.forgetPermissions();
}

/** The same stage, in another directory. */
function stageIn(world: World2, directory: string): Stage2 {
	const { home, model, witness, restart, runStandalone } = world;
	return {
		...{ home, model, witness, restart, runStandalone },
		get api() {
			return world.api.in(directory);
		},
		get bus() {
			return world.bus;
		},
	};
}
