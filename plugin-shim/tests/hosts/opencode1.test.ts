import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, it } from "node:test";
import { loadCore } from "../../src/core.ts";
import { HostLog } from "../../src/hosts/host-log.ts";
import { OpenCode1Host } from "../../src/hosts/opencode1.ts";
import type { Connection } from "../../src/storage/connection.ts";
import { insert, makeDatabase } from "../support/own-database.ts";
import { temporaryFolder } from "../support/temporary.ts";

loadCore();

/** How OpenCode 1.18 answers a list of which it cannot read one thing itself. */
const REFUSED = { error: { name: "BadRequest" }, response: { status: 400 } };

describe("OpenCode 1, where it refuses to answer", () => {
	let data: string;
	let db: Connection;

	beforeEach(() => {
		data = temporaryFolder();
		mkdirSync(join(data, "opencode"));
		db = makeDatabase(join(data, "opencode", "opencode.db"), { one: true });
		insert(db, "session", "ses_1", "/a", "One", "1.18.34", 1, 2, null);
		insert(db, "session", "ses_2", "/b", "Two", "1.18.34", 1, 2, null);
		for (let at = 1; at <= 25; at++) {
			const id = `msg_${String(at).padStart(2, "0")}`;
			insert(db, "message", id, "ses_1", at, { role: "user" });
			insert(db, "part", `prt_${at}`, id, "ses_1", { type: "text" });
		}
	});

	/** A host whose OpenCode answers every request with this. */
	function host(state: string, answer: unknown = REFUSED): OpenCode1Host {
		const refuse = async (): Promise<unknown> => answer;
		const client = {
			path: { get: async () => ({ data: { state } }) },
			session: { list: refuse, messages: refuse, message: refuse },
		};
		const environment = { XDG_DATA_HOME: data };
		return new OpenCode1Host(client, "/a", new HostLog(undefined), environment);
	}

	const messages = { kind: "messages", directory: "/a", sessionId: "ses_1" };

	it("is listed from its database", async () => {
		const list = { kind: "sessions", directory: "/a" } as const;
		assert.deepEqual(await host("/state/opencode").ask(list), {
			outcome: "found",
			value: [{ id: "ses_1", title: "One", time: { created: 1, updated: 2 } }],
		});
		db.close();
	});

	it("has its messages read from there, page by page", async () => {
		const asked = host("/state/opencode");
		const ids: string[] = [];
		let page: string | null = null;
		do {
			const answer = await asked.ask({ ...messages, kind: "messages", page });
			assert.ok(answer.outcome === "found");
			const { items, next } = answer.value as {
				items: { info: { id: string }; parts: unknown[] }[];
				next: string | null;
			};
			ids.push(...items.map(({ info }) => info.id));
			assert.ok(items.every(({ parts }) => parts.length === 1));
			page = next;
		} while (page !== null);
		assert.equal(new Set(ids).size, 25);
		assert.deepEqual(ids, [...ids].sort());
		const one = { ...messages, kind: "message", messageId: "msg_07" } as const;
		assert.deepEqual(await asked.ask(one), {
			outcome: "found",
			value: {
				info: { role: "user", id: "msg_07", sessionID: "ses_1" },
				parts: [
					{
						type: "text",
						id: "prt_7",
						messageID: "msg_07",
						sessionID: "ses_1",
					},
				],
			},
		});
		db.close();
	});

	it("calls nothing missing because of what its database lacks", async () => {
		const one = { ...messages, kind: "message", messageId: "msg_99" } as const;
		const asked = host("/state/opencode");
		assert.deepEqual(await asked.ask(one), { outcome: "failed" });
		db.close();
	});

	it("fails where it is in doubt which database that is", async () => {
		const page = { ...messages, kind: "messages", page: null } as const;
		assert.deepEqual(await host("/state/kilo").ask(page), {
			outcome: "failed",
		});
		db.close();
	});
});
