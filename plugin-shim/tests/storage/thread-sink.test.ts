/** The sink that has a thread write. */
import assert from "node:assert/strict";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { Worker } from "node:worker_threads";
import type { Command } from "../../../pkg/clankers.js";
import { loadCore } from "../../src/core.ts";
import { SinkError, type SinkListener } from "../../src/storage/sink.ts";
import { SqliteSink } from "../../src/storage/sqlite.ts";
import { startThread } from "../../src/storage/thread/start.ts";
import { ThreadSink } from "../../src/storage/thread/thread-sink.ts";
import type { StartThread } from "../../src/storage/thread/writer.ts";
import {
	NOTHING,
	rejection,
	reportOf,
	sessionUpsert,
} from "../support/commands.ts";
import { isLocked, notTold } from "../support/locks.ts";
import { runAll } from "../support/processes.ts";
import { lock, lockNowAndThen, query } from "../support/query.ts";
import { newDatabasePath } from "../support/temporary.ts";
import { turnsUntil } from "../support/turns.ts";
import { until } from "../support/until.ts";
import { testSink } from "./contract.ts";

const { store } = loadCore();
const CHILD = join(import.meta.dirname, "..", "support", "record-turns.ts");
const PLUGIN = join(import.meta.dirname, "..", "..", "src", "index.ts");

function open(path: string, start?: StartThread): ThreadSink {
	return new ThreadSink({ path, inOwnFolder: false }, store, start);
}

/** Hears what a sink logs. */
function listener(said: string[]): SinkListener {
	return {
		log: (_, message) => said.push(message),
		...{ notify() {}, well() {}, ready() {}, replaced() {} },
	};
}

const titles = (path: string): unknown[] =>
	query(path, "SELECT title FROM sessions ORDER BY id").map(
		({ title }) => title,
	);
const count = (path: string): unknown =>
	query(path, "SELECT count FROM rejections")[0]?.["count"];

testSink("thread", open);

describe("a thread that writes", () => {
	it("lets OpenCode's own go on while a lock is waited for", async () => {
		const path = newDatabasePath();
		const sink = open(path);
		await sink.apply([sessionUpsert("ses_1", "one")]);
		const unlock = lock(path);
		const stored = Promise.resolve(sink.apply([sessionUpsert("ses_2", "two")]));
		// The lock alone is waited for longer than a turn takes.
		assert.ok((await turnsUntil(stored)) > 1);
		await assert.rejects(stored, /locked/);
		unlock();
		await sink.apply([sessionUpsert("ses_2", "two")]);
		assert.deepEqual(titles(path), ["one", "two"]);
		sink.close();
	});

	it("stores what it was given before the process ends, and leaves no log", () => {
		const path = newDatabasePath();
		const sink = open(path);
		void sink.apply([sessionUpsert("ses_1", "one"), rejection()]);
		assert.deepEqual(sink.finish(), []);
		assert.deepEqual(titles(path), ["one"]);
		assert.deepEqual(sink.apply([sessionUpsert("ses_2", "late")]), []);
		sink.close();
		assert.deepEqual([titles(path), count(path)], [["one", "late"], 1]);
		assert.equal(existsSync(`${path}-wal`), false);
	});

	it("is waited for at the process's end where it was told to end already", () => {
		const path = newDatabasePath();
		const sink = open(path);
		void sink.apply([sessionUpsert("ses_1", "one")]);
		sink.close();
		assert.deepEqual(sink.finish(), []);
		assert.deepEqual(titles(path), ["one"]);
	});

	it("counts nothing twice where it still holds the lock when it is waited for no longer", async () => {
		const path = newDatabasePath();
		const first = new SqliteSink({ path, inOwnFolder: false }, store);
		first.apply([]);
		first.close();
		let isHeld = false;
		let isOver = false;
		const sink = open(path, (options) => {
			const slow = new URL("../support/slow-thread.ts", import.meta.url);
			const worker = new Worker(slow, options);
			worker.on("message", () => {
				isHeld = true;
			});
			worker.on("exit", () => {
				isOver = true;
			});
			return worker;
		});
		void sink.apply([rejection()]);
		await until("it holds the lock", () => isHeld);
		assert.deepEqual(sink.finish(), []);
		assert.deepEqual(sink.apply([rejection()]), []);
		await until("it is over", () => isOver);
		assert.equal(count(path), 2);
		sink.close();
	});

	it("knows after its end, and where it is had no more, which database it wrote", async () => {
		const path = newDatabasePath();
		const sink = open(path);
		const takes = async (id: string): Promise<void> => {
			for (const file of [path, `${path}-wal`, `${path}-shm`])
				rmSync(file, { force: true });
			const batch = [sessionUpsert(id, id)];
			await assert.rejects(
				async () => sink.apply(batch),
				(error) => error instanceof SinkError && error.kind === "replaced",
			);
			assert.deepEqual(await sink.apply(batch), []);
			assert.deepEqual(titles(path), [id]);
		};
		await sink.apply([sessionUpsert("ses_1", "one")]);
		sink.close();
		await takes("ses_2");
		sink.finish();
		await takes("ses_3");
		sink.close();
	});

	it("keeps the last report, told with a batch or by itself, and no report of a batch that failed", async () => {
		const path = newDatabasePath();
		const sink = open(path);
		const seen = (): unknown[] =>
			query(path, "SELECT seen, drains FROM recorders").map(Object.values);
		await sink.apply([sessionUpsert("ses_1", "one")], reportOf(1));
		assert.deepEqual(seen(), [[1, 1]]);
		await sink.apply([], reportOf(2));
		assert.deepEqual(seen(), [[2, 2]]);
		const unlock = lock(path);
		await assert.rejects(
			Promise.resolve(sink.apply([sessionUpsert("ses_1", "two")], reportOf(3))),
		);
		unlock();
		assert.deepEqual(seen(), [[2, 2]]);
		void sink.apply([sessionUpsert("ses_1", "two")], reportOf(4));
		sink.finish();
		assert.deepEqual(seen(), [[4, 4]]);
		sink.close();
	});

	it("forgets writers that stored nothing for a week", async () => {
		const path = newDatabasePath();
		const writers = (): unknown =>
			query(path, "SELECT count(*) AS n FROM batches")[0]?.["n"];
		const old = open(path);
		await old.apply([sessionUpsert("ses_1", "one")]);
		old.close();
		old.finish();
		query(path, "UPDATE batches SET stored_at = stored_at - 8 * 86400");
		const sink = open(path);
		await sink.apply([sessionUpsert("ses_2", "two")]);
		assert.equal(writers(), 1);
		sink.close();
	});

	it("begins again after its end", async () => {
		const path = newDatabasePath();
		const sink = open(path);
		for (const id of ["ses_1", "ses_2", "ses_3"]) {
			await sink.apply([sessionUpsert(id, id)]);
			sink.close();
		}
		assert.deepEqual(await sink.stored(NOTHING), []);
		assert.deepEqual(titles(path), ["ses_1", "ses_2", "ses_3"]);
		sink.close();
	});
});

describe("without a thread", () => {
	it("OpenCode's own writes where none can be started, and says so once", async () => {
		const path = newDatabasePath();
		const sink = open(path, () => {
			throw new Error("no threads here");
		});
		const said: string[] = [];
		sink.attend(listener(said));
		assert.deepEqual(await sink.apply([sessionUpsert("ses_1", "one")]), []);
		assert.deepEqual(await sink.apply([sessionUpsert("ses_2", "two")]), []);
		assert.deepEqual(await sink.stored(NOTHING), []);
		assert.deepEqual(titles(path), ["one", "two"]);
		assert.deepEqual(said, [
			`the thread that writes \`${path}\` has ended (no threads here): OpenCode's own does it now`,
		]);
		sink.close();
	});

	for (const [name, batches] of [
		["before it has begun", 1],
		["at work", 40],
	] as const)
		it(`nothing is lost and nothing counted twice where it ends ${name}`, async () => {
			const path = newDatabasePath();
			const started: Worker[] = [];
			const sink = open(path, (options) => {
				const worker = startThread(options);
				started.push(worker);
				return worker;
			});
			const said: string[] = [];
			sink.attend(listener(said));
			for (let at = 0; at < batches; at++) {
				const batch: Command[] = [rejection(), sessionUpsert(`ses_${at}`, "")];
				const stored = sink.apply(batch);
				if (at === batches - 1) void started[0]?.terminate();
				assert.deepEqual(await stored, []);
			}
			await until("it has ended", () => said.length > 0);
			await sink.apply([rejection()]);
			assert.deepEqual(
				[titles(path).length, count(path), said.length],
				[batches, batches + 1, 1],
			);
			sink.close();
		});
});

describe("processes that exit while a thread writes", () => {
	const TURNS = [0, 1, 3, 12, 60];
	const ALL = TURNS.reduce((sum, turns) => sum + turns, 0);
	const record = (path: string): Promise<string[]> =>
		runAll(
			TURNS.map((turns) => [CHILD, PLUGIN, `ses_${turns}`, String(turns)]),
			{ CLANKERS_DB_PATH: path },
		);
	const assertAllIsStored = (path: string): void => {
		assert.equal(titles(path).length, ALL + TURNS.length);
		assert.ok(titles(path).every((title) => title === "ended"));
		assert.equal(count(path), ALL);
	};

	it("leave nothing out and say nothing", async () => {
		const path = newDatabasePath();
		assert.equal((await record(path)).join(""), "");
		assertAllIsStored(path);
		assert.equal(existsSync(`${path}-wal`), false);
	});

	it("are not kept alive by it", async () => {
		const path = newDatabasePath();
		const args = [CHILD, PLUGIN, "ses_1", "3", "by itself"];
		assert.deepEqual(await runAll([args], { CLANKERS_DB_PATH: path }), [""]);
		assert.equal(titles(path).length, 4);
	});

	it("leave nothing out while another program locks the database now and then", async () => {
		const path = newDatabasePath();
		await record(path);
		await lockNowAndThen(path, record(path));
		assert.equal(titles(path).length, ALL + TURNS.length);
		assert.ok(titles(path).every((title) => title === "ended"));
		assert.equal(count(path), 2 * ALL);
	});
});

it("two threads of a process keep each other's locks", {
	skip: notTold,
}, async () => {
	const path = newDatabasePath();
	const [lasting, brief] = [open(path), open(path)];
	await lasting.apply([sessionUpsert("ses_1", "one")]);
	await brief.apply([sessionUpsert("ses_2", "two")]);
	brief.finish();
	assert.equal(isLocked(path), true);
	lasting.close();
});
