/** The folder of outboxes: one file for each process that records for a daemon. */
import { createHash, randomUUID } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../files.ts";
import { Outbox } from "./outbox.ts";

const SUFFIX = ".jsonl";

/** The outboxes for one daemon. */
export class OutboxFolder {
	readonly #folder: string;
	/** What is for another daemon is not ours to hand over. */
	readonly #prefix: string;

	constructor(folder: string, socketPath: string) {
		this.#folder = folder;
		const hash = createHash("sha256").update(socketPath).digest("hex");
		this.#prefix = `${hash.slice(0, 8)}-`;
	}

	/** A new outbox of our own. */
	create(): Outbox {
		makeFolder(this.#folder);
		const name = `${this.#prefix}${process.pid}-${randomUUID().slice(0, 8)}`;
		return Outbox.create(join(this.#folder, name + SUFFIX));
	}

	/** Takes over what processes that are gone have left, the oldest first. */
	adopt(): Outbox[] {
		return this.#left()
			.map((path) => Outbox.adopt(path))
			.filter((outbox) => outbox !== undefined);
	}

	#left(): string[] {
		if (!statSync(this.#folder, { throwIfNoEntry: false })) return [];
		return readdirSync(this.#folder)
			.filter((name) => name.startsWith(this.#prefix) && name.endsWith(SUFFIX))
			.map((name) => join(this.#folder, name))
			.map((path) => ({
				path,
				stat: statSync(path, { throwIfNoEntry: false }),
			}))
			.sort(
				(one, other) => (one.stat?.mtimeMs ?? 0) - (other.stat?.mtimeMs ?? 0),
			)
			.map(({ path }) => path);
	}
}
