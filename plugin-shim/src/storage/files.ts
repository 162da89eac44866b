/** The database's place on disk: readable by its owner only. */
import { chmodSync, closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Database } from "../config.ts";

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/** Makes the folder and an empty file where there are none. */
export function makeFiles({ path, inOwnFolder }: Database): void {
	const folder = dirname(path);
	makeFolder(folder);
	if (inOwnFolder) narrow(folder, FOLDER_MODE);
	const stat = statSync(path, { throwIfNoEntry: false });
	// To open a pipe is to wait for whoever reads it.
	if (stat && !stat.isFile()) throw new Error("it is no file");
	if (stat === undefined) closeSync(openSync(path, "a", FILE_MODE));
}

/**
 * Takes away other people's access to the database. A folder that a person
 * named and made is theirs to open.
 */
export function narrowFiles(path: string): void {
	for (const file of [path, `${path}-wal`, `${path}-shm`])
		narrow(file, FILE_MODE);
}

/** Which file a path names at the moment, or nothing if there is none. */
export function fileIdentity(path: string): string | undefined {
	const stat = statSync(path, { throwIfNoEntry: false });
	return stat && `${stat.dev}:${stat.ino}`;
}

/** Makes a folder and those above it. Node's own `recursive` never returns where a file system answers as `/proc` does. */
export function makeFolder(folder: string): void {
	if (statSync(folder, { throwIfNoEntry: false })) return;
	const above = dirname(folder);
	if (above !== folder) makeFolder(above);
	try {
		mkdirSync(folder, FOLDER_MODE);
	} catch (error) {
		// Another process may have been a moment faster.
		if (!statSync(folder, { throwIfNoEntry: false })) throw error;
	}
}

/** Takes away what `mode` does not grant, where we own the file; another owner has decided to share it. */
function narrow(path: string, mode: number): void {
	const stat = statSync(path, { throwIfNoEntry: false });
	if (stat === undefined || (stat.mode & 0o777 & ~mode) === 0) return;
	if (stat.uid === process.getuid?.()) chmodSync(path, stat.mode & mode);
}
