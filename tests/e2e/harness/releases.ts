/** Real releases of OpenCode and its forks: fetched from npm once, kept in the cache. */

import { spawnSync } from "node:child_process";
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	renameSync,
	rmSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Application, KILO, OPENCODE, OPENCODE_2 } from "./application.ts";

export interface Release {
	/** How tests and commands name it: `1.18.34`, `kilo-7.7.9`. */
	readonly name: string;
	readonly application: Application;
	/** Its number on npm. */
	readonly version: string;
	/** The release of OpenCode that it behaves as. */
	readonly like: string;
}

/** Every release that the matrix runs on: OpenCode's, oldest first, then its forks'. */
export const RELEASES = [
	"1.0.61",
	"1.1.31",
	"1.3.2",
	"1.14.48",
	"1.17.19",
	"1.18.34",
	"kilo-7.7.9",
] as const;
/** The release that the demo and the end-to-end tests run on. */
export const PINNED_RELEASE = "1.18.34";
/** The release of Kilo that they run on. */
export const KILO_RELEASE = "kilo-7.7.9";

/** The release of OpenCode 2 that tests run on. */
export const OPENCODE_2_RELEASE = "2.0.15";

/** The forks: what their releases' names begin with, and what they behave as. */
const FORKS = [
	{ application: KILO, prefix: "kilo-", like: "1.18.34" },
] as const;

export function releaseNamed(name: string): Release {
	for (const { application, prefix, like } of FORKS)
		if (name.startsWith(prefix))
			return { name, application, version: name.slice(prefix.length), like };
	const application = name.startsWith("2.") ? OPENCODE_2 : OPENCODE;
	return { name, application, version: name, like: name };
}

export const CACHE: string =
	process.env.CLANKERS_CACHE ??
	join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "clankers");

/** The path of a release's executable, after fetching it if the cache lacks it. */
export function binaryOf(release: string): string {
	const { application, version } = releaseNamed(release);
	const folder = join(CACHE, application.name, version);
	const executable =
		process.platform === "win32" ? `${application.name}.exe` : application.name;
	const binary = join(folder, "bin", executable);
	if (!existsSync(binary)) {
		const platform =
			process.platform === "win32" ? "windows" : process.platform;
		const name = application.packageFor(`${platform}-${process.arch}`);
		fetchPackage(`${name}@${version}`, folder);
	}
	return binary;
}

/** Fetches a package and unpacks it as this folder. */
function fetchPackage(name: string, folder: string): void {
	const parent = join(folder, "..");
	mkdirSync(parent, { recursive: true });
	const scratch = mkdtempSync(join(parent, ".fetching-"));
	try {
		const packed = must(
			"npm",
			["pack", "--silent", "--pack-destination", scratch, name],
			scratch,
		);
		must("tar", ["-xzf", packed.trim()], scratch);
		renameSync(join(scratch, "package"), folder);
	} finally {
		rmSync(scratch, { recursive: true, force: true });
	}
}

/** Whether a release installs the provider's package when a model is first used; later ones have it inside. */
export function installsProvider(release: string): boolean {
	return isOlder(release, "1.1.31");
}

/**
 * The provider package that releases before it was bundled install when a model is first used, as its newest version:
 * one of their own time, since today's speaks another protocol to them.
 */
export function contemporaryProvider(): string {
	const folder = join(CACHE, "opencode", "provider-1.0.27");
	if (!existsSync(folder)) {
		mkdirSync(join(CACHE, "opencode"), { recursive: true });
		const scratch = mkdtempSync(join(CACHE, "opencode", ".provider-"));
		must(
			"npm",
			[
				"install",
				"--silent",
				"--ignore-scripts",
				"--prefix",
				scratch,
				"@ai-sdk/openai-compatible@1.0.27",
			],
			scratch,
		);
		renameSync(scratch, folder);
	}
	return join(folder, "node_modules");
}

/** Runs a command, and gives what it printed. */
function must(command: string, args: string[], cwd: string): string {
	const done = spawnSync(command, args, { cwd, encoding: "utf8" });
	if (done.status !== 0)
		throw new Error(
			`\`${command} ${args.join(" ")}\` failed: ${done.stderr || done.error}`,
		);
	return done.stdout;
}

/**
 * From 1.14.42 to 1.15.1 a served OpenCode tells its plugins, and the clients of
 * `/event`, nothing of what is created, changed or removed; `/global/event` has it all.
 */
export function tellsLittle(release: string): boolean {
	return !isOlder(release, "1.14.42") && isOlder(release, "1.15.2");
}

/** Whether a process of `opencode run` may leave before it has told the session's last totals. */
export function leavesEarly(release: string): boolean {
	return (
		releaseNamed(release).application.leavesEarly || release.startsWith("1.15.")
	);
}

/** Whether a release behaves as OpenCode did before `version`. */
export function isOlder(release: string, version: string): boolean {
	const numbers = (text: string): number[] => text.split(".").map(Number);
	const [left, right] = [numbers(releaseNamed(release).like), numbers(version)];
	for (let index = 0; index < 3; index += 1) {
		const difference = (left[index] ?? 0) - (right[index] ?? 0);
		if (difference !== 0) return difference < 0;
	}
	return false;
}
