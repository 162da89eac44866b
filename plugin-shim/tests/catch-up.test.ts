/** Catch-up against a scripted OpenCode API, the real core and a real database. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { StoredSession } from "../../pkg/clankers.js";
import { CatchUp } from "../src/catch-up.ts";
import { loadCore, SurvivingCore } from "../src/core.ts";
import { SessionApi } from "../src/session-api.ts";
import { SqliteSink } from "../src/sinks/sqlite.ts";
import { sessionCreated, sessionUpdated } from "./support/events.ts";
import { ScriptedSessions } from "./support/scripted-sessions.ts";
import { until } from "./support/until.ts";

const { store } = loadCore();
const DIRECTORY = "/home/user/project";
const ORIGIN = "/home/user/.local/share/opencode";

describe("catch-up", () => {
	let folder: string;
	let sink: SqliteSink;
	let core: SurvivingCore;
	let sessions: ScriptedSessions;
	let catchUp: CatchUp;
	let pauses: number;
	let warnings: string[];

	beforeEach(() => {
		folder = mkdtempSync(join(tmpdir(), "clankers-catch-up-"));
		const path = join(folder, "clankers.db");
		sink = new SqliteSink({ path, inOwnFolder: false }, store);
		core = new SurvivingCore({ origin: ORIGIN }, (error) => {
			throw error;
		});
		sessions = new ScriptedSessions();
		pauses = 0;
		warnings = [];
		catchUp = new CatchUp({
			api: new SessionApi(sessions.client, DIRECTORY),
			core,
			directory: DIRECTORY,
			stored: (ids) => sink.stored(DIRECTORY, ids),
			changed: () => drain(),
			log: (level, message) => {
				if (level === "warn") warnings.push(message);
			},
			pause: async () => {
				pauses += 1;
			},
			now: () => 1_790_000_001_000,
		});
	});

	afterEach(() => {
		catchUp.end();
		assert.deepEqual(warnings, []);
		sink.close();
		core.free();
		rmSync(folder, { recursive: true });
	});

	function drain(): void {
		sink.apply(core.drain());
		core.settle(true);
	}

	function observe(...events: object[]): void {
		for (const event of events) core.observe(event, 1_790_000_000_500);
		drain();
	}

	function stored(id: string): StoredSession | undefined {
		return sink.stored(DIRECTORY, [id]).find((session) => session.id === id);
	}

	it("is put off, and goes on with single sessions, where what is stored cannot be told", async () => {
		sessions.add("ses_1", "one", []);
		sessions.add("ses_2", "two", []);
		let isThere = false;
		const real = sink.stored.bind(sink);
		sink.stored = (directory, ids) => {
			if (!isThere) throw new Error("no daemon");
			return real(directory, ids);
		};
		catchUp.want(["ses_1"]);
		catchUp.compare();
		await until("the session is fetched", () =>
			sessions.asked.includes("todo ses_1"),
		);
		assert.deepEqual(warnings.splice(0), ["catch-up is put off: no daemon"]);
		isThere = true;
		catchUp.compare();
		await until("the other is fetched too", () =>
			sessions.asked.includes("todo ses_2"),
		);
		await until("all is answered", () => sessions.idle);
	});

	it("brings in the history that OpenCode had before the plugin came", async () => {
		sessions.add("ses_1", "before", ["first answer", "second answer"]);
		catchUp.compare();
		await until("the session is stored", () => stored("ses_1") !== undefined);
		assert.equal(stored("ses_1")?.title, "before");
		await until("it is complete", () => sessions.asked.includes("todo ses_1"));
	});

	it("asks for nothing that is stored as OpenCode has it", async () => {
		sessions.add("ses_1", "known", []);
		observe(sessionCreated("ses_1", "known"));
		catchUp.compare();
		await until("the list was asked for", () => sessions.asked.length > 0);
		await until("it is done", () => pauses > 0 && sessions.idle);
		assert.deepEqual(sessions.asked, ["list"]);
	});

	it("lets an event win over an answer that was asked for before it", async () => {
		sessions.add("ses_1", "as answered", []);
		sessions.beforeAnswer = () => {
			core.observe(sessionUpdated("ses_1", "as told"), 1_790_000_000_600);
		};
		catchUp.want(["ses_1"]);
		await until("the session is stored", () => stored("ses_1") !== undefined);
		assert.equal(stored("ses_1")?.title, "as told");
	});

	it("marks a session as deleted that OpenCode has no more", async () => {
		sessions.add("ses_old", "still there", []);
		const old = sessionCreated("ses_old", "still there") as BirthEvent;
		old.properties.info.time.created -= 1000;
		observe(old, sessionCreated("ses_gone", "deleted meanwhile"));
		catchUp.compare();
		await until("it is a tombstone", () => {
			const deletedAt = stored("ses_gone")?.deletedAt;
			return deletedAt !== null && deletedAt !== undefined;
		});
		assert.equal(stored("ses_gone")?.title, null);
		assert.equal(stored("ses_old")?.deletedAt, null);
	});

	it("calls nothing deleted when OpenCode lists no session that it knows", async () => {
		observe(sessionCreated("ses_1", "of another home"));
		catchUp.compare();
		await until("the list was asked for", () => sessions.asked.length > 0);
		await until("it is done", () => sessions.idle);
		assert.equal(stored("ses_1")?.deletedAt, null);
		assert.deepEqual(sessions.asked, ["list"]);
	});

	it("stores nothing and calls nothing deleted when OpenCode answers errors", async () => {
		sessions.failing = true;
		observe(sessionCreated("ses_1", "known"));
		catchUp.compare();
		catchUp.want(["ses_2"]);
		await until("it was asked", () => sessions.asked.includes("get ses_2"));
		await until("it is done", () => sessions.idle);
		assert.equal(stored("ses_1")?.deletedAt, null);
		assert.equal(stored("ses_2"), undefined);
	});

	it("asks for nothing more once it has ended", async () => {
		sessions.add("ses_1", "before", []);
		catchUp.end();
		catchUp.compare();
		catchUp.want(["ses_1"]);
		await new Promise((resolve) => setImmediate(resolve));
		assert.deepEqual(sessions.asked, []);
	});
});

interface BirthEvent {
	type: string;
	properties: { info: { time: { created: number } } };
}
