/**
 * Where OpenCode keeps its sessions. Up to 1.1 that is a folder of files; 1.2
 * took them over into a database, once, and left them behind. So a data folder
 * with a database may hold sessions in both, and go on with them in either.
 */
import { readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** `…/storage` where there are files alone, `…/opencode.db` where there is a database of any channel, nothing where OpenCode keeps its sessions in memory. */
export function openCodeOrigin(
	environment: Readonly<Record<string, string | undefined>>,
	home: string = homedir(),
): string | undefined {
	const parent = environment["XDG_DATA_HOME"] || join(home, ".local", "share");
	const data = join(parent, "opencode");
	const database = environment["OPENCODE_DB"];
	if (database === ":memory:") return undefined;
	if (database) return resolve(data, database);
	return join(data, hasDatabase(data) ? "opencode.db" : "storage");
}

function hasDatabase(folder: string): boolean {
	try {
		return readdirSync(folder).some((name) => /^opencode.*\.db$/.test(name));
	} catch {
		return false;
	}
}
