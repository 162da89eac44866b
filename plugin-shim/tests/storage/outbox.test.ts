import assert from "node:assert/strict";
import {
	appendFileSync,
	existsSync,
	readFileSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { Outbox } from "../../src/storage/daemon/outbox.ts";
import { temporaryFolder } from "../support/temporary.ts";

const newPath = (): string => join(temporaryFolder(), "own.jsonl");
const text = (path: string): string => readFileSync(path, "utf8");

/** Adopts an outbox that must be free. */
function adopt(path: string): Outbox {
	const outbox = Outbox.adopt(path);
	assert.ok(outbox);
	return outbox;
}

/** All that waits, and how many lines were unreadable. */
function waiting(outbox: Outbox): { records: string[]; skipped: number } {
	const records: string[] = [];
	let skipped = 0;
	for (
		let entry = outbox.read(outbox.acknowledged);
		entry !== undefined;
		entry = outbox.read(entry.end)
	) {
		records.push(entry.params.toString());
		skipped += entry.skipped;
	}
	return { records, skipped };
}

const first = (outbox: Outbox): number =>
	outbox.read(outbox.acknowledged)?.end ?? assert.fail("nothing waits");

describe("an outbox", () => {
	it("gives back what was appended, in order, as it was", () => {
		const outbox = Outbox.create(newPath());
		const long = JSON.stringify("ü🧭 ".repeat(200_000));
		outbox.append(["one", long]);
		outbox.append(["three"]);
		assert.deepEqual(waiting(outbox), {
			records: ["one", long, "three"],
			skipped: 0,
		});
		outbox.release();
	});

	it("is empty once all is acknowledged, and used on", () => {
		const path = newPath();
		const outbox = Outbox.create(path);
		outbox.append(["one", "two"]);
		outbox.acknowledge(outbox.end);
		assert.equal(outbox.waiting, 0);
		assert.equal(statSync(path).size, 0);
		outbox.append(["three"]);
		assert.deepEqual(waiting(outbox).records, ["three"]);
		outbox.release();
	});

	it("goes, with its lock, when nothing waits", () => {
		const path = newPath();
		const outbox = Outbox.create(path);
		outbox.append(["one"]);
		outbox.acknowledge(outbox.end);
		outbox.release();
		assert.equal(existsSync(path), false);
		assert.equal(existsSync(path.replace(".jsonl", ".lock")), false);
	});

	it("is taken over where it was left, after what was acknowledged", () => {
		const path = newPath();
		const left = Outbox.create(path);
		left.append(["one", "two", "three"]);
		left.acknowledge(first(left));
		left.release();
		const outbox = adopt(path);
		assert.deepEqual(waiting(outbox).records, ["two", "three"]);
		outbox.append(["four"]);
		assert.deepEqual(waiting(outbox).records, ["two", "three", "four"]);
		outbox.release();
	});

	it("has one owner", () => {
		const path = newPath();
		const outbox = Outbox.create(path);
		outbox.append(["one"]);
		assert.equal(Outbox.adopt(path), undefined);
		outbox.release();
		adopt(path).release();
	});

	it("that is gone is not taken over", () => {
		const path = newPath();
		assert.equal(Outbox.adopt(path), undefined);
		assert.equal(existsSync(path.replace(".jsonl", ".lock")), false);
	});
});

describe("an outbox that a crash left", () => {
	/** Leaves an outbox of three records, damaged. */
	const leave = (damage: (path: string) => void): Outbox => {
		const path = newPath();
		const left = Outbox.create(path);
		left.append(["one", "two", "three"]);
		left.release();
		damage(path);
		return adopt(path);
	};

	it("with a torn end gives what is whole", () => {
		for (const torn of ["1a2b", "0a1b2c3d {", '0a1b2c3d {"commands":[']) {
			const outbox = leave((path) => appendFileSync(path, torn));
			assert.deepEqual(waiting(outbox).records, ["one", "two", "three"]);
			outbox.acknowledge(
				outbox.read(outbox.read(first(outbox))?.end ?? 0)?.end ?? 0,
			);
			assert.equal(outbox.waiting, 0);
			outbox.release();
		}
	});

	it("torn anywhere gives whole records, and no others", () => {
		const whole = ["one", "two", "three"];
		const path = newPath();
		const left = Outbox.create(path);
		left.append(whole);
		left.release();
		const bytes = readFileSync(path);
		for (let length = 0; length < bytes.length; length++) {
			writeFileSync(path, bytes.subarray(0, length));
			const outbox = adopt(path);
			const { records } = waiting(outbox);
			assert.deepEqual(records, whole.slice(0, records.length));
			outbox.release();
			writeFileSync(path, bytes);
		}
	});

	it("with a damaged line gives the others, and says that one is missing", () => {
		const outbox = leave((path) =>
			writeFileSync(path, text(path).replace("two", "twa")),
		);
		assert.deepEqual(waiting(outbox), {
			records: ["one", "three"],
			skipped: 1,
		});
		outbox.release();
	});

	it("with a damaged header gives all of it again", () => {
		const outbox = leave((path) =>
			writeFileSync(path, text(path).replace(/^clankers/, "xxxxxxxx")),
		);
		assert.deepEqual(waiting(outbox).records, ["one", "two", "three"]);
		outbox.release();
	});
});

describe("a rewritten outbox", () => {
	it("keeps what is under way, and what was appended meanwhile", () => {
		const path = newPath();
		const outbox = Outbox.create(path);
		outbox.append(["done", "sent", "old", "old too"]);
		outbox.acknowledge(first(outbox));
		const from = first(outbox);
		const to = outbox.end;
		const rewrite = outbox.rewrite(from, to);
		outbox.append(["new"]);
		rewrite.write("merged");
		rewrite.finish();
		assert.deepEqual(waiting(outbox).records, ["sent", "merged", "new"]);
		// What was sent before is acknowledged at the place it had.
		outbox.acknowledge(from);
		assert.deepEqual(waiting(outbox).records, ["merged", "new"]);
		outbox.append(["newer"]);
		outbox.release();
		const next = adopt(path);
		assert.deepEqual(waiting(next).records, ["merged", "new", "newer"]);
		next.acknowledge(next.end);
		next.release();
	});

	it("knows what was acknowledged while it was written", () => {
		const path = newPath();
		const outbox = Outbox.create(path);
		outbox.append(["sent", "sent too", "old"]);
		const second = outbox.read(first(outbox))?.end ?? 0;
		const rewrite = outbox.rewrite(second, outbox.end);
		outbox.acknowledge(first(outbox));
		rewrite.write("merged");
		rewrite.finish();
		assert.deepEqual(waiting(outbox).records, ["sent too", "merged"]);
		outbox.release();
		const next = adopt(path);
		assert.deepEqual(waiting(next).records, ["sent too", "merged"]);
		next.release();
	});

	it("is as it was when it is abandoned, or never finished", () => {
		const path = newPath();
		const outbox = Outbox.create(path);
		outbox.append(["one", "two"]);
		const abandoned = outbox.rewrite(outbox.acknowledged, outbox.end);
		abandoned.write("merged");
		abandoned.abandon();
		assert.equal(existsSync(`${path}.new`), false);
		outbox.rewrite(outbox.acknowledged, outbox.end).write("merged");
		outbox.release();
		const next = adopt(path);
		assert.deepEqual(waiting(next).records, ["one", "two"]);
		assert.equal(existsSync(`${path}.new`), false);
		next.release();
	});
});
