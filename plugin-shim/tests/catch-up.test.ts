/** Catch-up against a scripted OpenCode API, the real core and a real database. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { StoredSession } from "../../pkg/clankers.js";
import { CatchUp } from "../src/catch-up.ts";
import { loadCore, SurvivingCore } from "../src/core.ts";
import type { Answer, HostRequest } from "../src/hosts/host.ts";
import { HostLog } from "../src/hosts/host-log.ts";
import { OpenCode1Host } from "../src/hosts/opencode1.ts";
import { SqliteSink } from "../src/storage/sqlite.ts";
import {
	sessionCreated,
	sessionIdle,
	sessionUpdated,
	textDelta,
} from "./support/events.ts";
import { query } from "./support/query.ts";
import { ScriptedSessions } from "./support/scripted-sessions.ts";
import { until } from "./support/until.ts";

const { store } = loadCore();
const DIRECTORY = "/home/user/project";
const STORE = "store-of-home";
/** After the host has started. */
const SETTLE_MS = 500;
/** How long a host that is about to go is asked. */
const LAST_MS = 1000;

describe("catch-up", () => {
	let folder: string;
	let sink: SqliteSink;
	let core: SurvivingCore;
	let sessions: ScriptedSessions;
	let catchUp: CatchUp;
	let pauses: number;
	/** Pauses that do not end by themselves, by their milliseconds; the test ends them. */
	let held: Map<number, () => void>;
	let warnings: string[];
	let timesCaughtUp: number;
	let timesBehind: number;
	let host: HostOfStore;

	beforeEach(() => {
		folder = mkdtempSync(join(tmpdir(), "clankers-catch-up-"));
		const path = join(folder, "clankers.db");
		sink = new SqliteSink({ path, inOwnFolder: false }, store);
		core = new SurvivingCore({ storeId: STORE }, (error) => {
			throw error;
		});
		sessions = new ScriptedSessions();
		pauses = 0;
		held = new Map();
		warnings = [];
		timesCaughtUp = 0;
		timesBehind = 0;
		catchUp = new CatchUp({
			core,
			stored: async (request) => sink.stored(request),
			changed: () => drain(),
			halted: (message) => warnings.push(message),
			stillHalted: () => {},
			ended: (isWhole) => {
				if (isWhole) timesCaughtUp += 1;
				else timesBehind += 1;
			},
			pause: async (milliseconds) => {
				pauses += 1;
				if (!held.has(milliseconds)) return;
				await new Promise<void>((resolve) => held.set(milliseconds, resolve));
			},
			now: () => 1_790_000_001_000,
		});
		host = new HostOfStore(sessions.client, DIRECTORY, new HostLog(undefined));
		host.storeId = STORE;
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
		const rows = sink.stored({
			kind: "storedSessions",
			directory: DIRECTORY,
			ids: [id],
			storeId: STORE,
		}) as StoredSession[];
		return rows.find((session) => session.id === id);
	}

	/** Compares, and fetches these whatever the comparison says. */
	function compare(...ids: string[]): void {
		catchUp.join(host);
		if (ids.length > 0) catchUp.compareAll(ids);
	}

	it("is put off, and goes on with single sessions, where what is stored cannot be told", async () => {
		sessions.add("ses_1", "one", []);
		sessions.add("ses_2", "two", []);
		let isThere = false;
		const real = sink.stored.bind(sink);
		sink.stored = (request) => {
			if (!isThere) throw new Error("no daemon");
			return real(request);
		};
		compare("ses_1");
		await until("the session is fetched", () =>
			sessions.asked.includes("todo ses_1"),
		);
		assert.deepEqual(warnings.splice(0), ["catch-up is put off: no daemon"]);
		// It comes to its end, and does not say that it has caught up.
		for (let turn = 0; turn < 20; turn++)
			await new Promise((resolve) => setImmediate(resolve));
		assert.equal(timesCaughtUp, 0);
		isThere = true;
		compare();
		await until("the other is fetched too", () =>
			sessions.asked.includes("todo ses_2"),
		);
		await until("it says that it is done", () => timesCaughtUp === 1);
		await until("all is answered", () => sessions.idle);
	});

	it("makes up for what it put off, once what is stored can be told", async () => {
		sessions.add("ses_1", "one", []);
		const real = sink.stored.bind(sink);
		sink.stored = () => {
			throw new Error("no daemon");
		};
		compare();
		await until("it is put off", () => warnings.splice(0).length > 0);
		sink.stored = real;
		catchUp.resume();
		await until("it is made up for", () => timesCaughtUp === 1);
		assert.equal(stored("ses_1")?.title, "one");
		catchUp.resume();
		for (let turn = 0; turn < 20; turn++)
			await new Promise((resolve) => setImmediate(resolve));
		assert.equal(timesCaughtUp, 1);
	});

	it("has caught up on what it asked for in vain only once all is compared", async () => {
		sessions.add("ses_1", "one", ["words"]);
		sessions.add("ses_2", "two", []);
		sessions.failingMessages = true;
		compare();
		await until("it ends in vain", () => timesBehind === 1);
		sessions.failingMessages = false;
		// A look at the other session alone says nothing of what is missing.
		observe(textDelta("ses_2", "msg_9", "prt_9", "unheard"));
		sessions.asked.length = 0;
		catchUp.fetchWanted(DIRECTORY);
		await until("the other is asked for", () =>
			sessions.asked.includes("messages ses_2"),
		);
		await until("nothing is asked any more", () => sessions.idle);
		for (let turn = 0; turn < 20; turn++)
			await new Promise((resolve) => setImmediate(resolve));
		assert.equal(timesCaughtUp, 0);
		compare();
		await until("all is here", () => timesCaughtUp === 1);
	});

	it("brings in the history that OpenCode had before the plugin came", async () => {
		sessions.add("ses_1", "before", ["first answer", "second answer"]);
		await caughtUp();
		assert.equal(stored("ses_1")?.title, "before");
		assert.deepEqual(
			query(sink.target, "SELECT text_content AS text FROM messages"),
			[{ text: "first answer" }, { text: "second answer" }],
		);
	});

	it("gives the core a long list in slices, and lets OpenCode work in between", async () => {
		const ids = Array.from({ length: 620 }, (_, at) => `ses_${at}`);
		for (const id of ids) sessions.add(id, `title of ${id}`, []);
		const given: number[] = [];
		const { answer } = core;
		core.answer = function (outcome, value, now) {
			const isList = Array.isArray(value) && value.length > 1;
			if (isList && given.length < 3) {
				given.push(value.length);
				if (outcome === "beginning") pauses = 0;
				else assert.equal(pauses, 1);
			}
			return answer.call(this, outcome, value, now);
		};
		await caughtUp();
		assert.deepEqual(given, [250, 250, 120]);
		for (const id of ids) assert.equal(stored(id)?.title, `title of ${id}`);
		assert.deepEqual(
			sessions.asked.filter((what) => what === "list"),
			["list"],
		);
	});

	it("asks for nothing that is stored as OpenCode has it", async () => {
		sessions.add("ses_1", "known", []);
		observe(sessionCreated("ses_1", "known"));
		observe(sessionIdle("ses_1"));
		compare();
		await until("the list was asked for", () => sessions.asked.length > 0);
		await until("it is done", () => pauses > 0 && sessions.idle);
		assert.deepEqual(sessions.asked, ["list"]);
	});

	it("lets an event win over an answer that was asked for before it", async () => {
		sessions.add("ses_1", "as answered", []);
		// This test's: an answer may still come when the next one has begun.
		const own = core;
		sessions.beforeAnswer = () => {
			own.observe(sessionUpdated("ses_1", "as told"), 1_790_000_000_600);
		};
		compare("ses_1");
		await until("the session is stored", () => stored("ses_1") !== undefined);
		assert.equal(stored("ses_1")?.title, "as told");
	});

	it("marks a session as missing that OpenCode has no more, with its content", async () => {
		observe(sessionCreated("ses_gone", "lost meanwhile"));
		compare();
		await until("it is missing", () => {
			const since = stored("ses_gone")?.missingSince;
			return since !== null && since !== undefined;
		});
		assert.equal(stored("ses_gone")?.title, "lost meanwhile");
		assert.equal(stored("ses_gone")?.deletedAt, null);
		assert.deepEqual(sessions.asked, ["list", "get ses_gone"]);
	});

	it("calls nothing missing where it is in doubt which store answers", async () => {
		observe(sessionCreated("ses_1", "of another home"));
		host.storeId = undefined;
		compare();
		await until("the list was asked for", () => sessions.asked.length > 0);
		await until("it is done", () => sessions.idle);
		assert.equal(stored("ses_1")?.missingSince, null);
		assert.deepEqual(sessions.asked, ["list"]);
	});

	it("brings in a long session of a release that answers with all of it at once", async () => {
		const texts = Array.from({ length: 400 }, (_, at) => `text ${at}`);
		sessions.add("ses_long", "long", texts);
		await caughtUp();
		assert.equal(messages().length, texts.length);
		const asked = sessions.asked.filter((one) => one === "messages ses_long");
		assert.equal(asked.length, 1);
	});

	/** The messages that are stored, and those of them that are missing. */
	function messages(): string[] {
		return query(
			sink.target,
			"SELECT id, missing_since AS since FROM messages WHERE deleted_at IS NULL ORDER BY id",
		).map(({ id, since }) => `${id}${since === null ? "" : " missing"}`);
	}

	async function caughtUp(): Promise<void> {
		const before = sessions.asked.length;
		compare();
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

	it("marks a message as missing that OpenCode has no more", async () => {
		await removedMeanwhile();
		await caughtUp();
		assert.deepEqual(messages(), [
			"msg_ses_1_0",
			"msg_ses_1_1 missing",
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
		assert.ok(messages().includes("msg_ses_1_1 missing"));
	});

	it("marks a part as missing that OpenCode has no more", async () => {
		sessions.add("ses_1", "a part less", ["one", "two"]);
		await caughtUp();
		sessions.change("ses_1", ([first]) => first?.parts.pop());
		await caughtUp();
		const parts = query(
			sink.target,
			"SELECT id, text FROM parts WHERE missing_since IS NOT NULL",
		);
		assert.deepEqual(parts, [{ id: "prt_ses_1_0", text: "one" }]);
		assert.deepEqual(messages(), ["msg_ses_1_0", "msg_ses_1_1"]);
	});

	it("calls no message missing that is left out of an answer and is there when asked for", async () => {
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
		it(`calls no message missing where OpenCode answers ${what} for it, and asks again`, async () => {
			sessions.unfound = unfound;
			await removedMeanwhile();
			await caughtUp();
			const all = ["msg_ses_1_0", "msg_ses_1_1", "msg_ses_1_2"];
			assert.deepEqual(messages(), all);
			sessions.asked.length = 0;
			await caughtUp();
			assert.ok(sessions.asked.includes("message msg_ses_1_1"));
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

	it("stores nothing and calls nothing missing when OpenCode answers errors", async () => {
		sessions.failing = true;
		observe(sessionCreated("ses_1", "known"));
		compare("ses_2");
		await until("it was asked", () => sessions.asked.includes("get ses_2"));
		await until("it is done", () => sessions.idle);
		assert.equal(stored("ses_1")?.missingSince, null);
		assert.equal(stored("ses_2"), undefined);
	});

	/** A session of which events told a part, and a history; neither is asked for yet. */
	async function before(): Promise<void> {
		for (const milliseconds of [SETTLE_MS, LAST_MS])
			held.set(milliseconds, () => {});
		sessions.add("ses_met", "met", ["one"]);
		sessions.add("ses_old", "old", ["one"]);
		observe(sessionIdle("ses_met"));
		compare();
		await new Promise((resolve) => setImmediate(resolve));
		assert.deepEqual(sessions.asked, []);
	}

	it("asks a host that is about to go at once, and only for what events left incomplete", async () => {
		await before();
		await catchUp.finish(DIRECTORY);
		assert.deepEqual(sessions.asked, [
			...["get ses_met", "todo ses_met", "messages ses_met"],
		]);
		assert.equal(stored("ses_met")?.title, "met");
		assert.notEqual(stored("ses_met")?.wholeAt, null);
		// The history was not asked for.
		assert.equal(timesCaughtUp, 0);
	});

	it("waits for a host that is about to go no longer than a second", async () => {
		await before();
		const { session } = sessions.client;
		session.get = () => new Promise(() => {});
		let isOver = false;
		const over = catchUp.finish(DIRECTORY).then(() => {
			isOver = true;
		});
		for (let turn = 0; turn < 20; turn++)
			await new Promise((resolve) => setImmediate(resolve));
		assert.equal(isOver, false);
		held.get(LAST_MS)?.();
		await over;
	});

	it("has nothing to ask a host that is about to go where events told all", async () => {
		held.set(SETTLE_MS, () => {});
		observe(sessionCreated("ses_1", "told"));
		compare();
		await catchUp.finish(DIRECTORY);
		catchUp.leave(DIRECTORY);
		await catchUp.finish(DIRECTORY);
		assert.deepEqual(sessions.asked, []);
	});

	it("compares where another host of the directory comes meanwhile", async () => {
		await before();
		sessions.beforeAnswer = () => {
			sessions.beforeAnswer = () => {};
			catchUp.join(host);
		};
		await catchUp.finish(DIRECTORY);
		await until("all is there", () => stored("ses_old")?.title === "old");
	});

	it("asks for nothing more once it has ended", async () => {
		sessions.add("ses_1", "before", []);
		catchUp.end();
		compare("ses_1");
		await new Promise((resolve) => setImmediate(resolve));
		assert.deepEqual(sessions.asked, []);
	});
});

/** OpenCode 1.x, of which a test says which store it works on. */
class HostOfStore extends OpenCode1Host {
	storeId: string | undefined;

	override async ask(request: HostRequest): Promise<Answer> {
		if (request.kind !== "store") return super.ask(request);
		return this.storeId === undefined
			? { outcome: "none" }
			: { outcome: "found", value: this.storeId };
	}
}
