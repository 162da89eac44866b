/** A process that loads the plugin, records an event and exits in the same breath, as `opencode run` of old releases does: `record-and-exit.ts PLUGIN`. */
import { pathToFileURL } from "node:url";
import type { Plugin } from "../../src/hosts/opencode1.ts";
import { sessionCreated } from "./events.ts";

const [path = ""] = process.argv.slice(2);
const { default: plugin } = (await import(pathToFileURL(path).href)) as {
	default: Plugin;
};
const { event: hook } = await plugin({});
hook?.({ event: sessionCreated("ses_1", "last words") });
process.exit(0);
