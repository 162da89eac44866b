/** The beginning of a database that is open: whether it is a database's still. */
import { closeSync, openSync, readSync, statSync } from "node:fs";

/** What every SQLite database begins with. */
const HEAD: Buffer = Buffer.from("SQLite format 3\0");
const KEY = Symbol.for("opencode-clankers.heads");

/** The descriptor of a file, and how many connections of this process read it. */
interface Held {
	readonly descriptor: number;
	readers: number;
}

/**
 * SQLite goes on for a long time with what it has in memory when something else is
 * written over its file, so that its beginning is read anew each time.
 *
 * A process that closes any descriptor of a file lets go of all its locks on it: the
 * locks of its other connections, too, under which another program then removes the
 * log that is in use. So there is one descriptor for all of them, and it is closed
 * with the last; also where OpenCode has loaded several copies of this module.
 */
export class FileHead {
	readonly #identity: string;
	readonly #held: Held;

	constructor(path: string) {
		const { dev, ino } = statSync(path);
		this.#identity = `${dev}:${ino}`;
		this.#held = heads().get(this.#identity) ?? {
			descriptor: openSync(path, "r"),
			readers: 0,
		};
		this.#held.readers += 1;
		heads().set(this.#identity, this.#held);
	}

	/** Whether it is a database's still. */
	get isWhole(): boolean {
		const found = Buffer.alloc(HEAD.length);
		readSync(this.#held.descriptor, found, 0, HEAD.length, 0);
		return found.equals(HEAD);
	}

	/** Only after the database. */
	close(): void {
		this.#held.readers -= 1;
		if (this.#held.readers > 0) return;
		heads().delete(this.#identity);
		closeSync(this.#held.descriptor);
	}
}

function heads(): Map<string, Held> {
	const shared = globalThis as { [KEY]?: Map<string, Held> };
	shared[KEY] ??= new Map();
	return shared[KEY];
}
