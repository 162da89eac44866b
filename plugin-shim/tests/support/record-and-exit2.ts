/**
 * A process in which OpenCode 2.x has two instances of one directory, as after
 * a reload, and which exits in the same breath, with no clean-up:
 * `record-and-exit2.ts [SERVER]`.
 */
import { pathToFileURL } from "node:url";
import { Speaker } from "./events2.ts";
import { ScriptedOpenCode2 } from "./opencode2.ts";

const [path = ""] = process.argv.slice(2);
const server = new URL("../../src/server.ts", import.meta.url).href;
const { default: plugin } = (await import(
	path === "" ? server : pathToFileURL(path).href
)) as typeof import("../../src/server.ts");
const opencode = new ScriptedOpenCode2();
for (let instance = 0; instance < 2; instance++)
	plugin.setup(opencode.context({}));
opencode.tell(new Speaker("ses_1").created("last words"));
for (let turn = 0; turn < 20; turn++)
	await new Promise((resolve) => setImmediate(resolve));
process.exit(0);
