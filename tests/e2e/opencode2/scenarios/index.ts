/** Every scenario that is recorded. */

import type { Scenario } from "../scenario.ts";
import * as failures from "./failures.ts";
import * as history from "./history.ts";
import * as people from "./people.ts";
import * as subagents from "./subagents.ts";
import * as turns from "./turns.ts";

export const SCENARIOS: readonly Scenario[] = [
	turns,
	failures,
	people,
	subagents,
	history,
].flatMap((module): Scenario[] => Object.values(module));
