import assert from "node:assert/strict";
import { dirname } from "node:path";
import { describe, it } from "node:test";
import { type Environment, type Machine, readConfig } from "../src/config.ts";

const LINUX: Machine = { platform: "linux", home: "/home/user" };
const MACOS: Machine = { platform: "darwin", home: "/Users/user" };
const WINDOWS: Machine = { platform: "win32", home: "C:\\Users\\user" };

const DEFAULT_PATH = "/home/user/.local/share/clankers/clankers.db";

interface Case {
	readonly name: string;
	readonly options?: unknown;
	readonly environment?: Environment;
	readonly machine?: Machine;
	readonly path?: string;
	readonly problems?: string[];
}

const PATHS: Case[] = [
	{ name: "Linux keeps it in ~/.local/share", path: DEFAULT_PATH },
	{
		name: "Linux follows XDG_DATA_HOME",
		environment: { XDG_DATA_HOME: "/data" },
		path: "/data/clankers/clankers.db",
	},
	{
		name: "a relative XDG_DATA_HOME is ignored, as its specification says",
		environment: { XDG_DATA_HOME: "data" },
		path: DEFAULT_PATH,
	},
	{
		name: "macOS keeps it in Application Support",
		machine: MACOS,
		environment: { XDG_DATA_HOME: "/data" },
		path: "/Users/user/Library/Application Support/clankers/clankers.db",
	},
	{
		name: "Windows keeps it in APPDATA",
		machine: WINDOWS,
		environment: { APPDATA: "D:\\Roaming" },
		path: "D:\\Roaming\\clankers\\clankers.db",
	},
	{
		name: "Windows without APPDATA uses the folder it stands for",
		machine: WINDOWS,
		path: "C:\\Users\\user\\AppData\\Roaming\\clankers\\clankers.db",
	},
	{
		name: "dataPath names another folder",
		options: { dataPath: "/srv/data" },
		path: "/srv/data/clankers.db",
	},
	{
		name: "dbPath names another file and wins over dataPath",
		options: { dataPath: "/srv/data", dbPath: "/srv/other.db" },
		path: "/srv/other.db",
	},
	{
		name: "CLANKERS_DATA_PATH wins over every option",
		options: { dataPath: "/srv/data", dbPath: "/srv/other.db" },
		environment: { CLANKERS_DATA_PATH: "/env" },
		path: "/env/clankers.db",
	},
	{
		name: "CLANKERS_DB_PATH wins over everything",
		options: { dbPath: "/srv/other.db" },
		environment: { CLANKERS_DATA_PATH: "/env", CLANKERS_DB_PATH: "/env/x.db" },
		path: "/env/x.db",
	},
	{
		name: "an empty variable is an unset one",
		environment: { CLANKERS_DB_PATH: "", CLANKERS_DATA_PATH: "" },
		path: DEFAULT_PATH,
	},
	{
		name: "a leading ~/ is the home folder",
		options: { dbPath: "~/notes/x.db" },
		path: "/home/user/notes/x.db",
	},
	{
		name: "Windows takes ~\\ and drive letters",
		machine: WINDOWS,
		options: { dataPath: "~\\data" },
		path: "C:\\Users\\user\\data\\clankers.db",
	},
	{
		name: "a relative path is reported, and the next in line is used",
		options: { dbPath: "/srv/other.db" },
		environment: { CLANKERS_DB_PATH: "x.db" },
		path: "/srv/other.db",
		problems: [
			"`CLANKERS_DB_PATH`: expected a path that begins with `/` or `~/`, found `x.db`; it is not used",
		],
	},
	{
		name: "a path that is no string is reported, and the default is used",
		options: { dbPath: 7, dataPath: null },
		path: DEFAULT_PATH,
		problems: [
			"`dbPath`: expected a path that begins with `/` or `~/`, found a number; it is not used",
			"`dataPath`: expected a path that begins with `/` or `~/`, found null; it is not used",
		],
	},
];

describe("the database's path", () => {
	for (const { name, options, environment, machine, path, problems } of PATHS)
		it(name, () => {
			const read = readConfig(options, environment ?? {}, machine ?? LINUX);
			assert.equal(read.config.database.path, path);
			assert.deepEqual(read.problems, problems ?? []);
		});

	it("has trouble written beside it, or else with the user's state", () => {
		const { troubleFiles } = readConfig({}, {}, LINUX).config;
		assert.deepEqual(troubleFiles, {
			beside: `${DEFAULT_PATH}.log`,
			shared: "/home/user/.local/state/clankers/trouble.log",
		});
		const shared = (XDG_STATE_HOME: string): string =>
			readConfig({}, { XDG_STATE_HOME }, LINUX).config.troubleFiles.shared;
		assert.equal(shared("/state"), "/state/clankers/trouble.log");
		assert.equal(shared("state"), troubleFiles.shared);
	});

	it("is in clankers' own folder only where nobody named another", () => {
		const own = (environment: Environment): boolean =>
			readConfig({}, environment, LINUX).config.database.inOwnFolder;
		assert.equal(own({}), true);
		assert.equal(own({ XDG_DATA_HOME: "/data" }), true);
		assert.equal(own({ CLANKERS_DATA_PATH: "/srv" }), false);
		assert.equal(own({ CLANKERS_DB_PATH: "/srv/x.db" }), false);
	});
});

describe("the other settings", () => {
	const read = (
		options: unknown,
		environment: Environment = {},
	): ReturnType<typeof readConfig> => readConfig(options, environment, LINUX);

	it("have defaults", () => {
		for (const nothing of [undefined, null, {}]) {
			const { config, problems } = read(nothing);
			assert.equal(config.logLevel, "info");
			assert.equal(config.onDelete, "tombstone");
			assert.equal(config.storage, "sqlite");
			assert.deepEqual(problems, []);
		}
	});

	it("take every word they know", () => {
		for (const logLevel of ["debug", "info", "warn", "error", "off"])
			assert.equal(read({ logLevel }).config.logLevel, logLevel);
		for (const onDelete of ["tombstone", "keep", "purge"])
			assert.equal(read({ onDelete }).config.onDelete, onDelete);
		for (const storage of ["sqlite", "daemon"])
			assert.equal(read({ storage }).config.storage, storage);
	});

	it("let CLANKERS_LOG_LEVEL win, in any case", () => {
		const { config } = read(
			{ logLevel: "debug" },
			{ CLANKERS_LOG_LEVEL: "ERROR" },
		);
		assert.equal(config.logLevel, "error");
	});

	it("fall back where a word is unknown, and report it", () => {
		const { config, problems } = read(
			{ logLevel: "loud", onDelete: true, storage: ["sqlite"] },
			{ CLANKERS_LOG_LEVEL: "quiet" },
		);
		assert.equal(config.logLevel, "info");
		assert.equal(config.onDelete, "tombstone");
		assert.equal(config.storage, "sqlite");
		assert.deepEqual(problems, [
			"`CLANKERS_LOG_LEVEL`: expected `debug`, `info`, `warn`, `error`, `off`, found `quiet`; it is not used",
			"`logLevel`: expected `debug`, `info`, `warn`, `error`, `off`, found `loud`; it is not used",
			"`onDelete`: expected `tombstone`, `keep`, `purge`, found a boolean; it is not used",
			"`storage`: expected `sqlite`, `daemon`, found an array; it is not used",
		]);
	});

	it("say how much may wait while nothing can be stored", () => {
		const pending = (options: unknown, environment?: Environment): number =>
			readConfig(options, environment ?? {}, LINUX).config.pendingMiB;
		assert.equal(pending({}), 32);
		assert.equal(pending({ pendingMiB: 8 }), 8);
		const environment = { CLANKERS_PENDING_MIB: "64" };
		assert.equal(pending({ pendingMiB: 8 }, environment), 64);
		for (const bad of [0, 1.5, -1, 4096, "8"])
			assert.equal(pending({ pendingMiB: bad }), 32);
		const { problems } = readConfig(
			{ pendingMiB: 0 },
			{ CLANKERS_PENDING_MIB: "much" },
			LINUX,
		);
		assert.deepEqual(problems, [
			"`CLANKERS_PENDING_MIB`: expected a whole number from 1 to 1024, found `much`; it is not used",
			"`pendingMiB`: expected a whole number from 1 to 1024, found a number; it is not used",
		]);
	});

	it("report an option nobody knows", () => {
		assert.deepEqual(read({ dbpath: "/x.db" }).problems, [
			"unknown option `dbpath`",
		]);
	});

	it("survive options that are no object", () => {
		for (const [options, found] of [
			["x", "`x`"],
			[[1], "an array"],
			[7, "a number"],
		] as const) {
			const { config, problems } = read(options);
			assert.equal(config.database.path, DEFAULT_PATH);
			assert.deepEqual(problems, [
				`\`options\`: expected an object, found ${found}; it is not used`,
			]);
		}
	});
});

describe("the daemon's place", () => {
	const read = (
		options: unknown,
		environment: Environment = {},
		machine: Machine = LINUX,
	): ReturnType<typeof readConfig>["config"] =>
		readConfig(options, environment, machine).config;
	const socketPath = (...given: Parameters<typeof read>): string =>
		read(...given).daemon.socketPath;

	it("is in the data folder, wherever the database is", () => {
		const folder = dirname(DEFAULT_PATH);
		assert.equal(socketPath({}), `${folder}/dxta-clankers.sock`);
		assert.equal(
			socketPath({ dbPath: "/srv/x.db" }),
			`${folder}/dxta-clankers.sock`,
		);
		const { daemon } = read({ dataPath: "/a" }, { CLANKERS_DATA_PATH: "/b" });
		assert.equal(daemon.socketPath, "/b/dxta-clankers.sock");
	});

	it("is a pipe named after the data folder on Windows", () => {
		assert.equal(
			socketPath({ dataPath: "C:\\Données\\a_b" }, {}, WINDOWS),
			"\\\\.\\pipe\\C--Données-a-b-dxta-clankers.sock",
		);
	});

	it("records there when CLANKERS_SOCKET_PATH names it", () => {
		const environment = { CLANKERS_SOCKET_PATH: "~/x.sock" };
		const config = read({ socketPath: "/y.sock" }, environment);
		assert.equal(config.storage, "daemon");
		assert.equal(config.daemon.socketPath, "/home/user/x.sock");
		assert.equal(read({ storage: "sqlite" }, environment).storage, "daemon");
		assert.equal(read({ socketPath: "/y.sock" }).storage, "sqlite");
		assert.equal(socketPath({ socketPath: "/y.sock" }), "/y.sock");
	});

	it("says that nothing waits for the daemon any more", () => {
		const { problems } = readConfig({ outboxMiB: 8 }, {}, LINUX);
		assert.deepEqual(problems, [
			"option `outboxMiB` does nothing: while the daemon is away, this process writes the database itself",
		]);
	});
});
