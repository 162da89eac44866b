/** One release through everything: the served steps in one process, and what takes several. */

import { inWorld } from "../harness/world.ts";
import type { Difference, Report } from "../mirror/compare.ts";
import { rulesFor } from "../mirror/expected/rules.ts";
import { settledMirror } from "../mirror.ts";
import { MATRIX } from "./index.ts";
import { type Outcome, openStage, play } from "./play.ts";
import { WHOLE } from "./whole.ts";

/** One cell of the table. */
export interface Verdict {
	readonly release: string;
	readonly scenario: string;
	readonly made: number;
	readonly held: number;
	readonly differences: readonly Difference[];
	/** Why there is nothing to check here: the release has no such thing. */
	readonly absent?: string;
	/** Why it could not be played. */
	readonly failure?: string;
}

/** Every scenario, in the table's order. */
export const SCENARIOS: readonly string[] = [
	...MATRIX.map((step) => step.name),
	...Object.keys(WHOLE),
];

/** Plays the served steps, or those of these names, in one process, compares once at the end, and lays each difference to the step whose session it is in. */
export async function servedVerdicts(
	release: string,
	names?: readonly string[],
): Promise<Verdict[]> {
	const steps = MATRIX.filter(({ name }) => names?.includes(name) ?? true);
	return await inWorld(
		{ release },
		async ({ home, model, database, serve }) => {
			const stage = await openStage(home, model, await serve());
			const outcomes: Outcome[] = [];
			for (const step of steps) outcomes.push(await play(stage, step));
			stage.bus.close();
			const report = await settledMirror(
				database,
				stage.witness,
				[stage.api, stage.elsewhere],
				rulesFor(release),
			);
			const verdicts = outcomes.map((outcome) =>
				verdictOf(release, outcome, report),
			);
			return [...verdicts, ...unclaimed(release, outcomes, report)];
		},
	);
}

/** Plays one of the scenarios that take several processes. */
export async function wholeVerdict(
	release: string,
	scenario: string,
): Promise<Verdict> {
	try {
		const report = await WHOLE[scenario]?.(release);
		if (!report) throw new Error(`there is no scenario ${scenario}`);
		const { checks, differences } = report;
		return {
			release,
			scenario,
			made: checks,
			held: checks - differences.length,
			differences,
		};
	} catch (error) {
		return {
			release,
			scenario,
			made: 0,
			held: 0,
			differences: [],
			failure: String(error),
		};
	}
}

export function isClean(verdict: Verdict): boolean {
	return verdict.failure === undefined && verdict.differences.length === 0;
}

function verdictOf(
	release: string,
	{ step, result, detail, sessions }: Outcome,
	report: Report,
): Verdict {
	const differences = report.differences.filter(({ session }) =>
		sessions.includes(session),
	);
	const made = sessions.reduce(
		(sum, session) => sum + (report.checksOf.get(session) ?? 0),
		0,
	);
	const verdict = {
		release,
		scenario: step,
		made,
		held: made - differences.length,
		differences,
	};
	if (result === "failed") return { ...verdict, failure: detail };
	return result === "done" ? verdict : { ...verdict, absent: detail };
}

/** Differences in sessions that no step made. */
function unclaimed(
	release: string,
	outcomes: readonly Outcome[],
	report: Report,
): Verdict[] {
	const claimed = new Set(outcomes.flatMap(({ sessions }) => sessions));
	const differences = report.differences.filter(
		({ session }) => !claimed.has(session),
	);
	if (differences.length === 0) return [];
	return [
		{
			release,
			scenario: "elsewhere",
			made: differences.length,
			held: 0,
			differences,
		},
	];
}
