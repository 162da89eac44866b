/** Plays a scenario in a served OpenCode. */

import type { Home } from "../harness/home.ts";
import type { ScriptedModel } from "../harness/model.ts";
import type { Server } from "../harness/opencode.ts";
import { Witness } from "../mirror/truth.ts";
import { NotInThisRelease, type Stage, type Step } from "./step.ts";

export interface Outcome {
	readonly step: string;
	readonly result: "done" | "not in this release" | "failed";
	readonly detail: string;
	readonly milliseconds: number;
	/** The sessions that the step made. */
	readonly sessions: readonly string[];
}

export async function openStage(
	home: Home,
	model: ScriptedModel,
	server: Server,
): Promise<Stage> {
	const { api } = server;
	const bus = await api.listen();
	return {
		release: home.options.release,
		home,
		model,
		api,
		elsewhere: api.in(home.makeProject("elsewhere")),
		bus,
		witness: new Witness(bus.events),
	};
}

/** Plays one step; a failure is an outcome too, so that the other steps still show what they show. */
export async function play(stage: Stage, step: Step): Promise<Outcome> {
	const begun = Date.now();
	const sessions = (): Promise<Set<string>> =>
		stage.witness.known(stage.api, stage.elsewhere);
	const before = await sessions();
	const unheard = new Set(stage.model.unheard);
	const [result, detail] = await outcomeOf(
		step.run(stage).then(() => {
			const now = stage.model.unheard.filter((prompt) => !unheard.has(prompt));
			if (now.length > 0)
				throw new Error(`the model never heard "${now.join('", "')}"`);
		}),
	);
	return {
		step: step.name,
		result,
		detail,
		milliseconds: Date.now() - begun,
		sessions: [...(await sessions()).difference(before)],
	};
}

async function outcomeOf(
	playing: Promise<void>,
): Promise<[Outcome["result"], string]> {
	try {
		await playing;
		return ["done", ""];
	} catch (error) {
		return error instanceof NotInThisRelease
			? ["not in this release", error.message]
			: ["failed", String(error)];
	}
}
