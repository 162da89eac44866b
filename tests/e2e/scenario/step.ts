/** A step of a scenario: something a person does in OpenCode, on sessions of its own, so that no step depends on another. */

import type { Api, Listener, SessionInfo } from "../harness/api.ts";
import type { Home } from "../harness/home.ts";
import type { ScriptedModel } from "../harness/model.ts";

import type { Witness } from "../mirror/truth.ts";

export interface Stage {
	readonly release: string;
	readonly home: Home;
	readonly model: ScriptedModel;
	readonly api: Api;
	readonly bus: Listener;
	/** Remembers what a step is about to remove. */
	readonly witness: Witness;
	/** A second project folder, in the same process. */
	readonly elsewhere: Api;
}

export interface Step {
	readonly name: string;
	run(stage: Stage): Promise<void>;
}

/** Thrown where a release has no such feature: the table says so, and nobody calls it a failure. */
export class NotInThisRelease extends Error {}

/** Goes on only where this release has such a request. */
export async function needs(
	stage: Stage,
	method: string,
	path: string,
): Promise<void> {
	if (!(await stage.api.knows(method, path)))
		throw new NotInThisRelease(`no ${method} ${path}`);
}

export async function newSession(
	stage: Stage,
	title?: string,
): Promise<SessionInfo> {
	return await stage.api.createSession(title === undefined ? {} : { title });
}
