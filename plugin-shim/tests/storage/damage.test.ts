import assert from "node:assert/strict";
import {
	closeSync,
	copyFileSync,
	existsSync,
	openSync,
	readdirSync,
	readFileSync,
	renameSync,
	statSync,
	symlinkSync,
	truncateSync,
	utimesSync,
	writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, it } from "node:test";
import { loadCore } from "../../src/core.ts";
import { fileIdentity } from "../../src/storage/files.ts";
import { setAside } from "../../src/storage/set-aside.ts";
import { SinkError } from "../../src/storage/sink.ts";
import { SqliteSink } from "../../src/storage/sqlite.ts";
import { NOTHING, sessionUpsert } from "../support/commands.ts";
import { runAll } from "../support/processes.ts";
import { query } from "../support/query.ts";
import { newDatabasePath, temporaryFolder } from "../support/temporary.ts";

const { store } = loadCore();
const GARBAGE = "not a database ".repeat(4096);

const open = (path: string): SqliteSink =>
	new SqliteSink({ path, inOwnFolder: false }, store);
const ids = (path: string): unknown[] =>
	query(path, "SELECT id FROM sessions ORDER BY id").map(({ id }) => id);
/** What was set aside, by what it is called after the database. */
const asides = (path: string): string[] =>
	readdirSync(dirname(path))
		.filter((name) => name.startsWith(`${basename(path)}.`))
		.map((name) => name.slice(basename(path).length))
		.sort();
const DATED = /^\.corrupt-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d$/;

/** Says once that the file was damaged, and takes the same batch then. */
function takes(sink: SqliteSink, id: string, why: RegExp): void {
	const batch = [sessionUpsert(id, "kept")];
	assert.throws(
		() => sink.apply(batch),
		(error) =>
			error instanceof SinkError &&
			error.kind === "replaced" &&
			why.test(error.message),
	);
	assert.deepEqual(sink.apply(batch), []);
	assert.deepEqual(sink.apply(batch), []);
}

/** A database of two sessions, large enough to have pages that are not in memory. */
function filled(): { path: string; sink: SqliteSink } {
	const path = newDatabasePath();
	const sink = open(path);
	sink.apply([
		sessionUpsert("ses_1", "one"),
		sessionUpsert("ses_2", "x".repeat(100_000)),
	]);
	return { path, sink };
}

describe("a file that is no database", () => {
	it("is set aside as it is under a dated name, and a new one is begun", () => {
		const path = join(temporaryFolder(), "clankers.db");
		writeFileSync(path, GARBAGE);
		const sink = open(path);
		takes(
			sink,
			"ses_1",
			/damaged \(file is not a database\): it is `.*\.corrupt-/,
		);
		sink.close();
		const [aside = "", ...more] = asides(path);
		assert.match(aside, DATED);
		assert.deepEqual(more, []);
		assert.equal(readFileSync(path + aside, "utf8"), GARBAGE);
		assert.deepEqual(ids(path), ["ses_1"]);
		assert.equal((statSync(path).mode & 0o777).toString(8), "600");
	});

	it("is found, too, when what is stored is asked for", () => {
		const path = join(temporaryFolder(), "clankers.db");
		writeFileSync(path, GARBAGE);
		const sink = open(path);
		assert.deepEqual(sink.stored(NOTHING), []);
		takes(sink, "ses_1", /damaged/);
		sink.close();
		assert.deepEqual(ids(path), ["ses_1"]);
	});

	it("is set aside where a link leads to it, and the link stays", () => {
		const [folder, elsewhere] = [temporaryFolder(), temporaryFolder()];
		const [path, real] = [join(folder, "a.db"), join(elsewhere, "b.db")];
		writeFileSync(real, GARBAGE);
		symlinkSync(real, path);
		const sink = open(path);
		takes(sink, "ses_1", /damaged/);
		sink.close();
		assert.equal(asides(real).length, 1);
		assert.deepEqual(ids(real), ["ses_1"]);
	});
});

describe("a database that is damaged while it is written", () => {
	it("is set aside when something else is written over it, with what SQLite kept beside it", () => {
		const { path, sink } = filled();
		writeFileSync(path, GARBAGE);
		takes(sink, "ses_3", /damaged \(something else was written over it\)/);
		sink.close();
		const [aside = "", ...more] = asides(path);
		assert.match(aside, DATED);
		assert.deepEqual(more, [`${aside}-shm`, `${aside}-wal`]);
		assert.equal(readFileSync(path + aside, "utf8"), GARBAGE);
		assert.ok(statSync(`${path}${aside}-wal`).size > 0);
		assert.deepEqual(ids(path), ["ses_3"]);
	});

	it("is set aside when it is emptied", () => {
		const { path, sink } = filled();
		truncateSync(path, 0);
		takes(sink, "ses_3", /damaged/);
		sink.close();
		assert.deepEqual(ids(path), ["ses_3"]);
	});

	it("is set aside when half of it is gone", () => {
		const { path, sink } = filled();
		sink.close();
		truncateSync(path, 8192);
		takes(sink, "ses_3", /damaged \(database disk image is malformed\)/);
		sink.close();
		assert.equal(statSync(path + (asides(path)[0] ?? "")).size, 8192);
		assert.deepEqual(ids(path), ["ses_3"]);
	});

	it("is set aside each time, by names of its own", () => {
		const { path, sink } = filled();
		for (const id of ["ses_3", "ses_4"]) {
			writeFileSync(path, GARBAGE);
			takes(sink, id, /damaged/);
		}
		sink.close();
		const files = asides(path).filter((name) => !/-(wal|shm)$/.test(name));
		assert.equal(new Set(files).size, 2);
		assert.deepEqual(ids(path), ["ses_4"]);
	});

	it("is left where it is once five were set aside within an hour", () => {
		const { path, sink } = filled();
		for (let time = 1; time <= 5; time++) {
			writeFileSync(path, GARBAGE);
			takes(sink, `ses_${time}`, /damaged/);
		}
		writeFileSync(path, GARBAGE);
		assert.throws(
			() => sink.apply([]),
			(error) =>
				error instanceof SinkError &&
				error.kind === "unavailable" &&
				/5 were set aside within an hour/.test(error.message),
		);
		assert.equal(readFileSync(path, "utf8"), GARBAGE);
		sink.close();
	});

	it("is found by each sink that has it open, and set aside by one", () => {
		const { path, sink } = filled();
		const other = open(path);
		other.apply([]);
		writeFileSync(path, GARBAGE);
		takes(sink, "ses_3", /damaged/);
		takes(other, "ses_4", /removed, or another file put in its place/);
		sink.close();
		other.close();
		assert.deepEqual(ids(path), ["ses_3", "ses_4"]);
		assert.equal(asides(path).length, 3);
	});

	it("is set aside once when several processes find it", async () => {
		const path = join(temporaryFolder(), "clankers.db");
		writeFileSync(path, GARBAGE);
		const child = join(import.meta.dirname, "..", "support", "apply-one.ts");
		const names = ["a", "b", "c", "d"];
		await runAll(names.map((name) => [child, path, name]));
		assert.deepEqual(ids(path), names);
		assert.equal(asides(path).length, 1, asides(path).join());
	});
});

describe("setting a file aside", () => {
	const damaged = (): { path: string; identity: string } => {
		const path = join(temporaryFolder(), "clankers.db");
		writeFileSync(path, GARBAGE);
		return { path, identity: fileIdentity(path) ?? "" };
	};

	it("leaves one that took its place meanwhile", () => {
		const { path, identity } = damaged();
		copyFileSync(path, `${path}-new`);
		renameSync(`${path}-new`, path);
		assert.equal(setAside(path, identity), undefined);
		assert.deepEqual(asides(path), []);
		assert.ok(existsSync(path));
	});

	it("is left to the process that has begun with it, unless that is long gone", () => {
		const { path, identity } = damaged();
		const claim = `${path}.claim`;
		closeSync(openSync(claim, "wx"));
		assert.throws(
			() => setAside(path, identity),
			/another process is moving it/,
		);
		assert.ok(existsSync(path));
		utimesSync(claim, 1, 1);
		assert.ok(setAside(path, identity));
		assert.ok(!existsSync(path) && !existsSync(claim));
	});

	it("does not count those of other days", () => {
		const { path, identity } = damaged();
		for (let day = 1; day <= 9; day++)
			writeFileSync(`${path}.corrupt-2026-01-0${day}T00-00-00`, "");
		assert.ok(setAside(path, identity));
	});
});

describe("a pipe in the database's place", {
	skip: process.platform === "win32",
}, () => {
	it("holds nobody up", async () => {
		const path = join(temporaryFolder(), "clankers.db");
		const { spawnSync } = await import("node:child_process");
		assert.equal(spawnSync("mkfifo", [path]).status, 0);
		assert.throws(
			() => open(path).apply([]),
			(error) =>
				error instanceof SinkError &&
				error.kind === "unavailable" &&
				/it is no file/.test(error.message),
		);
	});
});
