import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { loadCore } from "../../src/core.ts";
import type { Answer, HostRequest } from "../../src/hosts/host.ts";
import { HostLog } from "../../src/hosts/host-log.ts";
import {
	OpenCode2Host,
	type SessionReader,
} from "../../src/hosts/opencode2.ts";
import { insert, makeDatabase } from "../support/own-database.ts";
import { newDatabasePath, temporaryFolder } from "../support/temporary.ts";

loadCore();

const directory = "/home/user/project";
const notFound = (): never => {
	throw Object.assign(new Error(""), { _tag: "Session.NotFoundError" });
};

function ask(
	session: unknown,
	request: HostRequest,
	environment: Record<string, string> = {},
): Promise<Answer> {
	const log = new HostLog(undefined);
	const reader = session as SessionReader | undefined;
	return new OpenCode2Host(reader, directory, log, environment).ask(request);
}

const session = { kind: "session", directory, sessionId: "ses_1" } as const;
const messages = { ...session, kind: "messages", page: null } as const;
const message = { ...session, kind: "message", messageId: "msg_2" } as const;

describe("OpenCode 2 as a host", () => {
	it("answers with a session, and that there is none", async () => {
		const info = { id: "ses_1", title: "one" };
		const get = async (given: object): Promise<object> => {
			assert.deepEqual(given, { sessionID: "ses_1" });
			return info;
		};
		const found = { outcome: "found", value: info };
		assert.deepEqual(await ask({ get }, session), found);
		const none = { outcome: "none" };
		assert.deepEqual(await ask({ get: notFound }, session), none);
		const get2 = async (): Promise<never> => notFound();
		assert.deepEqual(await ask({ get: get2 }, session), none);
	});

	it("answers with the messages of the context, and says whether a compaction cut it", async () => {
		const page = async (items: object[]): Promise<Answer> =>
			await ask({ context: async () => items }, messages);
		const whole = [
			{ id: "msg_1", type: "user" },
			{ id: "msg_2", type: "compaction" },
		];
		assert.deepEqual(await page(whole), {
			outcome: "found",
			value: { items: whole, next: null, incomplete: false },
		});
		const cut = whole.slice(1);
		assert.deepEqual(await page(cut), {
			outcome: "found",
			value: { items: cut, next: null, incomplete: true },
		});
		assert.deepEqual(await page([]), {
			outcome: "found",
			value: { items: [], next: null, incomplete: false },
		});
		const none = { outcome: "none" };
		assert.deepEqual(await ask({ context: notFound }, messages), none);
	});

	it("divides a long context into pages, which it asks for once", async () => {
		const all = Array.from({ length: 25 }, (_, at) => ({ id: `msg_${at}` }));
		let times = 0;
		const context = async (): Promise<unknown> => {
			times += 1;
			return [{ id: "msg", type: "compaction" }, ...all];
		};
		const reader = { context } as SessionReader;
		const log = new HostLog(undefined);
		const host = new OpenCode2Host(reader, directory, log, {});
		const [sizes, ids]: [number[], unknown[]] = [[], []];
		for (let page: string | null | undefined = null; page !== undefined; ) {
			const answer: Answer = await host.ask({ ...messages, page });
			assert.ok(answer.outcome === "found");
			const { items, next, incomplete } = answer.value as {
				items: { id: string }[];
				next: string | null;
				incomplete: boolean;
			};
			assert.equal(incomplete, true);
			sizes.push(items.length);
			ids.push(...items.map(({ id }) => id));
			page = next ?? undefined;
		}
		assert.deepEqual(sizes, [10, 10, 6]);
		assert.deepEqual(ids, ["msg", ...all.map(({ id }) => id)]);
		assert.equal(times, 1);
		// A page of what is not held any more, and one of a database.
		for (const page of ["10", "2 msg_1"])
			assert.deepEqual(await host.ask({ ...messages, page }), {
				outcome: "failed",
			});
	});

	it("answers with one message where the context has it, and never that it is gone", async () => {
		const items = [{ id: "msg_1" }, null, { id: "msg_2", type: "user" }];
		const context = async (): Promise<unknown> => items;
		const found = { outcome: "found", value: items[2] };
		assert.deepEqual(await ask({ context }, message), found);
		const other = { ...message, messageId: "msg_3" };
		const notOffered = { outcome: "notOffered" };
		assert.deepEqual(await ask({ context }, other), notOffered);
	});

	it("offers no list of sessions and no to-do list", async () => {
		const notOffered = { outcome: "notOffered" };
		const todos = { ...session, kind: "todos" } as const;
		assert.deepEqual(
			await ask({}, { kind: "sessions", directory }),
			notOffered,
		);
		assert.deepEqual(await ask({}, todos), notOffered);
	});

	it("offers what the release offers", async () => {
		const notOffered = { outcome: "notOffered" };
		for (const reader of [undefined, {}, { get: 7, context: "soon" }])
			for (const request of [session, messages, message])
				assert.deepEqual(await ask(reader, request), notOffered);
	});

	it("fails where the answer is none, and never rejects", async () => {
		const failed = { outcome: "failed" };
		const broken: ((given: object) => unknown)[] = [
			() => {
				throw new Error("no answer today");
			},
			async () => {
				throw undefined;
			},
			async () => 7,
			async () => null,
			() => undefined,
		];
		for (const call of broken)
			for (const request of [session, messages, message])
				assert.deepEqual(
					await ask({ get: call, context: call }, request),
					failed,
				);
	});

	it("asks OpenCode's database for what the context does not give", async () => {
		const path = newDatabasePath();
		mkdirSync(dirname(path), { recursive: true });
		const db = makeDatabase(path, { two: true });
		const row = ["ses_1", directory, "one", "2.0.15", 0, 1, 2, null] as const;
		insert(db, "session_v2", ...row);
		insert(db, "session_message", "msg_1", "ses_1", "user", 3, 1, {});
		db.close();
		const asked = (request: HostRequest): Promise<Answer> => {
			const reader = { get: async () => ({ id: "ses_1" }) };
			return ask(reader, request, { OPENCODE_DB: path });
		};
		const listed = { id: "ses_1", title: "one", cost: 0 };
		assert.deepEqual(await asked({ kind: "sessions", directory }), {
			outcome: "found",
			value: [{ ...listed, time: { created: 1, updated: 2 } }],
		});
		assert.deepEqual(await asked(session), {
			outcome: "found",
			value: { id: "ses_1", version: "2.0.15" },
		});
		const value = { id: "msg_1", type: "user", seq: 3 };
		assert.deepEqual(await asked(messages), {
			outcome: "found",
			value: { items: [value], next: null },
		});
		const one = { ...message, messageId: "msg_1" };
		assert.deepEqual(await asked(one), { outcome: "found", value });
		assert.deepEqual(await asked(message), { outcome: "none" });
	});

	it("asks the context where OpenCode 2 has not worked on the database, and nobody where that cannot be read", async () => {
		const path = newDatabasePath();
		mkdirSync(dirname(path), { recursive: true });
		makeDatabase(path, { one: true }).close();
		const reader = { context: async () => [{ id: "msg_1", type: "user" }] };
		const asked = (request: HostRequest): Promise<Answer> =>
			ask(reader, request, { OPENCODE_DB: path });
		const list = { kind: "sessions", directory } as const;
		const notOffered = { outcome: "notOffered" };
		assert.equal((await asked(messages)).outcome, "found");
		assert.deepEqual(await asked(list), notOffered);
		writeFileSync(path, "This is no database, however long one looks at it.");
		assert.deepEqual(await asked(messages), { outcome: "failed" });
		assert.deepEqual(await asked(list), notOffered);
	});

	it("says which store it works on, or nothing where that is in doubt", async () => {
		const request = { kind: "store", directory } as const;
		const data = temporaryFolder();
		const environment = { XDG_DATA_HOME: data };
		const none = { outcome: "none" };
		assert.deepEqual(await ask({}, request, environment), none);
		mkdirSync(join(data, "opencode"));
		const database = join(data, "opencode", "my.db");
		writeFileSync(database, "");
		const named = { ...environment, OPENCODE_DB: database };
		const answer = await ask({}, request, named);
		assert.equal(answer.outcome, "found");
		assert.deepEqual(await ask({}, request, named), answer);
	});
});
