import assert from "node:assert/strict";
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { Command } from "../../../pkg/clankers.js";
import { loadCore } from "../../src/core.ts";
import { FrameReader, frame } from "../../src/rpc/frames.ts";
import type { DaemonSink } from "../../src/storage/daemon/daemon-sink.ts";
import { type RefusedCommand, SinkError } from "../../src/storage/sink.ts";
import { SqliteSink } from "../../src/storage/sqlite.ts";
import {
	NOTHING,
	rejection,
	reportOf,
	sessionUpsert,
	todo,
} from "../support/commands.ts";
import { TestDaemon } from "../support/daemon.ts";
import { openDaemonSink } from "../support/daemon-sink.ts";
import { runAll } from "../support/processes.ts";
import { dump, lock, query } from "../support/query.ts";
import { batchesOfRecording, recordings } from "../support/recordings.ts";
import { newDatabasePath } from "../support/temporary.ts";
import { until } from "../support/until.ts";
import { testSink } from "./contract.ts";

const { store } = loadCore();
const MIB = 1024 * 1024;
const CHILD = join(import.meta.dirname, "..", "support", "apply-to-daemon.ts");

describe("the contract", () => {
	const daemons: TestDaemon[] = [];
	const sinkAt = (path: string): DaemonSink =>
		openDaemonSink(new TestDaemon(path)).sink;

	afterEach(async () => {
		for (const daemon of daemons.splice(0)) await daemon.stop();
	});

	testSink("daemon", sinkAt, async (path) => {
		const daemon = new TestDaemon(path);
		daemons.push(daemon);
		await daemon.start();
	});
	testSink("daemon-less daemon", sinkAt);
});

describe("the daemon sink", () => {
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
	const count = (file = path): number =>
		Number(query(file, "SELECT count(*) AS n FROM sessions")[0]?.["n"]);
	const rejections = (): unknown =>
		query(path, "SELECT sum(count) AS n FROM rejections")[0]?.["n"];
	const child = (id: string, many: number, how: string): string[] => [
		...[CHILD, daemon.socketPath, path, id, String(many), how],
	];
	/** Another file than the daemon's: what is in it, this process wrote. */
	const ownFile = (): string => join(dirname(path), "own.db");

	it("opens no database while the daemon is there", async () => {
		await daemon.start();
		const { sink, lines } = openDaemonSink(daemon, { path: ownFile() });
		assert.deepEqual(await sink.apply([sessionUpsert("ses_1", "one")]), []);
		assert.deepEqual(titles(), ["one"]);
		assert.ok(!existsSync(ownFile()));
		assert.deepEqual(lines, [
			`the daemon on ${daemon.socketPath} writes \`${path}\`; while it is away, this process writes \`${ownFile()}\``,
		]);
		sink.close();
	});

	it("stores how the recorder is with its batches, whoever writes them", async () => {
		const reports = (file: string): unknown[] =>
			query(file, "SELECT seen, last_error FROM recorders").map(Object.values);
		await daemon.start();
		const { sink, ready } = openDaemonSink(daemon, { path: ownFile() });
		const lastError = "database is locked";
		await sink.apply([sessionUpsert("ses_1", "one")], reportOf(1));
		await sink.apply([], { ...reportOf(2), lastError, lastErrorAt: 5 });
		assert.deepEqual(reports(path), [[2, lastError]]);
		await daemon.stop();
		await sink.apply([sessionUpsert("ses_2", "two")], reportOf(3));
		assert.deepEqual(reports(ownFile()), [[3, null]]);
		assert.deepEqual(ready, []);
		sink.close();
	});

	it("stores at once, itself, while no daemon is there, and says so once", async () => {
		const { sink, lines, told, ready } = openDaemonSink(daemon, {
			path: ownFile(),
		});
		await sink.apply([sessionUpsert("ses_0", "early")]);
		for (let at = 1; at < 50; at++) {
			const batch = [sessionUpsert(`ses_${at}`, "early")];
			assert.deepEqual(await sink.apply(batch), []);
		}
		assert.equal(count(ownFile()), 50);
		assert.equal((await sink.stored({ ...NOTHING, ids: ["ses_7"] })).length, 1);
		assert.equal(ready.length, 0);
		await daemon.start();
		await until("it is there", () => ready.length === 1);
		await sink.apply([sessionUpsert("ses_late", "late")]);
		assert.deepEqual(titles(), ["late"]);
		assert.equal(count(ownFile()), 50);
		assert.equal(lines.length, 3, lines.join("\n"));
		assert.match(lines[0] ?? "", /is away, this process records to .*ENOENT/);
		assert.match(lines[1] ?? "", /is there, and records again$/);
		assert.deepEqual(told, []);
		sink.close();
	});

	it("stores itself where a socket is there and nobody behind it", async () => {
		await daemon.start();
		await daemon.kill();
		assert.ok(existsSync(daemon.socketPath));
		const { sink, lines } = openDaemonSink(daemon);
		await sink.apply([sessionUpsert("ses_1", "one")]);
		assert.deepEqual(titles(), ["one"]);
		assert.match(lines.join("\n"), /ECONNREFUSED|Failed to connect/);
		sink.close();
	});

	it("waits for a daemon that does not answer, and not for ever", async () => {
		await daemon.start();
		const { sink, lines, told, ready } = openDaemonSink(daemon, {
			answerMs: 100,
		});
		await sink.apply([sessionUpsert("ses_1", "one")]);
		daemon.suspend();
		await sink.apply([
			sessionUpsert("ses_2", "two"),
			todo("early"),
			rejection(),
		]);
		// From here on it is not waited for.
		assert.deepEqual(await sink.apply([todo("late")]), []);
		for (let at = 0; at < 20; at++) await sink.apply([rejection()]);
		assert.deepEqual(titles(), ["one", "two"]);
		assert.deepEqual(await sink.stored({ ...NOTHING, ids: ["ses_3"] }), []);
		daemon.resume();
		await until("it is there", () => ready.length === 1);
		await sink.apply([sessionUpsert("ses_3", "three")]);
		// The batch that timed out was still in the socket: it comes too late.
		await new Promise((resolve) => setTimeout(resolve, 100));
		assert.deepEqual(query(path, "SELECT content FROM todos"), [
			{ content: "late" },
		]);
		assert.equal(rejections(), 21);
		assert.deepEqual(lines, []);
		assert.match(told[0] ?? "", /is away.*not answered within 0\.1 s$/);
		assert.match(told[1] ?? "", /is there, and records again$/);
		assert.equal(told.length, 2, told.join("\n"));
		sink.close();
	});

	it("does not wait for one that is suspended when it is met", async () => {
		await daemon.start();
		daemon.suspend();
		const { sink, told, ready } = openDaemonSink(daemon, { answerMs: 50 });
		await sink.apply([sessionUpsert("ses_1", "one")]);
		assert.deepEqual(titles(), ["one"]);
		// A person is told, once each time it hangs.
		await new Promise((resolve) => setTimeout(resolve, 300));
		assert.match(told[0] ?? "", /not answered within 0\.05 s$/);
		assert.equal(told.length, 1, told.join("\n"));
		daemon.resume();
		await until("it is there", () => ready.length === 1);
		assert.match(told[1] ?? "", /is there/);
		daemon.suspend();
		await sink.apply([sessionUpsert("ses_2", "two")]);
		assert.match(told[2] ?? "", /not answered within 0\.05 s$/);
		daemon.resume();
		await until("it is there again", () => ready.length === 2);
		sink.close();
	});

	it("begins a new database where the daemon's is damaged, with it or without it", async () => {
		await daemon.start();
		const { sink } = openDaemonSink(daemon);
		const garbage = "not a database ".repeat(4096);
		const takes = async (id: string): Promise<void> => {
			const batch = [sessionUpsert(id, id)];
			await assert.rejects(
				async () => sink.apply(batch),
				(error) => error instanceof SinkError && error.kind === "replaced",
			);
			assert.deepEqual(await sink.apply(batch), []);
			assert.deepEqual(titles(), [id]);
		};
		await sink.apply([sessionUpsert("ses_1", "one")]);
		writeFileSync(path, garbage);
		await takes("ses_2");
		await daemon.kill();
		await sink.apply([sessionUpsert("ses_2", "ses_2")]);
		writeFileSync(path, garbage);
		await takes("ses_3");
		const asides = readdirSync(dirname(path)).filter((name) =>
			/\.corrupt-.*T[\d-]+$/.test(name),
		);
		assert.equal(asides.length, 2, asides.join());
		sink.close();
	});

	it("loses and repeats nothing when the daemon is killed in mid-batch, again and again", async () => {
		await daemon.start();
		const { sink, lines } = openDaemonSink(daemon);
		let batches = 0;
		for (let turn = 0; turn < 6; turn++) {
			await until("the daemon is there", () =>
				/is there|^$/.test(lines.at(-1) ?? ""),
			);
			const killed = new Promise((resolve) =>
				setTimeout(resolve, turn * 2),
			).then(() => daemon.kill());
			for (let at = 0; at < 40; at++) {
				batches += 1;
				await sink.apply([
					sessionUpsert(`ses_${turn}_${at}`, "first"),
					sessionUpsert(`ses_${turn}_${at}`, "last"),
					rejection(),
				]);
			}
			await killed;
			await daemon.start();
		}
		assert.equal(count(), batches);
		assert.deepEqual(new Set(titles()), new Set(["last"]));
		assert.equal(rejections(), batches);
		sink.close();
	});

	it("loses and repeats nothing when the daemon is ended and another started", async () => {
		await daemon.start();
		const { sink } = openDaemonSink(daemon);
		for (let at = 0; at < 300; at++) {
			const stored = sink.apply([sessionUpsert(`ses_${at}`, "x"), rejection()]);
			if (at % 100 === 50) {
				await daemon.stop();
				await daemon.start();
			}
			await stored;
		}
		assert.equal(count(), 300);
		assert.equal(rejections(), 300);
		sink.close();
	});

	it("loses and repeats nothing when the process exits with a batch under way", async () => {
		await runAll([child("ses_a", 20, "at once")]);
		assert.equal(count(), 20);
		await daemon.start();
		await runAll(
			["b", "c", "d"].map((id) => child(`ses_${id}`, 500, "connected")),
		);
		assert.equal(count(), 1520);
		const { sink } = openDaemonSink(daemon);
		/** It answers after what the processes had sent. */
		const isDone = async (): Promise<void> => {
			await sink.stored(NOTHING);
			await new Promise((resolve) => setTimeout(resolve, 100));
		};
		// Held up in the middle of a batch it would keep its lock.
		await isDone();
		daemon.suspend();
		await runAll([child("ses_e", 20, "at once")]);
		assert.equal(count(), 1540);
		daemon.resume();
		await isDone();
		assert.equal(count(), 1540);
		assert.equal(rejections(), 5);
		sink.close();
	});

	it("keeps no process alive", async () => {
		await runAll([child("ses_a", 1, "end")]);
		await daemon.start();
		await runAll([child("ses_b", 1, "end")]);
		assert.equal(count(), 2);
	});

	it("keeps a batch that nobody can store now", async () => {
		await daemon.start();
		const { sink } = openDaemonSink(daemon, { answerMs: 100 });
		await sink.apply([sessionUpsert("ses_1", "one")]);
		const unlock = lock(path);
		const batch = [sessionUpsert("ses_2", "two")];
		await assert.rejects(
			Promise.resolve(sink.apply(batch)),
			(error) =>
				error instanceof SinkError &&
				error.kind === "unavailable" &&
				/database is locked/.test(error.message),
		);
		unlock();
		assert.deepEqual(await sink.apply(batch), []);
		assert.deepEqual(titles(), ["one", "two"]);
		sink.close();
	});

	it("counts a file that it cannot use as one that it may use later: the daemon may be back", async () => {
		await daemon.start();
		await daemon.kill();
		const newer = query(path, "SELECT 1 AS one");
		assert.equal(newer.length, 1);
		const newest = store.schemaVersion + 1;
		query(path, `UPDATE clankers_database SET oldest_writer = ${newest}`);
		query(path, `PRAGMA user_version = ${newest}`);
		const { sink } = openDaemonSink(daemon);
		await assert.rejects(
			Promise.resolve(sink.apply([sessionUpsert("ses_1", "one")])),
			(error) => error instanceof SinkError && error.kind === "unavailable",
		);
		sink.close();
	});

	it("says once that the daemon's database was removed, under a batch or between two daemons", async () => {
		await daemon.start();
		const { sink, told } = openDaemonSink(daemon);
		const isReplaced = (error: unknown): boolean =>
			error instanceof SinkError && error.kind === "replaced";
		const remove = (): void => {
			for (const file of [path, `${path}-wal`, `${path}-shm`])
				rmSync(file, { force: true });
		};
		await sink.apply([sessionUpsert("ses_1", "one")]);
		remove();
		const batch = [sessionUpsert("ses_2", "two")];
		await assert.rejects(Promise.resolve(sink.apply(batch)), isReplaced);
		await sink.apply(batch);
		assert.deepEqual(titles(), ["two"]);
		assert.deepEqual(told, []);
		await daemon.stop();
		remove();
		await daemon.start();
		await until("it is told", () => told.length > 0);
		assert.match(told[0] ?? "", /the database of .* was removed, or another/);
		await sink.apply([sessionUpsert("ses_3", "three")]);
		assert.deepEqual(titles(), ["three"]);
		assert.equal(told.length, 1);
		sink.close();
	});

	it("keeps the order when a batch is refused", async () => {
		await daemon.start();
		const { sink } = openDaemonSink(daemon, { path: ownFile() });
		const impossible = {
			method: "message.upsert",
			params: { id: "msg_1", sessionId: "ses_1", cost: "much" },
		} as unknown as Command;
		const refused = await sink.apply([
			...[sessionUpsert("ses_1", "one"), impossible],
			...[sessionUpsert("ses_1", "two"), rejection()],
		]);
		assert.deepEqual(titles(), ["two"]);
		assert.equal(rejections(), 1);
		assert.deepEqual(refused, [
			{
				command: impossible,
				reason:
					'`commands[0].params.cost`: found string "much", expected a number',
			},
		] satisfies RefusedCommand[]);
		assert.ok(!existsSync(ownFile()));
		sink.close();
	});

	it("sends a long batch in several requests", async () => {
		await daemon.start();
		const { sink } = openDaemonSink(daemon, { path: ownFile() });
		const title = "long ".repeat(MIB / 10);
		const batch = Array.from({ length: 12 }, (_, at) =>
			sessionUpsert(`ses_${at}`, title),
		);
		assert.deepEqual(await sink.apply([...batch, rejection()]), []);
		assert.equal(count(), 12);
		assert.equal(rejections(), 1);
		assert.ok(!existsSync(ownFile()));
		sink.close();
	});

	it("stores a command itself that is longer than the daemon takes", async () => {
		await daemon.start();
		const { sink, lines } = openDaemonSink(daemon);
		const title = "é".repeat(33 * MIB);
		const batch = [sessionUpsert("ses_1", title), sessionUpsert("ses_2", "")];
		assert.deepEqual(await sink.apply(batch), []);
		const lengths = query(path, "SELECT length(title) AS n FROM sessions");
		assert.deepEqual(lengths, [{ n: 33 * MIB }, { n: 0 }]);
		assert.deepEqual(lines, []);
		sink.close();
	});

	it("sends nothing to a daemon that is older than the plugin, and says so once", async () => {
		await daemon.start();
		const schema = store.schemaVersion + 1;
		const { sink, told } = openDaemonSink(daemon, { path: ownFile(), schema });
		await sink.apply([sessionUpsert("ses_1", "one")]);
		await new Promise((resolve) => setTimeout(resolve, 100));
		await sink.apply([sessionUpsert("ses_2", "two")]);
		assert.deepEqual(titles(ownFile()), ["one", "two"]);
		assert.equal(told.length, 1);
		assert.match(told[0] ?? "", /older than the plugin.*update it/);
		assert.equal(count(), 0);
		sink.close();
	});

	it("stores what the in-process sink stores, from the same events", async () => {
		for (const release of ["1.0.61", "1.18.34"]) {
			path = newDatabasePath();
			daemon = new TestDaemon(path);
			const direct = newDatabasePath();
			const sqlite = new SqliteSink(
				{ path: direct, inOwnFolder: false },
				store,
			);
			await daemon.start();
			const { sink } = openDaemonSink(daemon, { path: ownFile() });
			for (const recording of recordings(release))
				for (const batch of batchesOfRecording(recording)) {
					sqlite.apply(batch);
					assert.deepEqual(await sink.apply(batch), []);
				}
			const { batches, ...rows } = dump(path);
			assert.equal(batches?.length, 1);
			assert.deepEqual({ ...rows, batches: [] }, dump(direct));
			assert.ok(!existsSync(ownFile()));
			sink.close();
			sqlite.close();
			await daemon.stop();
		}
	});
});

describe("a daemon that speaks another protocol", () => {
	let server: Server;
	let asked: string[];
	let daemon: TestDaemon;

	beforeEach(async () => {
		daemon = new TestDaemon(newDatabasePath());
		asked = [];
		server = createServer((socket) => {
			const frames = new FrameReader();
			socket.on("data", (chunk: Buffer) => {
				for (const body of frames.push(chunk)) {
					const { id, method } = JSON.parse(body);
					asked.push(method);
					const error = { code: -32001, message: "this daemon speaks 2" };
					socket.write(frame(JSON.stringify({ jsonrpc: "2.0", id, error })));
				}
			});
			socket.on("error", () => {});
		});
		// The folder is there once something was stored in it.
		const sqlite = new SqliteSink(
			{ path: daemon.databasePath, inOwnFolder: false },
			store,
		);
		sqlite.apply([]);
		sqlite.close();
		await new Promise<void>((resolve) =>
			server.listen(daemon.socketPath, resolve),
		);
	});

	afterEach(() => server.close());

	it("is sent nothing, and the person is told once", async () => {
		const { sink, told } = openDaemonSink(daemon);
		await sink.apply([sessionUpsert("ses_1", "one")]);
		await until("it has tried again", () => asked.length > 2);
		assert.deepEqual(new Set(asked), new Set(["hello"]));
		assert.equal(told.length, 1);
		assert.match(told[0] ?? "", /this daemon speaks 2$/);
		assert.equal(
			query(daemon.databasePath, "SELECT * FROM sessions").length,
			1,
		);
		sink.close();
	});
});
