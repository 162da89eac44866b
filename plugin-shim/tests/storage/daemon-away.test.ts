/** What the daemon sink writes itself while the daemon is away, and on which thread. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { Command } from "../../../pkg/clankers.js";
import { SinkError } from "../../src/storage/sink.ts";
import {
	NOTHING,
	rejection,
	reportOf,
	sessionUpsert,
} from "../support/commands.ts";
import { TestDaemon } from "../support/daemon.ts";
import { openDaemonSink } from "../support/daemon-sink.ts";
import { isLocked as isHeld, notTold } from "../support/locks.ts";
import { lock, query } from "../support/query.ts";
import { newDatabasePath } from "../support/temporary.ts";
import { turn, turnsUntil } from "../support/turns.ts";
import { until } from "../support/until.ts";

const MIB = 1024 * 1024;

describe("a daemon that is away", () => {
	let path: string;
	let daemon: TestDaemon;

	beforeEach(() => {
		path = newDatabasePath();
		daemon = new TestDaemon(path);
	});

	afterEach(() => daemon.kill());

	const titles = (file = path): unknown[] =>
		query(file, "SELECT title FROM sessions ORDER BY id").map(
			({ title }) => title,
		);
	const counted = (): unknown =>
		query(path, "SELECT sum(count) AS n FROM rejections")[0]?.["n"];
	/** It takes several requests, and counts in the first and in the last. */
	const longBatch = (): Command[] => [
		rejection(),
		...Array.from({ length: 12 }, (_, at) =>
			sessionUpsert(`ses_${at}`, "long ".repeat(MIB / 10)),
		),
		rejection(),
	];
	const isLocked = (error: unknown): boolean =>
		error instanceof SinkError &&
		error.kind === "unavailable" &&
		/database is locked/.test(error.message);

	it("lets OpenCode's thread go on while a lock is waited for in its stead", async () => {
		const { sink } = openDaemonSink(daemon);
		await sink.apply([sessionUpsert("ses_1", "one")]);
		const unlock = lock(path);
		const apply = async (): Promise<unknown> =>
			sink.apply([sessionUpsert("ses_2", "two")]);
		const stored = apply();
		// The lock alone is waited for longer than a turn takes.
		assert.ok((await turnsUntil(stored)) > 1);
		await assert.rejects(stored, isLocked);
		unlock();
		await apply();
		assert.deepEqual(titles(), ["one", "two"]);
		sink.close();
	});

	it("lets it go on when what it was given is taken over", async () => {
		await daemon.start();
		const { sink, told } = openDaemonSink(daemon, { answerMs: 100 });
		await sink.apply([sessionUpsert("ses_1", "one")]);
		daemon.suspend();
		const unlock = lock(path);
		const stored = Promise.resolve(sink.apply([sessionUpsert("ses_2", "two")]));
		stored.catch(() => {});
		while (told.length === 0) await turn();
		assert.ok((await turnsUntil(stored)) > 1);
		await assert.rejects(stored, isLocked);
		unlock();
		daemon.resume();
		await sink.apply([sessionUpsert("ses_2", "two")]);
		assert.deepEqual(titles(), ["one", "two"]);
		sink.close();
	});

	it("is told of what was written meanwhile once it is back, and the file is let go of", {
		skip: notTold,
	}, async () => {
		const own = join(dirname(path), "own.db");
		const { sink, ready } = openDaemonSink(daemon, { path: own });
		await sink.apply([sessionUpsert("ses_1", "one")]);
		assert.equal(isHeld(own), true);
		const unlock = lock(own);
		const late = Promise.resolve(sink.apply([sessionUpsert("ses_2", "two")]));
		late.catch(() => {});
		await daemon.start();
		await until("it is there", () => ready.length > 0);
		await assert.rejects(late, isLocked);
		unlock();
		assert.deepEqual(ready, [["ses_1", "ses_2"]]);
		await until("the file is let go of", () => !isHeld(own));
		await sink.apply([sessionUpsert("ses_3", "three")]);
		assert.deepEqual([titles(), titles(own)], [["three"], ["one"]]);
		assert.equal(isHeld(own), false);
		sink.close();
	});

	it("has a batch of several requests taken over whole, and counts nothing twice", async () => {
		await daemon.start();
		const { sink, told } = openDaemonSink(daemon, { answerMs: 100 });
		await sink.apply([rejection()]);
		daemon.suspend();
		assert.deepEqual(await sink.apply(longBatch()), []);
		assert.equal(told.length, 1);
		assert.deepEqual([titles().length, counted()], [12, 3]);
		daemon.resume();
		await until("it is there", () => told.length > 1);
		await sink.apply([rejection()]);
		// What was still in the socket comes too late.
		await daemon.stop();
		assert.deepEqual([titles().length, counted()], [12, 4]);
		sink.close();
	});

	it("answers for what is stored once that is stored which was begun without it", async () => {
		await daemon.start();
		daemon.suspend();
		const { sink, told, ready } = openDaemonSink(daemon, { answerMs: 50 });
		await until("it is away", () => told.length > 0);
		const stored = sink.apply([sessionUpsert("ses_1", "x".repeat(16 * MIB))]);
		daemon.resume();
		await until("it is there", () => ready.length > 0);
		assert.equal((await sink.stored({ ...NOTHING, ids: ["ses_1"] })).length, 1);
		assert.deepEqual(await stored, []);
		sink.close();
	});

	it("leaves nothing out and counts nothing twice when the process ends, whoever has the batch", async () => {
		const alone = openDaemonSink(daemon).sink;
		await alone.apply([rejection()]);
		void alone.apply(longBatch());
		assert.deepEqual(alone.finish(), []);
		assert.deepEqual([titles().length, counted()], [12, 3]);
		assert.deepEqual(alone.apply([rejection()]), []);
		alone.close();
		await daemon.start();
		const { sink } = openDaemonSink(daemon);
		await sink.apply([rejection()]);
		daemon.suspend();
		void sink.apply(longBatch());
		assert.deepEqual(sink.finish(), []);
		assert.deepEqual([titles().length, counted()], [12, 7]);
		sink.close();
		daemon.resume();
		await daemon.stop();
		assert.equal(counted(), 7);
	});

	it("has how the recorder is stored with what is taken over, at the process's end too", async () => {
		const seen = (): unknown[] =>
			query(path, "SELECT seen FROM recorders ORDER BY seen").map(
				({ seen }) => seen,
			);
		await daemon.start();
		const first = openDaemonSink(daemon, { answerMs: 100 }).sink;
		const last = openDaemonSink(daemon).sink;
		await first.apply([rejection()], reportOf(1));
		await last.apply([rejection()], reportOf(2));
		assert.deepEqual(seen(), [1, 2]);
		daemon.suspend();
		await first.apply(longBatch(), reportOf(3));
		void last.apply(longBatch(), reportOf(4));
		assert.deepEqual(last.finish(), []);
		assert.deepEqual(seen(), [3, 4]);
		first.close();
		last.close();
	});

	it("has what it was given stored where the sink is closed, in a moment", async () => {
		await daemon.start();
		const { sink } = openDaemonSink(daemon);
		await sink.apply([rejection()]);
		daemon.suspend();
		const stored = sink.apply(longBatch());
		sink.close();
		assert.deepEqual(await stored, []);
		assert.deepEqual([titles().length, counted()], [12, 3]);
	});
});
