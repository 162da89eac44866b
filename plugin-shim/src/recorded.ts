/**
 * What is recorded: a person's settings, from the environment and from a file in the
 * person's own folder, and never from a project's. What they mean is the core's to say.
 */
import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import {
	isIgnored as matches,
	type Recorded,
	readRecorded as read,
	type SettingsFile,
} from "../../pkg/clankers.js";
import { type Environment, type Machine, settingsFile } from "./config.ts";
import { loadModule } from "./core.ts";
import { describe } from "./hosts/host-log.ts";

/** What is recorded where nothing is set, for which OpenCode's start waits for no module. */
const EVERYTHING: Recorded = {
	content: "full",
	ignored: { globs: [], caseless: false, windows: false },
};

/** Reads what is recorded, and what is wrong with the settings of that. Never throws. */
export function readRecorded(
	environment: Environment,
	machine: Machine = { platform: process.platform, home: homedir() },
): { recorded: Recorded; problems: string[] } {
	const content = environment["CLANKERS_CONTENT"] || null;
	const ignore = environment["CLANKERS_IGNORE"] || null;
	const file = fileAt(settingsFile(environment, machine)) ?? null;
	if (content === null && ignore === null && file === null)
		return { recorded: EVERYTHING, problems: [] };
	loadModule();
	return read({ content, ignore, file, ...machine });
}

/** Whether nothing is recorded of a directory. */
export function isIgnored(recorded: Recorded, directory: string): boolean {
	return recorded.ignored.globs.length > 0 && matches(recorded, directory);
}

/** What is in a file, or why that cannot be read; nothing where there is none. */
function fileAt(name: string): SettingsFile | undefined {
	try {
		// Reading a pipe would hold OpenCode until somebody writes to it.
		if (!statSync(name).isFile()) return { name, problem: "it is no file" };
		return { name, text: readFileSync(name, "utf8") };
	} catch (error) {
		const { code } = error as { code?: unknown };
		if (code === "ENOENT" || code === "ENOTDIR") return undefined;
		return { name, problem: describe(error) };
	}
}
