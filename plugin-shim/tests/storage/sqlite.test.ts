import assert from "node:assert/strict";
import {
	chmodSync,
	existsSync,
	mkdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import type { Command } from "../../../pkg/clankers.js";
import { loadCore } from "../../src/core.ts";
import { connect } from "../../src/storage/connection.ts";
import type { Batch } from "../../src/storage/open-database.ts";
import { SinkError } from "../../src/storage/sink.ts";
import { SqliteSink } from "../../src/storage/sqlite.ts";
import { rejection, sessionUpsert, todo } from "../support/commands.ts";
import { runAll } from "../support/processes.ts";
import { lock, query } from "../support/query.ts";
import { newDatabasePath, temporaryFolder } from "../support/temporary.ts";
import { until } from "../support/until.ts";
import { testSink } from "./contract.ts";

const { store } = loadCore();

const open = (path: string): SqliteSink =>
	new SqliteSink({ path, inOwnFolder: false }, store);
const count = (path: string): unknown =>
	query(path, "SELECT count(*) AS n FROM sessions")[0]?.["n"];
const mode = (path: string): string =>
	(statSync(path).mode & 0o777).toString(8);

testSink("SQLite", open);

describe("the SQLite sink's database", () => {
	it("has the core's schema, in WAL mode", () => {
		const path = newDatabasePath();
		const sink = open(path);
		sink.apply([]);
		assert.deepEqual(query(path, "PRAGMA user_version"), [
			{ user_version: store.schemaVersion },
		]);
		assert.deepEqual(query(path, "PRAGMA journal_mode"), [
			{ journal_mode: "wal" },
		]);
		sink.close();
	});

	it("holds its rows to the foreign keys", () => {
		const path = newDatabasePath();
		const sink = open(path);
		sink.apply([]);
		const connection = connect(path);
		connection.exec(
			"CREATE TRIGGER orphan AFTER INSERT ON todos BEGIN INSERT INTO messages (id, session_id) VALUES ('msg_1', 'nobody'); END",
		);
		connection.close();
		const params = { sessionId: "ses_1", todos: [{ content: "a" }] };
		const refused = sink.apply([{ method: "todo.replace", params }]);
		assert.match(refused[0]?.reason ?? "", /FOREIGN KEY/);
		sink.close();
	});

	it("takes a batch whole or, where it fails, not at all", () => {
		const path = newDatabasePath();
		const sink = open(path);
		sink.apply([]);
		const connection = connect(path);
		connection.exec("ALTER TABLE todos RENAME TO hidden");
		const batch: Command[] = [
			sessionUpsert("ses_1", "one"),
			{ method: "todo.replace", params: { sessionId: "ses_1", todos: [] } },
		];
		assert.throws(() => sink.apply(batch), /no such table/);
		assert.equal(count(path), 0);
		connection.exec("ALTER TABLE hidden RENAME TO todos");
		connection.close();
		assert.deepEqual(sink.apply(batch), []);
		assert.equal(count(path), 1);
		sink.close();
	});

	it("is one file again when the last sink is closed", () => {
		const path = newDatabasePath();
		const sink = open(path);
		sink.apply([sessionUpsert("ses_1", "one")]);
		assert.equal(existsSync(`${path}-wal`), true);
		sink.close();
		assert.equal(existsSync(`${path}-wal`), false);
		assert.equal(existsSync(`${path}-shm`), false);
	});

	it("is made once when several processes start at the same time", async () => {
		const path = newDatabasePath();
		const child = join(import.meta.dirname, "..", "support", "apply-one.ts");
		const names = ["a", "b", "c", "d"];
		await runAll(names.map((name) => [child, path, name]));
		assert.deepEqual(
			query(path, "SELECT id FROM sessions ORDER BY id").map(({ id }) => id),
			names,
		);
	});
});

describe("the files' permissions", {
	skip: process.platform === "win32",
}, () => {
	it("let only the owner in, whatever the umask", () => {
		const path = newDatabasePath();
		const before = process.umask(0);
		const sink = open(path);
		try {
			sink.apply([sessionUpsert("ses_1", "one")]);
		} finally {
			process.umask(before);
		}
		assert.equal(mode(dirname(path)), "700");
		for (const file of [path, `${path}-wal`, `${path}-shm`])
			assert.equal(mode(file), "600", file);
		sink.close();
	});

	it("are narrowed on files that were there already", () => {
		const path = newDatabasePath();
		open(path).apply([]);
		for (const file of [path, `${path}-wal`, `${path}-shm`])
			chmodSync(file, 0o666);
		const sink = open(path);
		sink.apply([]);
		for (const file of [path, `${path}-wal`, `${path}-shm`])
			assert.equal(mode(file), "600", file);
		sink.close();
	});

	it("are narrowed on clankers' own folder, not on one that a person named", () => {
		for (const [inOwnFolder, expected] of [
			[true, "700"],
			[false, "755"],
		] as const) {
			const folder = temporaryFolder();
			chmodSync(folder, 0o755);
			const path = join(folder, "clankers.db");
			const sink = new SqliteSink({ path, inOwnFolder }, store);
			sink.apply([]);
			sink.close();
			assert.equal(mode(folder), expected);
		}
	});
});

describe("batches with numbers", () => {
	it("are stored all or none, and none of them twice", () => {
		const path = newDatabasePath();
		const sink = open(path);
		sink.apply([]);
		const counted = (): unknown =>
			query(path, "SELECT total(count) AS n FROM rejections")[0]?.["n"];
		const batch = (number: number, ...commands: Command[]): Batch => ({
			commands: [rejection(), ...commands],
			id: { writer: "writer", number },
		});
		const batches = [batch(1), batch(2, todo("late"))];
		query(path, "ALTER TABLE todos RENAME TO hidden");
		assert.throws(() => sink.store(batches), /no such table/);
		query(path, "ALTER TABLE hidden RENAME TO todos");
		assert.equal(counted(), 0);
		sink.store([batch(1)]);
		assert.equal(counted(), 1);
		sink.store(batches);
		assert.equal(counted(), 2);
		sink.store(batches);
		assert.equal(counted(), 2);
		sink.close();
	});
});

describe("a locked database", () => {
	it("holds the caller 50 ms at most, and is unavailable rather than refused", () => {
		const path = newDatabasePath();
		const sink = open(path);
		sink.apply([]);
		const unlock = lock(path);
		const started = performance.now();
		assert.throws(
			() => sink.apply([sessionUpsert("ses_1", "one")]),
			(error) =>
				error instanceof SinkError &&
				error.kind === "unavailable" &&
				error.message === `\`${path}\`: database is locked`,
		);
		// SQLite waits in steps and ends before the timeout; the rest is room for a busy machine.
		assert.ok(performance.now() - started < 250);
		unlock();
		assert.equal(count(path), 0);
		sink.apply([sessionUpsert("ses_1", "one")]);
		assert.equal(count(path), 1);
		sink.close();
	});

	it("is no obstacle later when it was locked at the start", () => {
		const path = newDatabasePath();
		const first = open(path);
		first.apply([]);
		first.close();
		const unlock = lock(path);
		const sink = open(path);
		assert.throws(() => sink.apply([sessionUpsert("ses_1", "one")]), SinkError);
		unlock();
		sink.apply([sessionUpsert("ses_1", "one")]);
		assert.equal(count(path), 1);
		sink.close();
	});
});

describe("a database that is not ours to write", () => {
	const incompatible = (path: string, message: RegExp): void => {
		const before = readFileSync(path);
		const sink = open(path);
		assert.throws(
			() => sink.apply([sessionUpsert("ses_1", "one")]),
			(error) =>
				error instanceof SinkError &&
				error.kind === "incompatible" &&
				message.test(error.message),
		);
		sink.close();
		assert.deepEqual(readFileSync(path), before, "it was left as it was");
	};

	it("is refused when a newer clankers wrote it", () => {
		const path = join(temporaryFolder(), "clankers.db");
		const newer = store.schemaVersion + 1;
		const connection = connect(path);
		connection.exec(`CREATE TABLE future (x); PRAGMA user_version = ${newer}`);
		connection.close();
		incompatible(
			path,
			new RegExp(
				`written by a newer clankers \\(schema ${newer}, this one knows ${newer - 1}\\)`,
			),
		);
	});

	it("is refused in WAL mode too when a newer clankers wrote it", () => {
		const path = newDatabasePath();
		const sink = open(path);
		sink.apply([sessionUpsert("ses_1", "before")]);
		sink.close();
		const connection = connect(path);
		connection.exec(
			`UPDATE clankers_database SET oldest_writer = ${store.schemaVersion + 1}; PRAGMA user_version = ${store.schemaVersion + 1}`,
		);
		connection.close();
		incompatible(path, /written by a newer clankers/);
		assert.equal(
			query(path, "SELECT title FROM sessions")[0]?.["title"],
			"before",
		);
	});

	it("is refused when it is another program's, or that of an earlier plugin without versions", () => {
		const path = join(temporaryFolder(), "clankers.db");
		const connection = connect(path);
		connection.exec("CREATE TABLE sessions (id TEXT)");
		connection.close();
		chmodSync(path, 0o644);
		incompatible(path, /tables of something else/);
		assert.equal(mode(path), "644");
	});

	it("is written as soon as the other program's is gone", () => {
		const path = join(temporaryFolder(), "clankers.db");
		const connection = connect(path);
		connection.exec("CREATE TABLE notes (id TEXT)");
		connection.close();
		const sink = open(path);
		const batch = [sessionUpsert("ses_1", "one")];
		assert.throws(() => sink.apply(batch), SinkError);
		renameSync(path, `${path}.moved`);
		assert.deepEqual(sink.apply(batch), []);
		assert.equal(count(path), 1);
		sink.close();
	});
});

describe("a database that a newer clankers migrates while we write", () => {
	/** What the next schema does, while our sink has the database open. */
	const migrate = (path: string, sql: string): void => {
		const connection = connect(path);
		connection.exec(`${sql}; PRAGMA user_version = ${store.schemaVersion + 1}`);
		connection.close();
	};

	it("is written on where that only adds what we need not know", () => {
		const path = newDatabasePath();
		const sink = open(path);
		sink.apply([sessionUpsert("ses_1", "one")]);
		migrate(path, "ALTER TABLE sessions ADD COLUMN later TEXT");
		sink.apply([sessionUpsert("ses_2", "two")]);
		sink.close();
		const again = open(path);
		again.apply([sessionUpsert("ses_1", "three")]);
		again.close();
		const rows = query(path, "SELECT id, title, later FROM sessions");
		assert.deepEqual(rows, [
			{ id: "ses_1", title: "three", later: null },
			{ id: "ses_2", title: "two", later: null },
		]);
		const [version] = query(path, "PRAGMA user_version");
		assert.equal(version?.["user_version"], store.schemaVersion + 1);
	});

	it("is refused from then on where it names a newer writer as the oldest", () => {
		const path = newDatabasePath();
		const sink = open(path);
		sink.apply([sessionUpsert("ses_1", "one")]);
		migrate(
			path,
			`UPDATE clankers_database SET oldest_writer = ${store.schemaVersion + 1}`,
		);
		assert.throws(
			() => sink.apply([sessionUpsert("ses_2", "two")]),
			(error) => error instanceof SinkError && error.kind === "incompatible",
		);
		sink.close();
		assert.equal(count(path), 1);
	});
});

describe("a database that goes away", () => {
	const isReplaced = (error: unknown): boolean =>
		error instanceof SinkError && error.kind === "replaced";

	it("is made anew when its file is removed, and says so once", () => {
		const path = newDatabasePath();
		const sink = open(path);
		sink.apply([sessionUpsert("ses_1", "one")]);
		for (const file of [path, `${path}-wal`, `${path}-shm`]) rmSync(file);
		assert.throws(
			() => sink.apply([sessionUpsert("ses_2", "two")]),
			isReplaced,
		);
		sink.apply([sessionUpsert("ses_2", "two")]);
		assert.deepEqual(query(path, "SELECT id FROM sessions"), [{ id: "ses_2" }]);
		sink.close();
	});

	it("says that another was put in its place, also while it was closed or only read", () => {
		const path = newDatabasePath();
		const sink = open(path);
		sink.apply([sessionUpsert("ses_1", "one")]);
		sink.close();
		for (const file of [path, `${path}-wal`, `${path}-shm`])
			rmSync(file, { force: true });
		const other = open(path);
		other.apply([sessionUpsert("ses_3", "three")]);
		other.close();
		sink.stored({
			kind: "storedSessions",
			directory: "/",
			ids: [],
			storeId: null,
		});
		assert.throws(
			() => sink.apply([sessionUpsert("ses_2", "two")]),
			isReplaced,
		);
		sink.apply([sessionUpsert("ses_2", "two")]);
		sink.close();
		sink.apply([]);
		sink.close();
		assert.equal(count(path), 2);
	});

	it("takes no batch that waited for the lock of whoever put another in its place", async () => {
		const path = newDatabasePath();
		const sink = open(path);
		sink.apply([sessionUpsert("ses_1", "one")]);
		const moved = `${path}-moved`;
		const child = join(
			import.meta.dirname,
			"..",
			"support",
			"hold-and-move.ts",
		);
		const moving = runAll([[child, path, moved]]);
		await until("it is locked", () => existsSync(`${path}.locked`));
		const batch = [sessionUpsert("ses_2", "two")];
		for (let attempt = 0; attempt < 100; attempt++)
			try {
				sink.apply(batch);
				assert.fail("it was stored in a file that was moved");
			} catch (error) {
				if (isReplaced(error)) break;
				assert.match(String(error), /database is locked/);
			}
		await moving;
		sink.apply(batch);
		sink.close();
		assert.deepEqual([count(path), count(moved)], [1, 1]);
	});

	it("is left alone where it was moved to", () => {
		const path = newDatabasePath();
		const sink = open(path);
		sink.apply([sessionUpsert("ses_1", "one")]);
		sink.close();
		sink.apply([]);
		const moved = `${dirname(path)}-moved`;
		renameSync(dirname(path), moved);
		assert.throws(() => sink.apply([]), isReplaced);
		sink.apply([sessionUpsert("ses_2", "two")]);
		sink.close();
		assert.equal(count(path), 1);
		rmSync(moved, { recursive: true });
	});

	it("is unavailable where no folder can be made, and says so at once", {
		skip: process.platform !== "linux",
	}, () => {
		// Node's own recursive mkdir never returns here.
		const sink = open("/proc/nowhere/at/all/clankers.db");
		assert.throws(
			() => sink.apply([]),
			(error) => error instanceof SinkError && error.kind === "unavailable",
		);
	});

	it("is unavailable while a folder is in its place, and works again after", () => {
		const path = newDatabasePath();
		mkdirSync(path, { recursive: true });
		const sink = open(path);
		assert.throws(
			() => sink.apply([]),
			(error) => error instanceof SinkError && error.kind === "unavailable",
		);
		rmSync(path, { recursive: true });
		sink.apply([sessionUpsert("ses_1", "one")]);
		assert.equal(count(path), 1);
		sink.close();
	});

	it("is unavailable, and refuses nothing, while its tables are gone", () => {
		const path = newDatabasePath();
		const sink = open(path);
		sink.apply([]);
		const connection = connect(path);
		connection.exec("ALTER TABLE sessions RENAME TO hidden");
		assert.throws(
			() => sink.apply([sessionUpsert("ses_1", "one")]),
			(error) => error instanceof SinkError && error.kind === "unavailable",
		);
		connection.exec("ALTER TABLE hidden RENAME TO sessions");
		connection.close();
		assert.deepEqual(sink.apply([sessionUpsert("ses_1", "one")]), []);
		sink.close();
	});
});
