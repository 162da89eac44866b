/** The plugin under test, as `make build` leaves it. */

import { existsSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Home } from "./home.ts";

const SHIM = new URL("../../../plugin-shim/", import.meta.url).pathname;
/** The npm package's folder. */
export const PACKAGE: string = SHIM;

/** The entry of the package, for `"plugin": ["file:///…"]`. */
export function pluginByPath(): string {
	return `file://${built("dist/index.js")}`;
}

/** The folder that serves 1.x and 2.x alike, where a configuration names it. */
export function pluginByFolder(): string {
	return dirname(built("dist/server.js"));
}

/** The folder to drop into a plugin folder, for 2.x. */
export function pluginFolder(): string {
	return dirname(built("dist/clankers/server.js"));
}

/** The one file to drop into a plugin folder, for 1.x. */
export function pluginFile(): string {
	return built("dist/clankers.js");
}

/** The `clankers` program, as `scripts/build-cli.sh` leaves it. */
export function programFile(): string {
	return existing(join(SHIM, "..", "target", "debug", "clankers"));
}

/** Where the plugin keeps its database in a throw-away home, unless told otherwise. */
export function databaseOf(home: Home): string {
	return join(home.root, "data", "clankers", "clankers.db");
}

/** Takes a database away, as a person does who deletes its files. */
export function removeDatabase(database: string): void {
	rmSync(database);
	for (const ending of ["-wal", "-shm"])
		rmSync(`${database}${ending}`, { force: true });
}

function built(file: string): string {
	return existing(join(SHIM, file));
}

function existing(path: string): string {
	if (!existsSync(path))
		throw new Error(`${path} is not there: run \`make build\` first`);
	return path;
}
