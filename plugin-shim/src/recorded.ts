/**
 * What is recorded: a person's settings, from the environment and from a file in the
 * person's own folder, and never from a project's. What they mean is the core's to say.
 */
import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import {
	type Recorded,
	readRecorded as read,
	type SettingsFile,
} from "../../pkg/clankers.js";
import { type Environment, type Machine, settingsFile } from "./config.ts";
import { loadModule } from "./core.ts";
import { describe } from "./hosts/host-log.ts";

/** Reads what is recorded, and what is wrong with the settings of that. Never throws. */
export function readRecorded(
	environment: Environment,
	machine: Machine = { platform: process.platform, home: homedir() },
): { recorded: Recorded; problems: string[] } {
	loadModule();
	return read({
		content: environment["CLANKERS_CONTENT"] || null,
		ignore: environment["CLANKERS_IGNORE"] || null,
		file: fileAt(settingsFile(environment, machine)) ?? null,
		...machine,
	});
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
