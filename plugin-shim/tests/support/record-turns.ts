/**
 * A process that loads the plugin, records a number of turns and exits in the
 * middle of the next, without a breath: `record-turns.ts PLUGIN ID TURNS`. With
 * one word more it ends there by itself, once nothing keeps it.
 */
import { setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { Plugin } from "../../src/hosts/opencode1.ts";
import { sessionCreated, sessionIdle, sessionUpdated } from "./events.ts";

const [path = "", id = "", turns = "", byItself] = process.argv.slice(2);
const { default: plugin } = (await import(pathToFileURL(path).href)) as {
	default: Plugin;
};
const { event: hook } = await plugin({});
const told = (event: ReturnType<typeof sessionIdle>): void => {
	hook?.({ event });
};
for (let turn = 0; turn < Number(turns); turn++) {
	const session = `${id}_${turn}`;
	told(sessionCreated(session, "begun"));
	// What nobody knows is counted: once a turn.
	told({ type: "test.unheard_of" });
	told(sessionIdle(session));
	told(sessionUpdated(session, "ended"));
	told(sessionIdle(session));
	await pause(turn % 3);
}
told(sessionCreated(`${id}_last`, "begun"));
told(sessionIdle(`${id}_last`));
told(sessionUpdated(`${id}_last`, "ended"));
if (byItself === undefined) process.exit(0);
