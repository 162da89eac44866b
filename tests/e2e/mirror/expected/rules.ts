/** What is expected of a release in general. */

import { tellsLittle } from "../../harness/releases.ts";

export interface Rules {
	readonly release: string;
	/**
	 * Whether everything that was removed must have left a tombstone, or a mark where no event told of it.
	 * Not so where the plugin was never told, or was not there yet: catch-up invents nothing.
	 */
	readonly tombstones: "all" | "those there are";
}

/** Where OpenCode tells its plugins little, catch-up alone fills the database. */
export function rulesFor(release: string): Rules {
	return {
		release,
		tombstones: tellsLittle(release) ? "those there are" : "all",
	};
}
