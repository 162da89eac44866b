/** Real OpenCode releases: fetched from npm once, kept in the cache. */

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

/** Every release that the matrix runs on, oldest first. */
export const RELEASES = [
	"1.0.61",
	"1.1.31",
	"1.3.2",
	"1.14.48",
	"1.17.19",
	"1.18.34",
] as const;
/** The release that the demo and the end-to-end tests run on. */
export const PINNED_RELEASE = "1.18.34";

export const CACHE: string =
	process.env.CLANKERS_CACHE ??
	join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "clankers");

/** The path of a release's executable, after fetching it if the cache lacks it. */
export function opencodeBinary(version: string): string {
	const folder = join(CACHE, "opencode", version);
	const binary = join(
		folder,
		"bin",
		process.platform === "win32" ? "opencode.exe" : "opencode",
	);
	if (!existsSync(binary)) fetchRelease(version, folder);
	return binary;
}

function fetchRelease(version: string, folder: string): void {
	const parent = join(folder, "..");
	mkdirSync(parent, { recursive: true });
	const scratch = mkdtempSync(join(parent, `.${version}-`));
	try {
		const name = `opencode-${process.platform === "win32" ? "windows" : process.platform}-${process.arch}@${version}`;
		must(
			"npm",
			["pack", "--silent", "--pack-destination", scratch, name],
			scratch,
		);
		must(
			"tar",
			[
				"-xzf",
				`opencode-${name.slice("opencode-".length).replace("@", "-")}.tgz`,
			],
			scratch,
		);
		renameSync(join(scratch, "package"), folder);
	} finally {
		rmSync(scratch, { recursive: true, force: true });
	}
}

/** Whether a release installs the provider's package when a model is first used; later ones have it inside. */
export function installsProvider(release: string): boolean {
	return compareReleases(release, "1.1.31") < 0;
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

function must(command: string, args: string[], cwd: string): void {
	const done = spawnSync(command, args, { cwd, encoding: "utf8" });
	if (done.status !== 0)
		throw new Error(
			`\`${command} ${args.join(" ")}\` failed: ${done.stderr || done.error}`,
		);
}

/**
 * From 1.14.42 to 1.15.1 a served OpenCode tells its plugins, and the clients of
 * `/event`, nothing of what is created, changed or removed; `/global/event` has it all.
 */
export function tellsLittle(release: string): boolean {
	return (
		compareReleases(release, "1.14.42") >= 0 &&
		compareReleases(release, "1.15.1") <= 0
	);
}

/** Compares two release numbers: negative when `a` is older than `b`. */
export function compareReleases(a: string, b: string): number {
	const [left, right] = [a.split(".").map(Number), b.split(".").map(Number)];
	for (let index = 0; index < 3; index += 1) {
		const difference = (left[index] ?? 0) - (right[index] ?? 0);
		if (difference !== 0) return difference;
	}
	return 0;
}
