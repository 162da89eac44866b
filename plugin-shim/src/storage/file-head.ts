/** The beginning of a database that is open: whether it is a database's still. */
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";

/** What every SQLite database begins with. */
const HEAD: Buffer = Buffer.from("SQLite format 3\0");
const KEY = Symbol.for("opencode-clankers.heads");

/** The descriptor of a file, and how many connections of this thread read it. */
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
 * log that is in use. So there is one descriptor for all connections of a thread,
 * also where OpenCode has loaded several copies of this module, and it stays open as
 * long as the file has a name: another thread may have the database open.
 */
export class FileHead {
	readonly #held: Held;

	constructor(path: string) {
		closeNameless();
		const { dev, ino } = statSync(path);
		const identity = `${dev}:${ino}`;
		this.#held = heads().get(identity) ?? {
			descriptor: openSync(path, "r"),
			readers: 0,
		};
		this.#held.readers += 1;
		heads().set(identity, this.#held);
	}

	/** Whether it is a database's still. */
	get isWhole(): boolean {
		return isHead(this.#held.descriptor);
	}

	close(): void {
		this.#held.readers -= 1;
		closeNameless();
	}
}

/** Whether a file is a database. Not for one that this process may have open. */
export function isDatabase(path: string): boolean {
	const descriptor = openSync(path, "r");
	try {
		return isHead(descriptor);
	} finally {
		closeSync(descriptor);
	}
}

function isHead(descriptor: number): boolean {
	const found = Buffer.alloc(HEAD.length);
	readSync(descriptor, found, 0, HEAD.length, 0);
	return found.equals(HEAD);
}

/** Nobody opens a file without a name any more, and it takes room until it is closed. */
function closeNameless(): void {
	for (const [identity, { descriptor, readers }] of heads()) {
		if (readers > 0 || fstatSync(descriptor).nlink > 0) continue;
		heads().delete(identity);
		closeSync(descriptor);
	}
}

/** The descriptors of this thread, by the files' identities. */
function heads(): Map<string, Held> {
	const shared = globalThis as { [KEY]?: Map<string, Held> };
	shared[KEY] ??= new Map();
	return shared[KEY];
}
