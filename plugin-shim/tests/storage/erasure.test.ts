/** What is erased is nowhere in the files that clankers owns. */
import assert from "node:assert/strict";
import {
	existsSync,
	readdirSync,
	readFileSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, describe, it } from "node:test";
import type { Command } from "../../../pkg/clankers.js";
import { loadCore } from "../../src/core.ts";
import { type Connection, connect } from "../../src/storage/connection.ts";
import { SqliteSink } from "../../src/storage/sqlite.ts";
import { sessionUpsert } from "../support/commands.ts";
import { newDatabasePath } from "../support/temporary.ts";

const { store } = loadCore();

const WORD = "quetzalcoatlus";
const SESSION = { sessionId: "ses_1" };
const MESSAGE = { ...SESSION, messageId: "msg_1" };
const DELETED = { deletedAt: 2000, onDelete: "tombstone" } as const;

/** Files below a folder that hold the word. */
function holders(folder: string, word = WORD): string[] {
	return readdirSync(folder, { recursive: true })
		.map(String)
		.filter((name) => statSync(join(folder, name)).isFile())
		.filter((name) => readFileSync(join(folder, name)).includes(word));
}

/** A part that grows to some 25 kB in many batches, which SQLite moves from page to page. */
function* streamed(word: string): Generator<Command> {
	const part = { ...MESSAGE, id: "prt_1" };
	let text = word;
	yield { method: "part.upsert", params: { ...part, type: "text", text } };
	for (let count = 0; count < 250; count++) {
		const piece = ` ${word} ${"and so on ".repeat(8)}`;
		const offset = text.length;
		yield { method: "part.append", params: { ...part, offset, text: piece } };
		text += piece;
	}
}

/** An index as `clankers search` leaves it, with its log. */
function makeIndex(path: string): Connection {
	const index = connect(path);
	index.exec(
		`PRAGMA journal_mode = WAL; CREATE VIRTUAL TABLE words USING fts5 (text); INSERT INTO words VALUES ('${WORD}')`,
	);
	return index;
}

describe("what is erased", () => {
	let path: string;
	let folder: string;
	let sink: SqliteSink;

	beforeEach(() => {
		path = newDatabasePath();
		folder = dirname(path);
		sink = new SqliteSink({ path, inOwnFolder: false }, store);
		sink.apply([
			sessionUpsert("ses_1", `About ${WORD}`),
			sessionUpsert("ses_2", "Another"),
			{
				method: "message.upsert",
				params: { ...SESSION, id: "msg_1", role: "user", createdAt: 1000 },
			},
			{
				method: "tool_call.upsert",
				params: {
					...{ ...MESSAGE, id: "prt_2", callId: "call_1", tool: "bash" },
					...{ status: "completed", output: WORD.repeat(900) },
				},
			},
			{
				method: "todo.replace",
				params: { ...SESSION, todos: [{ content: WORD }] },
			},
		]);
		for (const command of streamed(WORD)) sink.apply([command]);
		assert.deepEqual(holders(folder).sort(), [
			"clankers.db",
			"clankers.db-wal",
		]);
	});

	const deleted: Command = {
		method: "session.delete",
		params: { id: "ses_1", ...DELETED },
	};

	for (const onDelete of ["tombstone", "purge"] as const)
		it(`is in no file once a session is deleted (${onDelete})`, () => {
			const index = makeIndex(join(folder, "clankers.search"));
			assert.ok(holders(folder).some((name) => name.includes(".search")));
			sink.apply([
				{ method: "session.delete", params: { ...deleted.params, onDelete } },
			] as Command[]);
			assert.deepEqual(holders(folder), []);
			assert.equal(existsSync(join(folder, "clankers.search")), false);
			index.close();
			sink.close();
			assert.deepEqual(holders(folder), []);
		});

	for (const taken of [
		{
			method: "session.revert",
			params: { ...SESSION, to: "msg_1", ...DELETED },
		},
		{
			method: "message.delete",
			params: { ...SESSION, id: "msg_1", ...DELETED },
		},
	] satisfies Command[])
		it(`is in no file once a message is taken back (${taken.method})`, () => {
			sink.apply([
				sessionUpsert("ses_1", "Something else"),
				{ method: "todo.replace", params: { ...SESSION, todos: [] } },
			]);
			assert.notDeepEqual(holders(folder), []);
			sink.apply([taken]);
			assert.deepEqual(holders(folder), []);
			sink.close();
		});

	it("is in no file once a single part is deleted, and the others are there", () => {
		const other = { ...MESSAGE, id: "prt_3", type: "text" };
		const text = "pterodactyl".repeat(500);
		sink.apply([{ method: "part.upsert", params: { ...other, text } }]);
		for (const command of streamed("archaeopteryx"))
			sink.apply([
				{ ...command, params: { ...command.params, id: "prt_4" } } as Command,
			]);
		assert.notDeepEqual(holders(folder, "archaeopteryx"), []);
		sink.apply([
			{
				method: "part.delete",
				params: { ...MESSAGE, id: "prt_4", ...DELETED },
			},
		]);
		assert.deepEqual(holders(folder, "archaeopteryx"), []);
		assert.deepEqual(holders(folder, "pterodactyl"), ["clankers.db"]);
		sink.close();
	});

	it("leaves the log after the next batch where somebody reads meanwhile, and at the end", () => {
		const reader = connect(path);
		const read = (): void => {
			reader.exec("BEGIN");
			const statement = reader.prepare("SELECT count(*) FROM parts");
			statement.get();
			statement.finalize?.();
		};
		read();
		sink.apply([deleted]);
		assert.deepEqual(holders(folder).includes("clankers.db-wal"), true);
		reader.exec("COMMIT");
		sink.apply([sessionUpsert("ses_2", "Yet another")]);
		assert.deepEqual(holders(folder), []);

		sink.apply([sessionUpsert("ses_2", WORD)]);
		read();
		sink.apply([
			{ method: "session.delete", params: { id: "ses_2", ...DELETED } },
		]);
		assert.notDeepEqual(holders(folder), []);
		reader.exec("COMMIT");
		sink.close();
		assert.deepEqual(holders(folder), []);
		reader.close();
	});

	it("leaves the log of a process that was killed with whoever writes next", () => {
		const other = connect(path);
		other.exec("UPDATE sessions SET title = NULL");
		const next = new SqliteSink({ path, inOwnFolder: false }, store);
		next.apply([sessionUpsert("ses_2", "Another")]);
		assert.equal(statSync(`${path}-wal`).size, 0);
		other.close();
		next.close();
		sink.close();
	});

	it("stays where it is to be kept, and so does the index", () => {
		const index = makeIndex(join(folder, "clankers.search"));
		sink.apply([
			{
				method: "session.delete",
				params: { id: "ses_1", deletedAt: 2000, onDelete: "keep" },
			},
		]);
		assert.ok(existsSync(join(folder, "clankers.search")));
		index.close();
		sink.close();
		assert.ok(holders(folder).includes("clankers.db"));
	});

	it("takes no file along that is not the index", () => {
		writeFileSync(join(folder, "clankers.search"), "Where I looked");
		sink.apply([deleted]);
		assert.ok(existsSync(join(folder, "clankers.search")));
		sink.close();
	});
});
