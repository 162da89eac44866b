import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { beforeEach, describe, it } from "node:test";
import type { Answer } from "../../src/hosts/host.ts";
import {
	OwnDatabase,
	type Page,
	readSessions,
} from "../../src/hosts/own-database.ts";
import { insert, makeDatabase } from "../support/own-database.ts";
import { newDatabasePath } from "../support/temporary.ts";

// No core is made here: OpenCode 2 evaluates the plugin once for each directory,
// and only the first of them makes one.
describe("OpenCode 2's database", () => {
	let path: string;

	beforeEach(() => {
		path = newDatabasePath();
		mkdirSync(dirname(path), { recursive: true });
	});

	/** What is read of it, through a connection of its own. */
	function read<Result>(work: (db: OwnDatabase) => Result): Result {
		const db = OwnDatabase.open(path, "opencode2");
		assert.ok(db);
		try {
			return work(db);
		} finally {
			db.close();
		}
	}

	/** Its messages, page by page, none of which is empty where more come. */
	function messagesOf(session: string): unknown[] {
		return read((open) => {
			const items: unknown[] = [];
			let page: string | null = null;
			do {
				const given = open.messages(session, page);
				assert.ok(given.items.length <= 10);
				assert.ok(given.items.length > 0 || given.next === null);
				items.push(...given.items);
				page = given.next;
			} while (page !== null);
			return items;
		});
	}

	it("lists the sessions of a directory, and knows who made one", () => {
		const db = makeDatabase(path, { two: true });
		insert(db, "session_v2", "ses_1", "/a", null, "2.0.15", 0.5, 1, 2, null);
		insert(db, "session_v2", "ses_2", "/b", "b", "1.18.34", 0, 3, 4, 5);
		db.close();
		assert.deepEqual(
			read((open) => [...open.sessions("/a"), ...open.sessions("/b")]),
			[
				{
					id: "ses_1",
					title: null,
					cost: 0.5,
					time: { created: 1, updated: 2 },
				},
				{
					id: "ses_2",
					title: "b",
					cost: 0,
					time: { created: 3, updated: 4, archived: 5 },
				},
			],
		);
		const version = (id: string): unknown => read((open) => open.version(id));
		assert.deepEqual(["ses_2", "ses_3"].map(version), ["1.18.34", undefined]);
	});

	it("gives messages in pages, each once", () => {
		const db = makeDatabase(path, { two: true });
		const ids = Array.from({ length: 60 }, (_, at) => `msg_${100 + at}`);
		for (const [at, id] of ids.entries())
			insert(db, "session_message", id, "ses_1", "user", at, at, { text: id });
		insert(db, "session_message", "msg_9", "ses_2", "user", 0, 0, {});
		db.close();
		const all = messagesOf("ses_1");
		const expected = ids.map((id, seq) => ({
			id,
			type: "user",
			seq,
			text: id,
		}));
		assert.deepEqual(all, expected);
		assert.deepEqual(
			read((open) => open.messages("ses_9", null)),
			{
				items: [],
				next: null,
			},
		);
	});

	it("gives what OpenCode 1 wrote as that would", () => {
		const db = makeDatabase(path, { one: true, two: true });
		insert(db, "message", "msg_1", "ses_1", 1, { role: "user" });
		insert(db, "part", "prt_1", "msg_1", "ses_1", { type: "text", text: "a" });
		insert(db, "part", "prt_2", "msg_1", "ses_1", { type: "file" });
		insert(db, "message", "msg_2", "ses_1", 2, { role: "assistant" });
		insert(db, "todo", "ses_1", "Pour", "pending", "high", 0);
		insert(db, "session_message", "msg_1", "ses_1", "user", 4, 0, {});
		insert(db, "session_message", "msg_3", "ses_1", "user", 9, 0, {
			text: "b",
		});
		db.close();
		const ids = { sessionID: "ses_1", messageID: "msg_1" };
		const first = {
			info: { id: "msg_1", sessionID: "ses_1", role: "user" },
			parts: [
				{ id: "prt_1", ...ids, type: "text", text: "a" },
				{ id: "prt_2", ...ids, type: "file" },
			],
			seq: 4,
		};
		const second = {
			info: { id: "msg_2", sessionID: "ses_1", role: "assistant" },
			parts: [],
		};
		const third = { id: "msg_3", type: "user", seq: 9, text: "b" };
		assert.deepEqual(messagesOf("ses_1"), [first, second, third]);
		const one = (id: string): unknown =>
			read((open) => open.message("ses_1", id));
		assert.deepEqual(["msg_1", "msg_3", "msg_4"].map(one), [
			first,
			third,
			undefined,
		]);
		const todo = { content: "Pour", status: "pending", priority: "high" };
		assert.deepEqual(
			read((open) => ["ses_1", "ses_2"].map((id) => open.todos(id))),
			[[todo], undefined],
		);
	});

	it("ends a page where its documents are long, and gives each message once", () => {
		const KIB = 1024;
		const lengths = [1, 100, 100, 100, 3000, 1, 250, 1, 1, 300, 300, 1];
		const expected = [
			[1, 100, 100],
			[100],
			[3000],
			[1, 250, 1, 1],
			[300],
			[300],
			[1],
		];
		const pagesOf = (ofItem: (item: never) => string): number[][] =>
			read((open) => {
				const pages: number[][] = [];
				let page: string | null = null;
				do {
					const { items, next }: Page = open.messages("ses_1", page);
					if (items.length > 0)
						pages.push(items.map((item) => ofItem(item as never).length / KIB));
					page = next;
				} while (page !== null);
				return pages;
			});
		const db = makeDatabase(path, { two: true });
		for (const [at, kib] of lengths.entries())
			insert(db, "session_message", `msg_${10 + at}`, "ses_1", "user", at, at, {
				text: "x".repeat(kib * KIB),
			});
		db.close();
		assert.deepEqual(
			pagesOf(({ text }: { text: string }) => text),
			expected,
		);
		// What OpenCode 1 wrote has its length in its parts.
		path = newDatabasePath();
		mkdirSync(dirname(path), { recursive: true });
		const one = makeDatabase(path, { one: true, two: true });
		for (const [at, kib] of lengths.entries()) {
			const id = `msg_${10 + at}`;
			insert(one, "message", id, "ses_1", at, {});
			const text = "x".repeat(kib * KIB);
			insert(one, "part", `prt_${at}`, id, "ses_1", { type: "text", text });
		}
		one.close();
		assert.deepEqual(
			pagesOf(({ parts }: { parts: { text: string }[] }) =>
				parts.map(({ text }) => text).join(""),
			),
			expected,
		);
	});

	it("lists the sessions of a directory page by page, each once, while others have their turn", async () => {
		const db = makeDatabase(path, { two: true });
		db.exec("BEGIN");
		const ids = Array.from({ length: 1100 }, (_, at) => `ses_${1000 + at}`);
		for (const id of ids.toReversed())
			for (const [of, directory] of [
				["", "/a"],
				["_b", "/b"],
			] as const)
				insert(
					db,
					"session_v2",
					id + of,
					directory,
					"",
					"2.0.15",
					0,
					1,
					1,
					null,
				);
		db.exec("COMMIT");
		db.close();
		const pages = read((open) => {
			const first = open.sessions("/a");
			return [first, open.sessions("/a", first.at(-1)?.id)];
		});
		assert.deepEqual(
			pages.map((page) => page.length),
			[500, 500],
		);
		let turns = 0;
		const counting = setInterval(() => {
			turns += 1;
		}, 0);
		const environment = { OPENCODE_DB: path };
		const place = { program: "opencode", environment };
		const none = async (): Promise<Answer> => ({ outcome: "none" });
		const answer = await readSessions(place, "opencode2", "/a", none);
		clearInterval(counting);
		assert.ok(turns >= 2);
		assert.ok(answer.outcome === "found");
		assert.deepEqual(
			(answer.value as { id: string }[]).map(({ id }) => id),
			ids,
		);
	});

	it("goes on to OpenCode 2's own, however full the last page of OpenCode 1's", () => {
		for (const count of [0, 9, 10, 11, 20]) {
			path = newDatabasePath();
			mkdirSync(dirname(path), { recursive: true });
			const db = makeDatabase(path, { one: true, two: true });
			for (let at = 0; at < count; at++)
				insert(db, "message", `msg_${10 + at}`, "ses_1", at, {});
			insert(db, "session_message", "msg_9", "ses_1", "user", 1, 0, {});
			db.close();
			const found = messagesOf("ses_1");
			assert.equal(found.length, count + 1);
			assert.equal((found.at(-1) as { id: string }).id, "msg_9");
		}
	});

	it("gives a message whose document is broken with its ids alone", () => {
		const db = makeDatabase(path, { one: true, two: true });
		insert(db, "message", "msg_1", "ses_1", 1, "{");
		insert(db, "part", "prt_1", "msg_1", "ses_1", "null");
		insert(db, "session_message", "msg_2", "ses_1", "assistant", 1, 0, "[");
		db.close();
		assert.deepEqual(messagesOf("ses_1"), [
			{
				info: { id: "msg_1", sessionID: "ses_1" },
				parts: [{ id: "prt_1", messageID: "msg_1", sessionID: "ses_1" }],
			},
			{ id: "msg_2", type: "assistant", seq: 1 },
		]);
	});

	it("is none where OpenCode 2 has not worked on it, and an error where it cannot be read", () => {
		makeDatabase(path, { one: true }).close();
		assert.equal(OwnDatabase.open(path, "opencode2"), undefined);
		assert.throws(() => OwnDatabase.open(`${path}.nowhere`, "opencode2"));
		writeFileSync(`${path}.no`, "This is no database, but it is long enough.");
		assert.throws(() => OwnDatabase.open(`${path}.no`, "opencode2"));
	});

	it("is closed again beside OpenCode's own connection without its locks being lost", () => {
		const own = makeDatabase(path, { two: true });
		insert(own, "session_v2", "ses_1", "/a", "a", "2.0.15", 0, 1, 1, null);
		own.exec("BEGIN IMMEDIATE");
		insert(own, "session_v2", "ses_2", "/a", "b", "2.0.15", 0, 2, 2, null);
		for (let times = 0; times < 3; times++)
			assert.equal(read((open) => open.sessions("/a")).length, 1);
		// Another process that would write has to wait, and the last one to close
		// would take the WAL away: with it went what is written here.
		const other = new URL("../support/write-and-close.ts", import.meta.url);
		const writes = (): string =>
			spawnSync(process.execPath, [other.pathname, path], { encoding: "utf8" })
				.stdout;
		assert.equal(writes(), "database is locked");
		own.exec("COMMIT");
		read((open) => open.sessions("/a"));
		assert.equal(writes(), "written");
		insert(own, "session_v2", "ses_3", "/a", "c", "2.0.15", 0, 3, 3, null);
		own.close();
		assert.equal(read((open) => open.sessions("/a")).length, 4);
	});
});
