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
}

export async function openStage(
	home: Home,
	model: ScriptedModel,
	server: Server,
): Promise<Stage> {
	const { api } = server;
	return {
		release: home.options.release,
		home,
		model,
		api,
		elsewhere: api.in(home.makeProject("elsewhere")),
		bus: await api.listen(),
		witness: new Witness(),
	};
}

/** Plays one step; a failure is an outcome too, so that the other steps still show what they show. */
export async function play(stage: Stage, step: Step): Promise<Outcome> {
	const begun = Date.now();
	const outcome = (result: Outcome["result"], detail: string): Outcome => ({
		step: step.name,
		result,
		detail,
		milliseconds: Date.now() - begun,
	});
	try {
		await step.run(stage);
		return outcome("done", "");
	} catch (error) {
		if (error instanceof NotInThisRelease)
			return outcome("not in this release", error.message);
		return outcome("failed", String(error));
	}
}
