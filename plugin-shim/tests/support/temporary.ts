/** Folders that are gone when the tests are over. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folders: string[] = [];

process.on("exit", () => {
	for (const folder of folders)
		rmSync(folder, { recursive: true, force: true });
});

/** A new, empty folder. */
export function temporaryFolder(): string {
	const folder = mkdtempSync(join(tmpdir(), "clankers-test-"));
	folders.push(folder);
	return folder;
}

/** A path for a database that does not exist yet. */
export function newDatabasePath(): string {
	return join(temporaryFolder(), "data", "clankers.db");
}
