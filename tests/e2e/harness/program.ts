/** The `clankers` program, run in a throw-away home in which one release is installed. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { Home } from "./home.ts";
import { programFile } from "./plugin.ts";
import { binaryOf } from "./releases.ts";

export interface Printed {
	readonly status: number | null;
	readonly output: string;
}

/** A check of `clankers doctor`. */
export interface Check {
	readonly level: "good" | "warning" | "broken";
	readonly check: string;
	readonly found: string;
	/** What to do about it, and why. */
	readonly advice: string | null;
}

/** Runs it with nothing on the PATH but the home's own release. */
export function clankers(
	home: Home,
	args: readonly string[],
	directory: string = home.project,
): Printed {
	const done = spawnSync(programFile(), args, {
		cwd: directory,
		env: { ...home.env, PATH: binFolder(home), PWD: directory },
		encoding: "utf8",
	});
	return { status: done.status, output: `${done.stdout}${done.stderr}` };
}

/** What `clankers doctor` finds of one kind. */
export function diagnosed(
	home: Home,
	kind: string,
	directory?: string,
): readonly Check[] {
	const { output } = clankers(home, ["doctor", "--format", "json"], directory);
	const { checks } = JSON.parse(output) as { checks: readonly Check[] };
	return checks.filter(({ check }) => check === kind);
}

/** A folder that holds the release as a person's PATH would. */
function binFolder(home: Home): string {
	const folder = join(home.root, "bin");
	const link = join(folder, home.application.name);
	if (!existsSync(link)) {
		mkdirSync(folder, { recursive: true });
		symlinkSync(binaryOf(home.options.release), link);
	}
	return folder;
}
