import assert from "node:assert/strict";
import {
	closeSync,
	cpSync,
	mkdirSync,
	openSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, describe, it } from "node:test";
import { storeId } from "../../src/hosts/store-identity.ts";
import { newDatabasePath } from "../support/temporary.ts";

describe("the id of OpenCode's store", () => {
	let home: string;
	let data: string;

	beforeEach(() => {
		home = dirname(newDatabasePath());
		data = join(home, ".local", "share", "opencode");
		mkdirSync(data, { recursive: true });
	});

	/** The id, where the system does not say which files are open. */
	function id(
		environment: Record<string, string> = {},
		program = "opencode",
	): string | undefined {
		const openFiles = join(home, "nowhere");
		return storeId({ program, environment, home, openFiles });
	}

	/** The id, where these files are open. */
	function idWhereOpen(...files: string[]): string | undefined {
		const openFiles = join(home, "fd");
		rmSync(openFiles, { recursive: true, force: true });
		mkdirSync(openFiles);
		for (const [number, file] of files.entries())
			symlinkSync(file, join(openFiles, String(number)));
		const program = "opencode";
		return storeId({ program, environment: {}, home, openFiles });
	}

	function put(...names: string[]): void {
		for (const name of names) writeFileSync(join(data, name), name);
	}

	it("stays the same for the same file", () => {
		put("opencode.db");
		const first = id();
		assert.match(first ?? "", /^[0-9a-f-]{36}$/);
		writeFileSync(join(data, "opencode.db"), "changed");
		assert.equal(id(), first);
		const mode = statSync(join(data, ".clankers-stores.json")).mode & 0o777;
		assert.equal(mode, 0o600);
	});

	it("is another where another file was put in its place", () => {
		put("opencode.db", "copy");
		const first = id();
		renameSync(join(data, "copy"), join(data, "opencode.db"));
		assert.notEqual(id(), first);
	});

	it("is another in a copy of the folder, and the same where the folder was moved", () => {
		put("opencode.db");
		const first = id();
		cpSync(data, `${data}-copy`, { recursive: true });
		renameSync(data, `${data}-moved`);
		renameSync(`${data}-copy`, data);
		assert.notEqual(id(), first);
		rmSync(data, { recursive: true });
		renameSync(`${data}-moved`, data);
		assert.equal(id(), first);
	});

	it("is each program's own", () => {
		put("opencode.db");
		cpSync(data, join(dirname(data), "kilo"), { recursive: true });
		renameSync(
			join(dirname(data), "kilo", "opencode.db"),
			join(dirname(data), "kilo", "kilo.db"),
		);
		assert.notEqual(id({}, "kilo"), id());
	});

	it("is that of the database which the program has open", () => {
		put("opencode.db", "opencode-dev.db");
		const [one, other] = ["opencode.db", "opencode-dev.db"].map((name) =>
			join(data, name),
		);
		const first = idWhereOpen(one ?? "", "/dev/null");
		const second = idWhereOpen(other ?? "", join(home, "another.db"));
		assert.ok(first && second);
		assert.notEqual(first, second);
		assert.equal(idWhereOpen(one ?? ""), first);
		assert.equal(idWhereOpen(one ?? "", other ?? ""), undefined);
	});

	it("is that of the folder of files where no database is open", () => {
		put("opencode.db");
		mkdirSync(join(data, "storage"));
		const files = idWhereOpen();
		assert.ok(files);
		assert.notEqual(files, idWhereOpen(join(data, "opencode.db")));
	});

	it("is never that of files that 1.x left behind, where the program keeps none", () => {
		put("opencode.db");
		const files = join(data, "storage");
		mkdirSync(files);
		const place = { program: "opencode", environment: {}, home };
		const openFiles = join(home, "fd");
		mkdirSync(openFiles);
		assert.ok(storeId({ ...place, openFiles }));
		const only = { ...place, keepsFiles: false };
		assert.equal(storeId({ ...only, openFiles }), undefined);
		symlinkSync(join(data, "opencode.db"), join(openFiles, "7"));
		assert.ok(storeId({ ...only, openFiles }));
		rmSync(join(data, "opencode.db"));
		const nowhere = join(home, "nowhere");
		assert.equal(storeId({ ...only, openFiles: nowhere }), undefined);
	});

	it("is in doubt where the open database was replaced", () => {
		put("opencode.db");
		assert.equal(
			idWhereOpen(`${join(data, "opencode.db")} (deleted)`),
			undefined,
		);
	});

	it("is in doubt where the system does not say which of several is open", () => {
		put("opencode.db", "opencode-dev.db");
		assert.equal(id(), undefined);
	});

	it("is in doubt where files were left behind and the system does not say", () => {
		put("opencode.db");
		mkdirSync(join(data, "storage", "session"), { recursive: true });
		assert.equal(id(), undefined);
	});

	it("is that of the database which the environment names", () => {
		put("opencode.db", "my.db");
		const named = id({ OPENCODE_DB: "my.db" });
		assert.ok(named);
		assert.notEqual(named, id({ OPENCODE_DB: join(data, "opencode.db") }));
		assert.equal(id({ OPENCODE_DB: ":memory:" }), undefined);
		assert.equal(id({ OPENCODE_DB: "not-there.db" }), undefined);
	});

	/** Changes what is noted of the database. */
	function change(noted: object): void {
		const file = join(data, ".clankers-stores.json");
		const all = JSON.parse(readFileSync(file, "utf8"));
		Object.assign(all["opencode.db"], noted);
		writeFileSync(file, JSON.stringify(all));
	}

	/** Creates the database, and writes nothing to it: it was changed last when it was created. */
	function create(): void {
		closeSync(openSync(join(data, "opencode.db"), "wx"));
	}

	it("is another where a new file has the number of one that is gone", () => {
		create();
		const first = id();
		change({ created: "1", isTold: true });
		const second = id();
		assert.notEqual(second, first);
		change({ created: "1", isTold: false });
		writeUntilTold(join(data, "opencode.db"));
		assert.notEqual(id(), second);
	});

	it("stays the same where the system does not say when files were created", () => {
		create();
		const first = id();
		change({ created: "1", isTold: false });
		assert.equal(id(), first);
	});

	/** Writes to it until its creation is told from its last change. */
	function writeUntilTold(file: string): void {
		let stat: { birthtimeNs: bigint; ctimeNs: bigint };
		do {
			writeFileSync(file, "changed");
			stat = statSync(file, { bigint: true });
		} while (stat.birthtimeNs === stat.ctimeNs);
	}

	it("is new where what was noted cannot be read", () => {
		put("opencode.db");
		const first = id();
		const file = join(data, ".clankers-stores.json");
		writeFileSync(file, '{"opencode.db":{"id":3}');
		const second = id();
		assert.ok(second && second !== first);
		assert.equal(
			JSON.parse(readFileSync(file, "utf8"))["opencode.db"].id,
			second,
		);
	});

	it("is in doubt where there is no store", () => {
		rmSync(data, { recursive: true });
		assert.equal(id(), undefined);
	});
});
