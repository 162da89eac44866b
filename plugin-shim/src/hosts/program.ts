/** Which program of the family runs this process: a fork keeps the plugin interface, and has an executable of its own. */
import { basename } from "node:path";
import type { Dialect } from "../core.ts";

/** Forks that are known, by the names of their executables. */
const FORKS = new Map<string, Dialect>([["kilo", "kilo"]]);

/** Whose events and answers come to a plugin of the 1.x interface in the process of this executable. */
export function dialectOf(executable: string = process.execPath): Dialect {
	return FORKS.get(basename(executable.toLowerCase(), ".exe")) ?? "opencode1";
}
