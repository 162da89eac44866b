/** The locks of this process. */
import { readFileSync, statSync } from "node:fs";

/**
 * Whether this process has a lock on a file, as each connection to a database has:
 * whoever else finds none takes itself for the last, and removes the log that is in
 * use. (SQLite does from 3.51 on look closer; other programs have older ones.)
 */
export function isLocked(path: string): boolean {
	const { ino } = statSync(path);
	const held = readFileSync("/proc/locks", "utf8").split("\n");
	const ours = held.map((line) => line.trim().split(/\s+/));
	return ours.some(
		([, , , , pid, file]) =>
			pid === String(process.pid) && file?.endsWith(`:${ino}`),
	);
}

/** Why that cannot be told here, if it cannot. */
export const notTold: string | false =
	process.platform !== "linux" && "only Linux tells who locks a file, in /proc";
