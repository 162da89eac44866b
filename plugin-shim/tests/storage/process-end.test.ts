/** OpenCode processes that record through a daemon, which comes and goes, and that exit at any point. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { TestDaemon } from "../support/daemon.ts";
import { runAll } from "../support/processes.ts";
import { lock, lockNowAndThen, query } from "../support/query.ts";
import { newDatabasePath } from "../support/temporary.ts";
import { until } from "../support/until.ts";

const CHILD = join(import.meta.dirname, "..", "support", "record-turns.ts");
const PLUGIN = join(import.meta.dirname, "..", "..", "src", "index.ts");
/** How many turns each of the processes records that run at once. */
const TURNS = [0, 1, 3, 12, 60];
/** An exit waits for a lock for less than three seconds; a slow machine is slower. */
const LONGEST_EXIT_MS = 30_000;
const ALL = TURNS.reduce((sum, turns) => sum + turns, 0);

describe("processes that exit while they record through a daemon", () => {
	let path: string;
	let daemon: TestDaemon;

	beforeEach(() => {
		path = newDatabasePath();
		daemon = new TestDaemon(path);
	});

	afterEach(() => daemon.kill());

	const record = (): Promise<string[]> =>
		runAll(
			TURNS.map((turns) => [CHILD, PLUGIN, `ses_${turns}`, String(turns)]),
			{ CLANKERS_DB_PATH: path, CLANKERS_SOCKET_PATH: daemon.socketPath },
		);
	const isThere = (): boolean => {
		try {
			return query(path, "SELECT 1 FROM sessions").length === 0;
		} catch {
			return false;
		}
	};
	const count = (what: string): unknown =>
		query(path, `SELECT ${what} AS n FROM sessions`)[0]?.["n"];
	const assertAllIsStored = (): void => {
		assert.equal(count("count(*)"), ALL + TURNS.length);
		assert.equal(
			count("count(iif(title = 'ended', 1, NULL))"),
			count("count(*)"),
		);
	};

	it("leave nothing out and count nothing twice while it is there", async () => {
		await daemon.start();
		assert.equal((await record()).join(""), "");
		assertAllIsStored();
		await daemon.stop();
		assertAllIsStored();
		assert.deepEqual(query(path, "SELECT count FROM rejections"), [
			{ count: ALL },
		]);
	});

	it("leave nothing out while it is away", async () => {
		await record();
		assertAllIsStored();
		assert.deepEqual(query(path, "SELECT count FROM rejections"), [
			{ count: ALL },
		]);
	});

	it("leave nothing out while it hangs, and what it does later changes nothing", async () => {
		await daemon.start();
		daemon.suspend();
		await record();
		assertAllIsStored();
		daemon.resume();
		await daemon.stop();
		assertAllIsStored();
	});

	it("leave nothing out while it is killed, ended and started", async () => {
		let isOver = false;
		const recorded = record().finally(() => {
			isOver = true;
		});
		for (let turn = 0; !isOver; turn++) {
			await daemon.start();
			await pause(37);
			await (turn % 2 === 0 ? daemon.kill() : daemon.stop());
		}
		await recorded;
		assertAllIsStored();
	});

	it("exit in a moment, and say nothing, where the daemon hangs and the database stays locked", async () => {
		await daemon.start();
		await until("the daemon has made it", isThere);
		daemon.suspend();
		const unlock = lock(path);
		try {
			const begun = Date.now();
			const [said] = await runAll([[CHILD, PLUGIN, "ses_locked", "0"]], {
				CLANKERS_DB_PATH: path,
				CLANKERS_SOCKET_PATH: daemon.socketPath,
			});
			assert.equal(said, "");
			assert.ok(Date.now() - begun < LONGEST_EXIT_MS);
		} finally {
			unlock();
			daemon.resume();
		}
		// What OpenCode has of it, the next process asks OpenCode for.
		assert.equal(count("count(*)"), 0);
	});

	it("leave nothing out while another program locks the database now and then", async () => {
		await daemon.start();
		await until("the daemon has made it", isThere);
		await lockNowAndThen(path, record());
		// What the daemon still had to do when they exited.
		await daemon.stop();
		assertAllIsStored();
	});
});
