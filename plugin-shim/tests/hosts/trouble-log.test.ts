import assert from "node:assert/strict";
import {
	appendFileSync,
	existsSync,
	mkdirSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, it } from "node:test";
import {
	TroubleLog,
	toldUpTo,
	troubleLogOf,
} from "../../src/hosts/trouble-log.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { troubleIn } from "../support/trouble.ts";

const MINUTE = 60_000;

describe("the log of trouble", () => {
	let database: string;
	let beside: string;
	let shared: string;
	let now: number;
	let log: TroubleLog;

	const another = (release?: string): TroubleLog =>
		new TroubleLog({
			...{ database, files: { beside, shared }, release },
			now: () => now,
		});

	beforeEach(() => {
		const folder = temporaryFolder();
		database = join(folder, "data", "clankers.db");
		beside = `${database}.log`;
		shared = join(folder, "state", "clankers", "trouble.log");
		now = 1_790_000_000_000;
		log = another("2.0.15");
	});

	it("is written beside the database, for its owner alone, a line each", () => {
		log.add("storage", "warn", "not stored yet");
		now += 1;
		log.over("storage", "stored");
		assert.deepEqual(
			troubleIn(beside).map(({ at, level, about, message, release }) => [
				...[at, level, about, message, release],
			]),
			[
				[now - 1, "warn", "storage", "not stored yet", "2.0.15"],
				[now, "info", "storage", "stored", "2.0.15"],
			],
		);
		assert.equal(statSync(beside).mode & 0o777, 0o600);
		assert.equal(statSync(join(beside, "..")).mode & 0o777, 0o700);
		assert.equal(existsSync(shared), false);
	});

	it("is written with the user's state where it cannot be beside the database", () => {
		// A file where the folder should be: nobody can write there, not even root.
		writeFileSync(join(database, "..", "..", "data"), "");
		log.add("storage", "warn", "not stored yet");
		assert.deepEqual(
			troubleIn(shared).map(({ database, message }) => [database, message]),
			[[database, "not stored yet"]],
		);
		assert.equal(statSync(shared).mode & 0o777, 0o600);
		another().over("storage", "stored");
		assert.equal(troubleIn(shared).at(-1)?.level, "info");
	});

	it("says nothing where nothing was wrong, and makes no file", () => {
		log.over("storage", "stored");
		assert.equal(existsSync(beside), false);
		log.add("events", "warn", "missed");
		log.over("storage", "stored");
		assert.equal(troubleIn(beside).length, 1);
	});

	it("repeats what lasts every ten minutes, and at once what comes again", () => {
		const told = (): number => troubleIn(beside).length;
		for (let second = 0; second < 599; second++) {
			log.add("storage", "warn", "not stored yet");
			now += 1000;
		}
		assert.equal(told(), 1);
		now += 1000;
		log.add("storage", "warn", "not stored yet");
		assert.equal(told(), 2);
		log.add("storage", "error", "not stored yet");
		assert.equal(told(), 3);
		log.over("storage", "stored");
		log.add("storage", "warn", "not stored yet");
		assert.equal(told(), 5);
	});

	it("ends what another process left, once it is well itself", () => {
		another().add("storage", "error", "nothing is recorded");
		log.over("storage", "stored");
		log.over("storage", "stored");
		assert.deepEqual(
			troubleIn(beside).map(({ level }) => level),
			["error", "info"],
		);
		// It looks again after a while, since it is asked at each drain.
		another().add("storage", "error", "nothing is recorded");
		log.over("storage", "stored");
		assert.equal(troubleIn(beside).length, 3);
		now += 10 * MINUTE;
		log.over("storage", "stored");
		assert.equal(troubleIn(beside).length, 4);
	});

	it("ends what it told before the clock was put back", () => {
		log.add("storage", "warn", "not stored yet");
		now -= 60 * MINUTE;
		log.over("storage", "stored");
		assert.equal(
			toldUpTo(now + 60 * MINUTE, "storage", database, { beside, shared }).at(
				-1,
			)?.level,
			"info",
		);
	});

	it("never ends the trouble of another database", () => {
		writeFileSync(join(database, "..", "..", "data"), "");
		const files = { beside: join(shared, "nowhere"), shared };
		const other = new TroubleLog({
			...{ database: "/other.db", files, release: undefined },
			now: () => now,
		});
		log.add("storage", "warn", "not stored yet");
		other.over("storage", "stored");
		assert.equal(troubleIn(shared).length, 1);
	});

	it("stays short, whatever is told, and keeps what came last", () => {
		for (let time = 0; time < 2000; time++) {
			log.add("events", "warn", `${time} ${"long ".repeat(1000)}`);
			log.over("events", "asked for");
			now += 1;
		}
		assert.ok(statSync(beside).size < 66 * 1024, `${statSync(beside).size}`);
		const lines = troubleIn(beside);
		assert.ok(lines.length > 50);
		assert.match(String(lines.at(-2)?.message), /^1999 /);
	});

	it("tells twenty things of one matter at most", () => {
		for (let time = 0; time < 1000; time++)
			log.add("plugin", "error", `defect ${time}`);
		assert.equal(troubleIn(beside).length, 20);
	});

	it("reads on after a line that was cut short, or is none at all", () => {
		log.add("storage", "warn", "not stored yet");
		const cut = readFileSync(beside, "utf8").trim().slice(0, 40);
		appendFileSync(beside, `null\n7\nnot JSON\n${cut}`);
		log.over("storage", "stored");
		const last = readFileSync(beside, "utf8").trim().split("\n").at(-1);
		assert.equal(JSON.parse(String(last)).level, "info");
	});

	it("never throws, whatever it is to write to", () => {
		const nowhere = new TroubleLog({
			...{ database: "/proc/nowhere/x.db", release: undefined },
			files: { beside: "/proc/nowhere/x.db.log", shared: "/proc/nowhere/y" },
		});
		nowhere.add("storage", "error", "x");
		nowhere.over("storage", "y");
		const folder = temporaryFolder();
		const aFolder = new TroubleLog({
			...{ database, release: undefined },
			files: { beside: folder, shared: folder },
		});
		aFolder.add("storage", "error", "x");
		aFolder.over("storage", "y");
	});

	const last = (): string | undefined => {
		const lines = toldUpTo(now, "storage", database, { beside, shared });
		return lines.at(-1)?.level as string | undefined;
	};

	it("tells what is new though a clock was ahead before", () => {
		now += 365 * 24 * 60 * MINUTE;
		log.add("storage", "error", "disk full");
		log.over("storage", "stored");
		now -= 365 * 24 * 60 * MINUTE;
		another().add("storage", "error", "disk full");
		assert.equal(last(), "error");
		another().over("storage", "stored");
		assert.equal(last(), "info");
		// In the same process, too.
		log.add("storage", "error", "locked");
		now -= 24 * 60 * MINUTE;
		log.add("storage", "error", "locked");
		assert.equal(last(), "error");
	});

	it("cuts no character in half", () => {
		log.add("storage", "error", `${"x".repeat(499)}\u{1F600}`);
		assert.equal(troubleIn(beside)[0]?.message, "x".repeat(499));
	});

	it("leaves alone what is not its own, and writes with the state then", () => {
		const precious = join(database, "..", "..", "precious");
		writeFileSync(precious, "precious\n".repeat(10_000));
		mkdirSync(join(database, ".."));
		symlinkSync(precious, beside);
		log.add("storage", "error", "x");
		assert.equal(readFileSync(precious, "utf8").length, 90_000);
		assert.equal(troubleIn(shared).length, 1);
		rmSync(beside);
		writeFileSync(beside, Buffer.alloc(1024 * 1024, 0xff));
		log.add("storage", "error", "y");
		assert.equal(statSync(beside).size, 1024 * 1024);
		assert.equal(troubleIn(shared).length, 2);
	});

	it("is one for a database in a process", () => {
		const files = { beside, shared };
		const one = troubleLogOf({ database, files, release: undefined });
		assert.equal(troubleLogOf({ database, files, release: undefined }), one);
		const other = { database: `${database}2`, files, release: undefined };
		assert.notEqual(troubleLogOf(other), one);
	});
});
