import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { loadCore } from "../../src/core.ts";
import { type Connection, connect } from "../../src/storage/connection.ts";
import { SqliteSink } from "../../src/storage/sqlite.ts";
import { sessionUpsert } from "../support/commands.ts";
import { newDatabasePath } from "../support/temporary.ts";

const { store } = loadCore();
const open = (path: string): SqliteSink =>
	new SqliteSink({ path, inOwnFolder: false }, store);

/** The class of every connection, whichever runtime's. */
const connections: Connection = Object.getPrototypeOf(connect(":memory:"));
const { close } = connections;

describe("the connection that the plugin writes with", () => {
	/** What each connection said of a pragma before it was closed. */
	let asked: string;
	let answers: unknown[];

	beforeEach(() => {
		answers = [];
		connections.close = function (this: Connection): void {
			const statement = this.prepare(`PRAGMA ${asked}`);
			answers.push(Object.values(statement.get() ?? {})[0]);
			statement.finalize?.();
			close.call(this);
		};
	});
	afterEach(() => {
		connections.close = close;
	});

	const pragma = (name: string): unknown => {
		asked = name;
		const sink = open(newDatabasePath());
		sink.apply([sessionUpsert("ses_1", "one")]);
		sink.close();
		assert.equal(answers.length, 1);
		return answers[0];
	};

	it("waits no longer than 50 ms for a lock", () => {
		const waits = Number(pragma("busy_timeout"));
		assert.ok(waits > 0 && waits <= 50, String(waits));
	});

	it("has the foreign keys on", () => {
		assert.equal(pragma("foreign_keys"), 1);
	});

	it("overwrites what is erased", () => {
		assert.equal(pragma("secure_delete"), 1);
	});

	it("keeps no log beyond 16 MiB", () => {
		assert.equal(pragma("journal_size_limit"), 16 * 1024 * 1024);
	});

	it("has the disk confirm what a checkpoint counts on", () => {
		assert.equal(pragma("synchronous"), 1);
	});

	it("is in WAL mode", () => {
		assert.equal(pragma("journal_mode"), "wal");
	});
});
