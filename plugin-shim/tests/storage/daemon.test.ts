import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { Command } from "../../../pkg/clankers.js";
import { loadCore } from "../../src/core.ts";
import { FrameReader, frame } from "../../src/rpc/frames.ts";
import { DaemonSink } from "../../src/storage/daemon/daemon-sink.ts";
import { type RefusedCommand, SinkError } from "../../src/storage/sink.ts";
import { SqliteSink } from "../../src/storage/sqlite.ts";
import { TestDaemon } from "../support/daemon.ts";
import { runAll } from "../support/processes.ts";
import { dump, query } from "../support/query.ts";
import { batchesOfRecording, recordings } from "../support/recordings.ts";
import { newDatabasePath, temporaryFolder } from "../support/temporary.ts";
import { until, untilAsync } from "../support/until.ts";
import { type SinkUnderTest, sessionUpsert, testSink } from "./contract.ts";

const { store } = loadCore();
const MIB = 1024 * 1024;
const CHILD = join(import.meta.dirname, "..", "support", "apply-to-daemon.ts");

/** A sink and what it said. */
interface Heard {
	readonly sink: DaemonSink;
	readonly refused: RefusedCommand[];
	readonly lines: string[];
	readonly told: string[];
	readonly ready: () => number;
	/** Resolves once nothing waits. */
	stored(): Promise<void>;
}

function open(
	{ socketPath, outboxFolder }: TestDaemon,
	outboxLimit = 64 * MIB,
	schemaVersion: number = store.schemaVersion,
): Heard {
	const sink = new DaemonSink({
		...{ socketPath, outboxFolder, outboxLimit, schemaVersion },
		clientVersion: "test",
		patience: { firstMs: 5, longestMs: 20 },
	});
	const heard = { refused: [], lines: [], told: [] } as Pick<
		Heard,
		"refused" | "lines" | "told"
	>;
	let ready = 0;
	sink.attend({
		log: (_level, message) => heard.lines.push(message),
		tell: (message) => heard.told.push(message),
		refused: (refused) => heard.refused.push(refused),
		ready: () => {
			ready += 1;
		},
	});
	const stored = (): Promise<void> =>
		untilAsync("all is stored", () =>
			sink.stored("/nowhere", [], undefined).then(
				() => true,
				() => false,
			),
		);
	return { sink, ...heard, ready: () => ready, stored };
}

/** Whether the sink has room for a command, and has taken it. */
function takes(sink: DaemonSink, command: Command): boolean {
	try {
		sink.apply([command]);
		return true;
	} catch (error) {
		if (error instanceof SinkError && error.kind === "unavailable")
			return false;
		throw error;
	}
}

describe("the contract", () => {
	const daemons = new Map<string, TestDaemon>();

	afterEach(async () => {
		for (const daemon of daemons.values()) await daemon.stop();
		daemons.clear();
	});

	testSink("daemon", (path): SinkUnderTest => {
		const daemon = daemons.get(path) ?? new TestDaemon(path);
		daemons.set(path, daemon);
		const { sink, refused, stored } = open(daemon);
		return {
			sink,
			refusedLater: refused,
			// Nothing has to be there when a sink is opened, the daemon neither.
			stored: async () => {
				if (!daemon.isRunning) await daemon.start();
				await stored();
			},
		};
	});
});

describe("the daemon sink", () => {
	let path: string;
	let daemon: TestDaemon;

	beforeEach(() => {
		path = newDatabasePath();
		daemon = new TestDaemon(path);
	});

	afterEach(() => daemon.kill());

	const outboxes = (): string[] =>
		existsSync(daemon.outboxFolder)
			? readdirSync(daemon.outboxFolder).sort()
			: [];
	const titles = (): unknown[] =>
		query(path, "SELECT title FROM sessions ORDER BY id").map(
			({ title }) => title,
		);
	const count = (): number =>
		Number(query(path, "SELECT count(*) AS n FROM sessions")[0]?.["n"]);
	const child = (id: string, many: number, how: string): string[] => [
		...[CHILD, daemon.socketPath, daemon.outboxFolder, id, String(many), how],
	];

	it("keeps what is applied while no daemon is there, and says so once", async () => {
		const { sink, lines, told, stored } = open(daemon);
		for (let at = 0; at < 50; at++)
			sink.apply([sessionUpsert(`ses_${at}`, "early")]);
		await assert.rejects(
			sink.stored("/nowhere", [], undefined),
			(error) => error instanceof SinkError && error.kind === "unavailable",
		);
		await until("it says so", () => lines.length > 0);
		assert.equal(outboxes().length, 2);
		await daemon.start();
		await stored();
		assert.equal(count(), 50);
		assert.equal(lines.length, 2, lines.join("\n"));
		assert.match(lines[0] ?? "", /does not take what is recorded.*ENOENT/);
		assert.match(lines[1] ?? "", /is there$/);
		assert.deepEqual(told, []);
		sink.close();
		assert.deepEqual(outboxes(), []);
	});

	it("says when what is stored can be asked for again", async () => {
		const { sink, ready } = open(daemon);
		await assert.rejects(sink.stored("/nowhere", [], undefined));
		assert.equal(ready(), 0);
		await daemon.start();
		await until("it is ready", () => ready() === 1);
		sink.close();
	});

	it("keeps its files for their owner alone", {
		skip: process.platform === "win32",
	}, () => {
		const before = process.umask(0);
		const { sink } = open(daemon);
		try {
			sink.apply([sessionUpsert("ses_1", "one")]);
		} finally {
			process.umask(before);
		}
		const mode = (file: string): string =>
			(statSync(file).mode & 0o777).toString(8);
		assert.equal(mode(daemon.outboxFolder), "700");
		for (const name of outboxes())
			assert.equal(mode(join(daemon.outboxFolder, name)), "600", name);
		sink.close();
	});

	it("waits for a daemon that does not answer, without holding anybody", async () => {
		await daemon.start();
		const { sink, stored } = open(daemon);
		await stored();
		daemon.suspend();
		const text = "slow ".repeat(1000);
		const started = performance.now();
		for (let at = 0; at < 2000; at++)
			sink.apply([sessionUpsert(`ses_${at}`, text)]);
		// A few milliseconds for each MiB on disk; the rest is room for a busy machine.
		assert.ok(performance.now() - started < 5_000);
		daemon.resume();
		await stored();
		assert.equal(count(), 2000);
		sink.close();
	});

	it("loses nothing when the daemon is killed in mid-batch, again and again", async () => {
		await daemon.start();
		const { sink, stored } = open(daemon);
		await stored();
		for (let turn = 0; turn < 5; turn++) {
			for (let at = 0; at < 300; at++)
				sink.apply([
					sessionUpsert(`ses_${turn}_${at}`, "first"),
					sessionUpsert(`ses_${turn}_${at}`, "last"),
				]);
			await until("some of it is stored", () => count() > turn * 300);
			await daemon.kill();
			await daemon.start();
		}
		await stored();
		assert.equal(count(), 1500);
		assert.deepEqual(new Set(titles()), new Set(["last"]));
		sink.close();
		assert.deepEqual(outboxes(), []);
	});

	it("loses nothing when the daemon is ended and another started", async () => {
		await daemon.start();
		const { sink, stored } = open(daemon);
		for (let at = 0; at < 600; at++) {
			sink.apply([sessionUpsert(`ses_${at}`, "one")]);
			if (at % 200 === 100) {
				await daemon.stop();
				await daemon.start();
			}
		}
		await stored();
		assert.equal(count(), 600);
		sink.close();
	});

	it("leaves what a process could not ship to the next one", async () => {
		await runAll([child("ses_a", 20, "exit"), child("ses_b", 20, "exit")]);
		assert.equal(outboxes().length, 4);
		await daemon.start();
		const { sink, stored } = open(daemon);
		await stored();
		assert.equal(count(), 40);
		assert.deepEqual(outboxes(), []);
		sink.close();
	});

	it("has sent all of it when a process exits at once, if the daemon is there", async () => {
		await daemon.start();
		await runAll([child("ses_a", 100, "connected")]);
		await until("all is stored", () => count() === 100);
	});

	it("keeps no process alive", async () => {
		await runAll([child("ses_a", 1, "end")]);
		await daemon.start();
		await runAll([child("ses_b", 1, "end")]);
		const { sink, stored } = open(daemon);
		await stored();
		assert.equal(count(), 2);
		sink.close();
	});

	it("leaves the outbox of a living process alone, and takes that of one that was killed", async () => {
		const [file = "", ...args] = child("ses_a", 30, "stay");
		const other = spawn(process.execPath, [file, ...args], {
			stdio: ["pipe", "pipe", "inherit"],
		});
		await new Promise((resolve) => other.stdout.once("data", resolve));
		const [name = ""] = outboxes().filter((name) => name.endsWith(".jsonl"));
		const first = open(daemon);
		first.sink.apply([sessionUpsert("ses_b", "two")]);
		first.sink.close();
		assert.ok(existsSync(join(daemon.outboxFolder, name)));
		// Before it can ship anything itself.
		const gone = new Promise((resolve) => other.once("exit", resolve));
		other.kill("SIGKILL");
		await gone;
		await daemon.start();
		const second = open(daemon);
		await second.stored();
		assert.equal(count(), 31);
		second.sink.close();
		assert.deepEqual(outboxes(), []);
	});

	it("ships nothing to a daemon on another socket", async () => {
		const elsewhere = Object.assign(new TestDaemon(path), {
			socketPath: join(dirname(path), "other.sock"),
		});
		const other = open(elsewhere);
		other.sink.apply([sessionUpsert("ses_other", "elsewhere")]);
		other.sink.close();
		await daemon.start();
		const { sink, stored } = open(daemon);
		sink.apply([sessionUpsert("ses_1", "one")]);
		await stored();
		assert.deepEqual(titles(), ["one"]);
		sink.close();
		assert.equal(outboxes().length, 2);
	});

	it("keeps the order when a batch is refused", async () => {
		await daemon.start();
		daemon.suspend();
		const { sink, refused, stored } = open(daemon);
		const impossible = {
			method: "message.upsert",
			params: { id: "msg_1", sessionId: "ses_1", cost: "much" },
		} as unknown as Command;
		sink.apply([sessionUpsert("ses_1", "one"), impossible]);
		for (const title of ["two", "three"])
			sink.apply([sessionUpsert("ses_1", title)]);
		daemon.resume();
		await stored();
		assert.deepEqual(titles(), ["three"]);
		assert.deepEqual(
			refused.map(({ reason }) => reason),
			['`commands[0].params.cost`: found string "much", expected a number'],
		);
		sink.close();
	});

	it("makes room for what is new by leaving earlier states out, and says so once", async () => {
		const { sink, told, stored } = open(daemon, MIB / 4);
		const messageId = "msg_1";
		const text = (at: number): string => `${"word ".repeat(at)}end`;
		const part = (at: number): Command => ({
			method: "part.upsert",
			params: {
				...{ id: "prt_1", messageId, sessionId: "ses_1", type: "text" },
				...{ text: text(at), endedAt: null },
			},
		});
		sink.apply([sessionUpsert("ses_1", "one")]);
		for (let at = 0; at < 1000; at++) {
			// While room is being made there may be none: the recorder tries again.
			await until("there is room", () => takes(sink, part(at)));
		}
		assert.equal(told.length, 1);
		assert.match(told[0] ?? "", /0\.2 MiB wait for the daemon on/);
		await daemon.start();
		await stored();
		assert.deepEqual(query(path, "SELECT text FROM parts"), [
			{ text: text(999) },
		]);
		sink.close();
	});

	it("refuses what there is no room for, until there is", async () => {
		const { sink, stored } = open(daemon, 64 * 1024);
		const title = "t".repeat(1000);
		let applied = 0;
		assert.throws(
			() => {
				for (; applied < 100; applied++)
					sink.apply([sessionUpsert(`ses_${applied}`, title)]);
			},
			(error) =>
				error instanceof SinkError &&
				error.kind === "unavailable" &&
				/is full: 0\.1 MiB wait/.test(error.message),
		);
		assert.ok(applied > 40, `${applied}`);
		await daemon.start();
		await stored();
		assert.equal(count(), applied);
		sink.apply([sessionUpsert("ses_late", "late")]);
		await stored();
		assert.equal(count(), applied + 1);
		sink.close();
	});

	it("keeps everything for a daemon that is older than the plugin, and says so once", async () => {
		await daemon.start();
		const newer = open(daemon, 64 * MIB, store.schemaVersion + 1);
		newer.sink.apply([sessionUpsert("ses_1", "one")]);
		await until("it is told", () => newer.told.length > 0);
		await assert.rejects(newer.sink.stored("/nowhere", [], undefined));
		newer.sink.close();
		assert.equal(newer.told.length, 1);
		assert.match(newer.told[0] ?? "", /older than the plugin.*update it/);
		assert.equal(count(), 0);
		const { sink, stored } = open(daemon);
		await stored();
		assert.equal(count(), 1);
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
			const { sink, refused, stored } = open(daemon);
			for (const recording of recordings(release))
				for (const batch of batchesOfRecording(recording)) {
					sqlite.apply(batch);
					sink.apply(batch);
				}
			await stored();
			assert.deepEqual(refused, []);
			assert.deepEqual(dump(path), dump(direct));
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
		daemon = new TestDaemon(join(temporaryFolder(), "clankers.db"));
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
		await new Promise<void>((resolve) =>
			server.listen(daemon.socketPath, resolve),
		);
	});

	afterEach(() => server.close());

	it("is asked nothing, and the person is told once", async () => {
		const { sink, told } = open(daemon);
		sink.apply([sessionUpsert("ses_1", "one")]);
		await until("it has tried again", () => asked.length > 2);
		assert.deepEqual(new Set(asked), new Set(["hello"]));
		assert.equal(told.length, 1);
		assert.match(told[0] ?? "", /this daemon speaks 2$/);
		sink.close();
		assert.equal(readdirSync(daemon.outboxFolder).length, 2);
	});
});
