/**
 * The package's `./server` entry: what later releases look for first, and the
 * only shape that 2.x takes. It exports this object and nothing else. 2.x wants
 * a plain object with these properties of its own; 1.0 does not start where a
 * file in its plugin folder exports an object, so this lies in a folder there.
 */
import type { Plugin } from "./hosts/opencode1.ts";
import type { Context } from "./hosts/opencode2.ts";
import plugin from "./index.ts";
import { type CleanUp, setup } from "./setup.ts";

/** The module's shape: 1.x calls `server`, 2.x calls `setup`. */
export interface Server {
	readonly id: string;
	readonly server: Plugin;
	/** Starts recording where there is an event stream; the answer ends it. */
	setup(context?: Context): CleanUp | undefined;
}

const server: Server = { id: "opencode-clankers", server: plugin, setup };

export default server;
