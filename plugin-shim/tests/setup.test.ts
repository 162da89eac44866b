import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, it } from "node:test";
import type { Context } from "../src/hosts/opencode2.ts";
import { type CleanUp, setup } from "../src/setup.ts";
import { DIRECTORY, Speaker } from "./support/events2.ts";
import { ScriptedOpenCode2 } from "./support/opencode2.ts";
import { runAll } from "./support/processes.ts";
import { query, type Row } from "./support/query.ts";
import { newDatabasePath } from "./support/temporary.ts";
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

	const rows = (sql: string): Row[] =>
		existsSync(dbPath) ? query(dbPath, sql) : [];
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
		const done = cleanUp();
		assert.deepEqual(titles(), ["one"]);
		assert.deepEqual(rows("SELECT text FROM parts"), [{ text: "Half an ans" }]);
		await done;
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

	it("stores what is left when the process ends without a clean-up", async () => {
		const [output] = await runAll([[child("record-and-exit2.ts")]], {
			CLANKERS_DB_PATH: dbPath,
		});
		assert.equal(output, "");
		assert.deepEqual(titles(), ["last words"]);
	});

	it("prints nothing", async () => {
		const [output] = await runAll([[child("record-and-exit2.ts")]], {
			CLANKERS_DB_PATH: "relative, and not a path at all",
			CLANKERS_DATA_PATH: "/proc/nowhere",
		});
		assert.equal(output, "");
	});
});

/** Every instance has taken what it was told. */
async function heard(): Promise<void> {
	for (let turn = 0; turn < 20; turn++)
		await new Promise((resolve) => setImmediate(resolve));
}

function child(name: string): string {
	return join(import.meta.dirname, "support", name);
}
