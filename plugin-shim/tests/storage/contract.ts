/** What every sink does, however it stores. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type {
	Command,
	StoredMessage,
	StoredSession,
} from "../../../pkg/clankers.js";
import type { Sink } from "../../src/storage/sink.ts";
import { sessionUpsert } from "../support/commands.ts";
import { query } from "../support/query.ts";
import { newDatabasePath } from "../support/temporary.ts";

const SESSIONS = "SELECT id, title FROM sessions ORDER BY id";

/** Runs the suite on sinks that write the database at a given path; `prepare` makes ready what they need. */
export function testSink(
	name: string,
	open: (databasePath: string) => Sink,
	prepare?: (databasePath: string) => Promise<void>,
): void {
	const opened = async (path: string): Promise<Sink> => {
		await prepare?.(path);
		return open(path);
	};
	describe(`the ${name} sink`, () => {
		it("opens nothing before it is needed", () => {
			const path = newDatabasePath();
			const sink = open(path);
			sink.close();
			assert.throws(() => query(path, SESSIONS));
		});

		it("stores a batch", async () => {
			const path = newDatabasePath();
			const sink = await opened(path);
			const refused = await sink.apply([
				sessionUpsert("ses_1", "one"),
				sessionUpsert("ses_2", "two"),
			]);
			assert.deepEqual(refused, []);
			assert.deepEqual(query(path, SESSIONS), [
				{ id: "ses_1", title: "one" },
				{ id: "ses_2", title: "two" },
			]);
			sink.close();
		});

		it("stores the same rows when a batch comes twice", async () => {
			const path = newDatabasePath();
			const sink = await opened(path);
			const batch = [
				sessionUpsert("ses_1", "one"),
				sessionUpsert("ses_1", "renamed"),
			];
			await sink.apply(batch);
			await sink.apply(batch);
			assert.deepEqual(query(path, SESSIONS), [
				{ id: "ses_1", title: "renamed" },
			]);
			sink.close();
		});

		it("takes an empty batch", async () => {
			const sink = await opened(newDatabasePath());
			assert.deepEqual(await sink.apply([]), []);
			sink.close();
		});

		it("keeps text as it is, quotes, newlines, nulls and emoji", async () => {
			const path = newDatabasePath();
			const sink = await opened(path);
			const title = 'it\'s "quoted"\n\t\\ ?1 🧭 \u0000 end';
			await sink.apply([sessionUpsert("ses_1", title)]);
			assert.deepEqual(query(path, SESSIONS), [{ id: "ses_1", title }]);
			sink.close();
		});

		it("leaves out a command that can never be applied, and says which", async () => {
			const path = newDatabasePath();
			const sink = await opened(path);
			// A session without an id: no core makes one, a bug might.
			const impossible = {
				method: "session.upsert",
				params: { title: "nobody's" },
			} as unknown as Command;
			const refused = await sink.apply([
				sessionUpsert("ses_1", "one"),
				impossible,
				sessionUpsert("ses_2", "two"),
			]);
			assert.deepEqual(
				refused.map(({ command }) => command),
				[impossible],
			);
			assert.match(refused[0]?.reason ?? "", /NOT NULL|missing field `id`/);
			assert.deepEqual(
				query(path, SESSIONS).map(({ id }) => id),
				["ses_1", "ses_2"],
			);
			sink.close();
		});

		it("stores what comes before its parents, and no foreign key fails", async () => {
			const path = newDatabasePath();
			const sink = await opened(path);
			const of = (id: string) => ({ sessionId: `ses_${id}`, messageId: id });
			const refused = await sink.apply([
				{ method: "tool_call.upsert", params: { id: "prt_1", ...of("msg_1") } },
				{ method: "part.upsert", params: { id: "prt_2", ...of("msg_2") } },
				{
					method: "message.upsert",
					params: { id: "msg_3", sessionId: "ses_msg_3" },
				},
			]);
			assert.deepEqual(refused, []);
			assert.deepEqual(query(path, "PRAGMA foreign_key_check"), []);
			assert.deepEqual(
				query(path, "SELECT id, session_id FROM messages ORDER BY id"),
				["msg_1", "msg_2", "msg_3"].map((id) => ({
					id,
					session_id: `ses_${id}`,
				})),
			);
			for (const [table, id] of [
				["tool_calls", "prt_1"],
				["parts", "prt_2"],
			])
				assert.deepEqual(query(path, `SELECT id FROM ${table}`), [{ id }]);
			sink.close();
		});

		it("works again after it was closed", async () => {
			const path = newDatabasePath();
			const sink = await opened(path);
			await sink.apply([sessionUpsert("ses_1", "one")]);
			sink.close();
			sink.close();
			await sink.apply([sessionUpsert("ses_2", "two")]);
			sink.close();
			assert.equal(query(path, SESSIONS).length, 2);
		});

		it("knows what it has stored", async () => {
			const path = newDatabasePath();
			const sink = await opened(path);
			const project = { projectPath: "/home/user/project" };
			await sink.apply([
				{ method: "session.upsert", params: { id: "ses_1", ...project } },
				{ method: "session.upsert", params: { id: "ses_2", title: "two" } },
				{ method: "session.upsert", params: { id: "ses_3", title: "three" } },
			]);
			const rows = await sink.stored({
				kind: "storedSessions",
				directory: project.projectPath,
				ids: ["ses_2"],
				storeId: "store",
			});
			const found = rows as StoredSession[];
			assert.deepEqual(
				found.map(({ id, title }) => [id, title]),
				[
					["ses_1", null],
					["ses_2", "two"],
				],
			);
			sink.close();
		});

		it("knows what it has stored of a session's messages", async () => {
			const sink = await opened(newDatabasePath());
			const at = { sessionId: "ses_1", messageId: "msg_1" };
			await sink.apply([
				{
					method: "session.upsert",
					params: { id: "ses_1", storeId: "store", seenAt: 1000 },
				},
				{ method: "part.upsert", params: { id: "prt_1", ...at } },
				{ method: "tool_call.upsert", params: { id: "prt_2", ...at } },
				{
					method: "message.upsert",
					params: { id: "msg_2", sessionId: "ses_2" },
				},
			]);
			const stored = async (storeId: string | null): Promise<unknown> => {
				const rows = await sink.stored({
					kind: "storedMessages",
					sessionId: "ses_1",
					storeId,
				});
				return rows.map((row) => ({ ...(row as StoredMessage) }));
			};
			const partIds = '["prt_1","prt_2"]';
			assert.deepEqual(await stored("store"), [{ id: "msg_1", partIds }]);
			// Of another store nobody knows what it has.
			assert.deepEqual(await stored("other"), []);
			assert.deepEqual(await stored(null), []);
			sink.close();
		});

		it("shares a database with other sinks", async () => {
			const path = newDatabasePath();
			await prepare?.(path);
			const sinks = [open(path), open(path), open(path)];
			for (let turn = 0; turn < 5; turn++)
				for (const [index, sink] of sinks.entries())
					await sink.apply([sessionUpsert(`ses_${index}_${turn}`, "shared")]);
			for (const sink of sinks) sink.close();
			assert.equal(query(path, SESSIONS).length, 15);
		});
	});
}
