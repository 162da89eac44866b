import assert from "node:assert/strict";
import { existsSync, mkdirSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, it } from "node:test";
import type { BusEvent } from "../src/hosts/host.ts";
import type { Context } from "../src/hosts/opencode2.ts";
import { type CleanUp, setup } from "../src/setup.ts";
import { connect } from "../src/storage/connection.ts";
import { DIRECTORY, Speaker } from "./support/events2.ts";
import { RELEASE, ScriptedOpenCode2 } from "./support/opencode2.ts";
import { runAll } from "./support/processes.ts";
import { queryMeanwhile, type Row } from "./support/query.ts";
import { newDatabasePath, temporaryFolder } from "./support/temporary.ts";
import { type Told, troubleIn } from "./support/trouble.ts";
import { until } from "./support/until.ts";

for (const name of Object.keys(process.env))
	if (name.startsWith("CLANKERS_")) delete process.env[name];

describe("`setup`, as OpenCode 2 calls it", () => {
	let dbPath: string;
	let opencode: ScriptedOpenCode2;

	beforeEach(() => {
		dbPath = newDatabasePath();
		opencode = new ScriptedOpenCode2();
	});

	/** An instance of the plugin, in this directory. */
	function begin(directory?: string): CleanUp {
		const cleanUp = setup(opencode.context({ dbPath }, directory));
		assert.ok(cleanUp);
		return cleanUp;
	}

	const rows = (sql: string): Row[] => queryMeanwhile(dbPath, sql);
	const titles = (): unknown[] =>
		rows("SELECT title FROM sessions ORDER BY id").map(({ title }) => title);
	const texts = (): unknown[] =>
		rows(
			"SELECT text_content FROM messages WHERE role = 'assistant' ORDER BY id",
		).map(({ text_content }) => text_content);

	it("does nothing where there is no stream of events", () => {
		const contexts: unknown[] = [
			...[undefined, null, {}, { event: null }, { event: {} }],
			{ event: { subscribe: "soon" } },
		];
		for (const context of contexts)
			assert.equal(setup(context as Context), undefined);
	});

	it("returns at once, and listens by then", async () => {
		const cleanUp = setup(opencode.context({ dbPath }));
		assert.equal(typeof cleanUp, "function");
		assert.equal(opencode.open, 1);
		await cleanUp?.();
		assert.equal(opencode.open, 0);
	});

	it("never throws, whatever it is given", async () => {
		const no = (): never => {
			throw new Error("not today");
		};
		const contexts: unknown[] = [
			new Proxy({}, { get: no }),
			{ event: new Proxy({}, { get: no }) },
			{ event: { subscribe: no }, options: { dbPath: 7, storage: [] } },
			{ event: { subscribe: () => 7 }, location: 7, session: 7 },
			{ event: { subscribe: () => ({ [Symbol.asyncIterator]: no }) } },
		];
		for (const context of contexts) {
			const options = { dbPath };
			const given = Object.assign(context as object, { options });
			await setup(given as Context)?.();
		}
		// A rejected promise that nobody caught would end the process here.
		await new Promise((resolve) => setTimeout(resolve, 0));
	});

	it("records a conversation", async () => {
		const cleanUp = begin();
		const one = new Speaker("ses_1");
		opencode.tell(
			one.created("one"),
			one.prompt("msg_1", "Say hello."),
			one.begin("msg_2"),
			one.delta("msg_2", "Hello"),
			one.delta("msg_2", " there."),
			one.end("msg_2", "Hello there."),
		);
		await until("it is stored", () => texts()[0] === "Hello there.");
		await cleanUp();
		assert.deepEqual(titles(), ["one"]);
		assert.deepEqual(
			rows("SELECT role, text_content FROM messages ORDER BY id"),
			[
				{ role: "user", text_content: "Say hello." },
				{ role: "assistant", text_content: "Hello there." },
			],
		);
		assert.deepEqual(rows("SELECT cost FROM usage"), [{ cost: 0.5 }]);
		assert.deepEqual(rows("SELECT * FROM rejections"), []);
	});

	it("stores what is left before the clean-up gives way to anything else", async () => {
		const cleanUp = begin();
		const one = new Speaker("ses_1");
		opencode.tell(
			one.created("one"),
			one.begin("msg_2"),
			one.delta("msg_2", "Half an ans"),
		);
		await heard();
		const deadline = performance.now() + 10_000;
		const done = cleanUp();
		// OpenCode stands still meanwhile.
		const text = (): unknown => rows("SELECT text FROM parts")[0]?.["text"];
		while (text() !== "Half an ans") assert.ok(performance.now() < deadline);
		assert.deepEqual(titles(), ["one"]);
		await done;
	});

	it("asks at its end for what events left incomplete, and listens meanwhile", async () => {
		const cleanUp = begin();
		const one = new Speaker("ses_1");
		one.created("not heard");
		opencode.tell(one.begin("msg_2"), one.end("msg_2", "Hello."));
		await heard();
		const location = { directory: DIRECTORY };
		const time = { created: 1_790_000_000_000, updated: 2e12 };
		const info = { id: "ses_1", title: "as answered", location, time };
		opencode.keep("ses_1", info, []);
		const done = cleanUp();
		opencode.tell(one.prompt("msg_3", "Last words."));
		await done;
		assert.deepEqual(titles(), ["as answered"]);
		assert.deepEqual(
			rows("SELECT text_content FROM messages WHERE role = 'user'"),
			[{ text_content: "Last words." }],
		);
		assert.equal(opencode.open, 0);
	});

	it("asks for nothing where another instance of the directory stays", async () => {
		const [first, second] = [begin(), begin()];
		opencode.tell(new Speaker("ses_1").begin("msg_2"));
		await heard();
		await first();
		assert.deepEqual(opencode.asked, []);
		await second();
		assert.deepEqual(opencode.asked, ["get ses_1"]);
	});

	it("records each event once, however many instances hear it", async () => {
		const cleanUps = [begin(), begin(), begin("/home/user/other")];
		const one = new Speaker("ses_1");
		opencode.tell(
			one.created("one"),
			one.begin("msg_2"),
			one.delta("msg_2", "On"),
			one.delta("msg_2", "ce"),
		);
		await heard();
		for (const cleanUp of cleanUps) await cleanUp();
		assert.deepEqual(rows("SELECT text FROM parts"), [{ text: "Once" }]);
		assert.deepEqual(rows("SELECT * FROM rejections"), []);
	});

	it("records each directory's events where each instance hears its own only", async () => {
		const other = new ScriptedOpenCode2();
		const context = other.context({ dbPath }, "/home/user/other");
		const cleanUps = [begin(), setup(context)];
		opencode.tell(new Speaker("ses_1").created("one"));
		other.tell(new Speaker("ses_2", "/home/user/other").created("two"));
		await heard();
		for (const cleanUp of cleanUps) await cleanUp?.();
		assert.deepEqual(titles(), ["one", "two"]);
	});

	it("records without a gap while instances come and go", async () => {
		const one = new Speaker("ses_1");
		const first = begin();
		opencode.tell(
			one.created("one"),
			one.begin("msg_2"),
			one.delta("msg_2", "a"),
		);
		await heard();
		const second = begin();
		opencode.tell(one.delta("msg_2", "b"));
		await heard();
		await first();
		opencode.tell(one.delta("msg_2", "c"));
		await heard();
		const third = begin("/home/user/other");
		await second();
		opencode.tell(one.delta("msg_2", "d"));
		await heard();
		await third();
		assert.deepEqual(rows("SELECT text FROM parts"), [{ text: "abcd" }]);
	});

	it("records on when the last instance has left and another comes", async () => {
		const one = new Speaker("ses_1");
		const first = begin();
		opencode.tell(one.created("one"));
		await heard();
		await first();
		const second = begin();
		opencode.tell(one.renamed("renamed"));
		await heard();
		await second();
		assert.deepEqual(titles(), ["renamed"]);
	});

	it("goes on after the stream has ended or broken", async () => {
		const cleanUp = begin();
		const one = new Speaker("ses_1");
		opencode.tell(one.created("one"));
		await heard();
		for (const [error, title] of [
			[new Error("an event could not be encoded"), "after it broke"],
			[undefined, "after it ended"],
		] as const) {
			opencode.break(error);
			await until("it listens again", () => opencode.open === 1);
			opencode.tell(one.renamed(title));
			await until("it is stored", () => titles()[0] === title);
		}
		await cleanUp();
	});

	it("asks for what it missed while the stream was broken", async () => {
		const cleanUp = begin();
		const one = new Speaker("ses_1");
		opencode.tell(one.created("one"), one.prompt("msg_1", "Hello."));
		opencode.tell(one.begin("msg_2"));
		await heard();
		const location = { directory: DIRECTORY };
		const info = {
			...{ id: "ses_1", projectID: "global", title: "renamed", location },
			...{ cost: 0.5, time: { created: 1_790_000_000_000, updated: 2e12 } },
		};
		opencode.keep("ses_1", info, []);
		opencode.break();
		await until("it listens again", () => opencode.open === 1);
		await until("the session is read", () => titles()[0] === "renamed");
		await cleanUp();
	});

	/** What the plugin has said of trouble, without what is the same in all lines. */
	const trouble = (): string[] =>
		troubleIn(`${dbPath}.log`).map((line: Told) => {
			assert.equal(line.database, dbPath);
			assert.equal(line.release, RELEASE);
			const message = line.message.replaceAll(dbPath, "DB");
			return `${line.level} ${line.about}: ${message}`;
		});

	const ofStorage = (): string[] =>
		trouble().filter((line) => line.includes(" storage: "));

	it("says in a file that nothing is recorded, and once all of it is", async () => {
		const one = new Speaker("ses_1");
		mkdirSync(join(dbPath, ".."));
		const newer = connect(dbPath);
		newer.exec("CREATE TABLE later (id TEXT); PRAGMA user_version = 999");
		newer.close();
		const cleanUp = begin();
		for (let turn = 0; turn < 10; turn++) opencode.tell(one.created("one"));
		await until("it is told", () => ofStorage().length > 0);
		const [told, ...others] = ofStorage();
		assert.match(
			String(told),
			/^error storage: nothing is recorded: `DB`: it was written by a newer clankers \(schema 999/,
		);
		assert.deepEqual(others, []);
		rmSync(dbPath);
		await until("it is over", () => ofStorage().length > 1);
		assert.deepEqual(ofStorage().slice(1), [
			"info storage: storing again to `DB`",
		]);
		assert.deepEqual(titles(), ["one"]);
		await cleanUp();
	});

	it("says in a file that what it heard is not stored yet, and once it is", async () => {
		const one = new Speaker("ses_1");
		mkdirSync(dbPath, { recursive: true });
		const cleanUp = begin();
		opencode.tell(one.created("one"), one.begin("msg_2"));
		await until("a few attempts have failed", () => ofStorage().length > 1);
		rmdirSync(dbPath);
		await until("it is over", () => ofStorage().length > 2);
		assert.deepEqual(titles(), ["one"]);
		await cleanUp();
		const notYet =
			"storage: not stored yet, will be tried again: `DB`: it is no file";
		assert.deepEqual(ofStorage(), [
			...[`warn ${notYet}`, `error ${notYet}`],
			"info storage: storing again to `DB`",
		]);
	});

	it("says in a file that it may have missed something, and once it has asked for it", async () => {
		const cleanUp = begin();
		opencode.tell(new Speaker("ses_1").created("one"));
		await heard();
		opencode.break(new Error("what the model wrote"));
		await until("it is over", () => trouble().length > 1);
		await cleanUp();
		assert.deepEqual(trouble(), [
			"warn events: OpenCode's stream of events broke and was opened again: what it told meanwhile is asked for",
			"info events: what was missed is here",
		]);
	});

	it("says in a file that it hears nothing, and once it does", async () => {
		const one = new Speaker("ses_1");
		const context = opencode.context({ dbPath });
		const { event } = context;
		let isDeaf = true;
		const subscribe = (): AsyncIterable<BusEvent> => {
			if (isDeaf) throw new Error("no stream today");
			return event?.subscribe?.() ?? assert.fail("there is a stream");
		};
		const cleanUp = setup({ ...context, event: { subscribe } });
		await until("it is told", () => trouble().length > 0);
		isDeaf = false;
		await until("it listens", () => opencode.open > 0);
		opencode.tell(one.created("one"));
		await until("it is over", () => trouble().some((line) => line === HEARD));
		await cleanUp?.();
		assert.equal(
			trouble()[0],
			"error stream: nothing is recorded: OpenCode's stream of events cannot be followed",
		);
	});

	it("says in a file which setting it does not use, until it is put right", async () => {
		await setup(opencode.context({ dbPath, onDelete: "forget" }))?.();
		await setup(opencode.context({ dbPath }))?.();
		await setup(opencode.context({ dbPath }))?.();
		assert.deepEqual(trouble(), [
			"warn settings: `onDelete`: expected `tombstone`, `keep`, `purge`, found `forget`; it is not used",
			"info settings: every setting is used",
		]);
	});

	it("says nothing in a file where it is not to, nor where all is well", async () => {
		mkdirSync(dbPath, { recursive: true });
		const options = { dbPath, logLevel: "off", onDelete: "forget" };
		const cleanUp = setup(opencode.context(options));
		opencode.tell(new Speaker("ses_1").created("one"));
		await heard();
		await cleanUp?.();
		rmdirSync(dbPath);
		const again = begin();
		opencode.tell(new Speaker("ses_1").created("one"));
		await until("it is stored", () => titles().length > 0);
		await again();
		assert.equal(existsSync(`${dbPath}.log`), false);
	});

	it("stores what is left when the process ends without a clean-up", async () => {
		const [output] = await runAll([[child("record-and-exit2.ts")]], {
			CLANKERS_DB_PATH: dbPath,
		});
		assert.equal(output, "");
		assert.deepEqual(titles(), ["last words"]);
	});

	it("prints nothing, and says what is wrong where it can", async () => {
		const state = temporaryFolder();
		const [output] = await runAll([[child("record-and-exit2.ts")]], {
			CLANKERS_DB_PATH: "relative, and not a path at all",
			CLANKERS_DATA_PATH: "/proc/nowhere",
			XDG_STATE_HOME: state,
		});
		assert.equal(output, "");
		const told = troubleIn(join(state, "clankers", "trouble.log"));
		assert.deepEqual([...new Set(told.map(({ about }) => about))].sort(), [
			...["settings", "storage"],
		]);
	});
});

const HEARD = "info stream: OpenCode tells its events again";

/** Every instance has taken what it was told. */
async function heard(): Promise<void> {
	for (let turn = 0; turn < 20; turn++)
		await new Promise((resolve) => setImmediate(resolve));
}

function child(name: string): string {
	return join(import.meta.dirname, "support", name);
}
