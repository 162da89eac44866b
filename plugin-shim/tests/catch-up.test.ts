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
import { SqliteSink } from "../src/storage/sqlite.ts";
import { sessionCreated, sessionUpdated } from "./support/events.ts";
import { query } from "./support/query.ts";
import { ScriptedSessions } from "./support/scripted-sessions.ts";
import { until } from "./support/until.ts";

const { store } = loadCore();
const DIRECTORY = "/home/user/project";
const ORIGIN = "/home/user/.local/share/opencode/opencode.db";

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
			storedMessages: (id) => sink.storedMessages(id),
			inTurn: (work) => work(),
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
		assert.deepEqual(
			query(sink.target, "SELECT text_content AS text FROM messages"),
			[{ text: "first answer" }, { text: "second answer" }],
		);
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

	/** The messages that are stored, and those of them that are tombstones. */
	function messages(): string[] {
		return query(
			sink.target,
			"SELECT id, deleted_at FROM messages ORDER BY id",
		).map(({ id, deleted_at }) => `${id}${deleted_at === null ? "" : " gone"}`);
	}

	async function caughtUp(): Promise<void> {
		const before = sessions.asked.length;
		catchUp.compare();
		await until("it has asked", () => sessions.asked.length > before);
		let pausesBefore = -1;
		await until("it is done", () => {
			const isStill = sessions.idle && pauses === pausesBefore;
			pausesBefore = pauses;
			return isStill;
		});
	}

	/** Three messages, recorded; the second is removed while nobody looks. */
	async function removedMeanwhile(): Promise<void> {
		sessions.add("ses_1", "reverted", ["one", "two", "three"]);
		await caughtUp();
		assert.deepEqual(messages(), ["msg_ses_1_0", "msg_ses_1_1", "msg_ses_1_2"]);
		sessions.change("ses_1", (all) => all.splice(1, 1));
	}

	it("marks a message as removed that OpenCode has no more", async () => {
		await removedMeanwhile();
		await caughtUp();
		assert.deepEqual(messages(), [
			"msg_ses_1_0",
			"msg_ses_1_1 gone",
			"msg_ses_1_2",
		]);
		assert.ok(sessions.asked.includes("message msg_ses_1_1"));
		assert.ok(!sessions.asked.includes("message msg_ses_1_2"));
	});

	it("marks it too where the release answers a server error that says so", async () => {
		sessions.unfound = {
			error: {
				name: "UnknownError",
				data: { message: "Error: Message not found: msg_ses_1_1\n    at get" },
			},
			response: { status: 500 },
		};
		await removedMeanwhile();
		await caughtUp();
		assert.ok(messages().includes("msg_ses_1_1 gone"));
	});

	it("deletes a part that OpenCode has no more", async () => {
		sessions.add("ses_1", "a part less", ["one", "two"]);
		await caughtUp();
		sessions.change("ses_1", ([first]) => first?.parts.pop());
		await caughtUp();
		const parts = query(sink.target, "SELECT id FROM parts");
		assert.deepEqual(parts, [{ id: "prt_ses_1_1" }]);
		assert.deepEqual(messages(), ["msg_ses_1_0", "msg_ses_1_1"]);
	});

	it("calls no message removed that is left out of an answer and is there when asked for", async () => {
		sessions.add("ses_1", "long", ["one", "two", "three"]);
		await caughtUp();
		sessions.cutting = true;
		sessions.change("ses_1", () => {});
		await caughtUp();
		assert.deepEqual(messages(), ["msg_ses_1_0", "msg_ses_1_1", "msg_ses_1_2"]);
	});

	for (const [what, unfound] of Object.entries({
		"a path that nobody knows": { error: "", response: { status: 404 } },
		"a server error": {
			error: { name: "UnknownError", data: { message: "out of memory" } },
			response: { status: 500 },
		},
		"a page": { data: "<!doctype html>", response: { status: 200 } },
		nothing: { data: null, response: { status: 200 } },
	}))
		it(`calls no message removed where OpenCode answers ${what} for it, and asks again`, async () => {
			sessions.unfound = unfound;
			await removedMeanwhile();
			await caughtUp();
			const all = ["msg_ses_1_0", "msg_ses_1_1", "msg_ses_1_2"];
			assert.deepEqual(messages(), all);
			sessions.asked.length = 0;
			await caughtUp();
			assert.ok(sessions.asked.includes("message msg_ses_1_1"));
		});

	it("calls no message removed by an answer that is older than what is stored", async () => {
		sessions.add("ses_1", "of a copy", ["one", "two"]);
		await caughtUp();
		sessions.change("ses_1", (all) => all.pop(), -1);
		catchUp.want(["ses_1"]);
		await caughtUp();
		assert.deepEqual(messages(), ["msg_ses_1_0", "msg_ses_1_1"]);
		assert.ok(!sessions.asked.some((asked) => asked.startsWith("message ")));
	});

	it("asks again for a session whose messages could not be told", async () => {
		sessions.add("ses_1", "before", ["one"]);
		sessions.failingMessages = true;
		await caughtUp();
		assert.equal(stored("ses_1")?.title, "before");
		sessions.failingMessages = false;
		await caughtUp();
		assert.deepEqual(messages(), ["msg_ses_1_0"]);
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
