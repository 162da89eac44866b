import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { createRpcClient, type RpcClient, RpcError } from "../src/client.ts";
import { TestDaemon } from "./support/daemon.ts";
import { query } from "./support/query.ts";
import { newDatabasePath } from "./support/temporary.ts";

const ids = { messageId: "msg_1", sessionId: "ses_1" };

describe("the daemon's client", () => {
	let path: string;
	let daemon: TestDaemon;
	let client: RpcClient;

	beforeEach(() => {
		path = newDatabasePath();
		daemon = new TestDaemon(path);
		client = open();
	});

	afterEach(async () => {
		client.close();
		await daemon.kill();
	});

	const open = (timeoutMs = 20_000): RpcClient =>
		createRpcClient({
			...{ clientName: "test", clientVersion: "1", timeoutMs },
			socketPath: daemon.socketPath,
			patience: { firstMs: 5, longestMs: 20 },
		});
	const isCode =
		(code: number) =>
		(error: unknown): boolean =>
			error instanceof RpcError && error.code === code;

	it("makes the call of the storage contract", async () => {
		await daemon.start();
		const { dbPath, counts } = await client.health();
		assert.equal(dbPath, path);
		assert.equal(counts.sessions, 0);
		const params = { id: "ses_1", title: "Test", promptTokens: 100 };
		assert.deepEqual(await client.call("session.upsert", params), {
			applied: 1,
		});
		assert.deepEqual(
			query(path, "SELECT id, title, prompt_tokens FROM sessions"),
			[{ id: "ses_1", title: "Test", prompt_tokens: 100 }],
		);
	});

	it("has a helper for each command", async () => {
		await daemon.start();
		const deletion = { deletedAt: 9, onDelete: "tombstone" } as const;
		const answers = await Promise.all([
			client.upsertSession({ id: "ses_1" }),
			client.upsertMessage({ id: "msg_1", sessionId: "ses_1" }),
			client.upsertPart({ id: "prt_1", ...ids, type: "text" }),
			client.upsertToolCall({ id: "prt_2", ...ids, tool: "bash" }),
			client.upsertSessionError({ id: "err_1", sessionId: "ses_1" }),
			client.upsertPermission({ id: "per_1", sessionId: "ses_1" }),
			client.replaceTodos({ sessionId: "ses_1", todos: [{ content: "x" }] }),
			client.recordRejection({
				...{ eventType: "x", code: "wrong_type", path: "a", sample: "{}" },
				...{ expected: "a", found: "b", sourceVersion: null, count: 1 },
				...{ firstSeen: 1, lastSeen: 1 },
			}),
			client.appendPart({ id: "prt_1", ...ids, offset: 0, text: "more" }),
			client.deletePart({ id: "prt_1", ...ids, ...deletion }),
			client.deleteMessage({ id: "msg_1", sessionId: "ses_1", ...deletion }),
			client.deleteSession({ id: "ses_1", ...deletion }),
			client.batch([{ method: "session.upsert", params: { id: "ses_2" } }]),
		]);
		assert.deepEqual(
			answers,
			answers.map(() => ({ applied: 1 })),
		);
		const { counts } = await client.health();
		assert.deepEqual(counts, {
			...{ sessions: 2, messages: 1, parts: 0, toolCalls: 1, rejections: 1 },
		});
	});

	it("waits for a daemon that is started later", async () => {
		const answer = client.upsertSession({ id: "ses_1" });
		await daemon.start();
		assert.deepEqual(await answer, { applied: 1 });
	});

	it("sends calls again that a killed daemon has not answered", async () => {
		await daemon.start();
		await client.health();
		daemon.suspend();
		const answers = Array.from({ length: 200 }, (_, at) =>
			client.upsertSession({ id: `ses_${at}` }),
		);
		await daemon.kill();
		await daemon.start();
		await Promise.all(answers);
		assert.equal((await client.health()).counts.sessions, 200);
	});

	it("says which field is wrong, and goes on", async () => {
		await daemon.start();
		const wrong = { id: "ses_1", cost: "much" } as unknown as { id: string };
		await assert.rejects(client.upsertSession(wrong), (error) => {
			assert.ok(isCode(-32602)(error));
			assert.deepEqual((error as RpcError).data, { field: "cost" });
			return true;
		});
		// Half a surrogate pair is no text: the daemon cannot even read the request.
		await assert.rejects(
			client.upsertSession({ id: "ses_1", title: "\ud83d" }),
			isCode(-32700),
		);
		await client.upsertSession({ id: "ses_1" });
	});

	it("says when no daemon has answered in time", async () => {
		client = open(50);
		await assert.rejects(
			client.health(),
			(error) =>
				isCode(0)(error) &&
				/`health` was not answered within 0.05 s: .*ENOENT/.test(
					(error as Error).message,
				),
		);
	});

	it("rejects what has no answer when it is closed, and connects again when it is called", async () => {
		const answer = client.health();
		client.close();
		await assert.rejects(answer, /the client was closed/);
		await daemon.start();
		assert.equal((await client.health()).name, "clankers");
	});
});
