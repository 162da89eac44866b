import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type Machine, readConfig, settingsFile } from "../src/config.ts";
import type { Context } from "../src/hosts/opencode2.ts";
import { record } from "../src/plugin.ts";
import { readRecorded } from "../src/recorded.ts";
import { setup } from "../src/setup.ts";
import { listeningClient } from "./support/client.ts";
import {
	assistantMessage,
	sessionCreated,
	sessionIdle,
	textDelta,
	textPart,
} from "./support/events.ts";
import { ScriptedOpenCode2 } from "./support/opencode2.ts";
import { query } from "./support/query.ts";
import { newDatabasePath, temporaryFolder } from "./support/temporary.ts";
import { until } from "./support/until.ts";

const LINUX: Machine = { platform: "linux", home: "/home/user" };

describe("the file of a person's own settings", () => {
	it("is in the person's configuration", () => {
		const usual = "/home/user/.config/clankers/config.json";
		assert.equal(settingsFile({}, LINUX), usual);
		assert.equal(settingsFile({ XDG_CONFIG_HOME: "a/b" }, LINUX), usual);
		assert.equal(
			settingsFile({ XDG_CONFIG_HOME: "/xdg" }, LINUX),
			"/xdg/clankers/config.json",
		);
	});

	it("is beside the data on macOS and Windows", () => {
		const machine: Machine = { platform: "darwin", home: "/Users/user" };
		assert.equal(
			settingsFile({ XDG_CONFIG_HOME: "/xdg" }, machine),
			"/Users/user/Library/Application Support/clankers/config.json",
		);
		const windows: Machine = { platform: "win32", home: "C:\\Users\\user" };
		assert.equal(
			settingsFile({ APPDATA: "D:\\Roaming" }, windows),
			"D:\\Roaming\\clankers\\config.json",
		);
	});
});

describe("what is recorded", () => {
	let home: string;
	let file: string;
	let dbPath: string;

	beforeEach(() => {
		home = temporaryFolder();
		mkdirSync(join(home, "clankers"));
		file = join(home, "clankers", "config.json");
		dbPath = newDatabasePath();
		process.env["XDG_CONFIG_HOME"] = home;
	});

	afterEach(() => {
		delete process.env["XDG_CONFIG_HOME"];
	});

	const read = (): ReturnType<typeof readRecorded> =>
		readRecorded(
			{ XDG_CONFIG_HOME: home },
			{ platform: "linux", home: join(home, "me") },
		);
	const rows = (sql: string): unknown[] => query(dbPath, sql);

	it("is everything where nothing is said", () => {
		const { recorded, problems } = read();
		assert.equal(recorded.content, "full");
		assert.deepEqual(recorded.ignored.globs, []);
		assert.deepEqual(problems, []);
	});

	it("is the same where nothing is said as where the core is asked for everything", () => {
		const nothing = read();
		writeFileSync(file, "{}");
		assert.deepEqual(read(), nothing);
		writeFileSync(file, '{"content":"full","ignore":[]}');
		assert.deepEqual(read(), nothing);
	});

	it("is what the file and the environment say together", () => {
		writeFileSync(file, '{"content":"metadata","ignore":["~/a"]}');
		const { recorded, problems } = readRecorded(
			{
				XDG_CONFIG_HOME: home,
				CLANKERS_CONTENT: "full",
				CLANKERS_IGNORE: "b:c",
			},
			LINUX,
		);
		assert.equal(recorded.content, "full");
		assert.equal(read().recorded.content, "metadata");
		assert.deepEqual(recorded.ignored.globs, ["**/b", "**/c", "home/user/a"]);
		assert.deepEqual(problems, []);
	});

	it("is nothing where the file cannot be read, and no content where that is not known", () => {
		writeFileSync(file, '{"content":"none"}');
		const wrong = read();
		assert.equal(wrong.recorded.content, "metadata");
		assert.deepEqual(wrong.recorded.ignored.globs, []);
		assert.match(String(wrong.problems), /no content is stored until/);
		writeFileSync(file, "content: metadata");
		const broken = read();
		assert.deepEqual(broken.recorded.ignored.globs, ["**"]);
		assert.match(String(broken.problems), /nothing is recorded until/);
		home = temporaryFolder();
		mkdirSync(join(home, "clankers", "config.json"), { recursive: true });
		const { recorded, problems } = read();
		assert.deepEqual(recorded.ignored.globs, ["**"]);
		assert.match(String(problems[0]), /cannot be read: it is no file/);
	});

	it("is not for an option to say", () => {
		const { problems } = readConfig(
			{ content: "metadata", ignore: [] },
			{},
			LINUX,
		);
		assert.deepEqual(problems, [
			"option `content` is not taken from here, where a project could set it: it belongs in `/home/user/.config/clankers/config.json` or `CLANKERS_CONTENT`",
			"option `ignore` is not taken from here, where a project could set it: it belongs in `/home/user/.config/clankers/config.json` or `CLANKERS_IGNORE`",
		]);
	});

	it("holds for what OpenCode 1 tells", async () => {
		writeFileSync(file, '{"content":"metadata"}');
		const hooks = await record({ client: listeningClient() }, { dbPath });
		for (const event of [
			sessionCreated("ses_1", "wisteria"),
			assistantMessage("ses_1", "msg_1"),
			textPart("ses_1", "msg_1", "prt_1", ""),
			textDelta("ses_1", "msg_1", "prt_1", "quokka"),
			sessionIdle("ses_1"),
		])
			hooks.event?.({ event });
		await hooks.dispose?.();
		await until("it is closed", () => !existsSync(`${dbPath}-wal`));
		assert.deepEqual(rows("SELECT title, project_path FROM sessions"), [
			{ title: null, project_path: null },
		]);
		assert.deepEqual(rows("SELECT id, type, text FROM parts"), [
			{ id: "prt_1", type: "text", text: null },
		]);
		const bytes = readFileSync(dbPath);
		for (const word of ["wisteria", "quokka"])
			assert.ok(!bytes.includes(word), word);
	});

	it("is nothing of a directory that is ignored", async () => {
		writeFileSync(file, '{"ignore":["secret"]}');
		const client = listeningClient();
		const directory = "/home/user/secret/deep";
		const hooks = await record({ client, directory }, { dbPath });
		assert.deepEqual(hooks, {});
		const opencode = new ScriptedOpenCode2();
		const context: Context = opencode.context({ dbPath }, directory);
		assert.equal(setup(context), undefined);
		assert.equal(opencode.open, 0);
	});
});
