/** A scenario: something that a person does in OpenCode 2, in a home of its own. */

import type { ScriptedModel } from "../harness/model.ts";
import type { Finished } from "../harness/opencode.ts";
import type { Witness2 } from "../mirror2/truth.ts";
import type { Api2 } from "./api.ts";
import type { Bus2 } from "./bus.ts";
import type { Home2, Home2Options } from "./home.ts";

export interface Stage2 {
	readonly home: Home2;
	readonly model: ScriptedModel;
	readonly api: Api2;
	readonly bus: Bus2;
	/** Remembers what a scenario is about to remove. */
	readonly witness: Witness2;
	/** Ends the server by this signal and starts another: `api` and `bus` are new from then on. */
	restart(signal: NodeJS.Signals): Promise<void>;
	/** One turn in a process of its own, beside the server. */
	runStandalone(prompt: string, ...args: string[]): Promise<Finished>;
}

export interface Scenario {
	readonly name: string;
	/** What its home has beside the usual. */
	readonly home?: Partial<Pick<Home2Options, "config" | "env">>;
	/** Puts files into the home before OpenCode starts. */
	prepare?(home: Home2): void;
	/** Whether its first prompt is the first of the server: what came before it no plugin hears. */
	readonly isFirst?: boolean;
	/** Whether others cannot go on beside it: it ends the server, or changes what the model says to all. */
	readonly isAlone?: boolean;
	/** Whether no client hears its events, as of a `run`. */
	readonly isUnheard?: boolean;
	run(stage: Stage2): Promise<void>;
}
