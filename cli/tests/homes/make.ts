/**
 * Makes the homes that the import's tests read: `bun cli/tests/homes/make.ts [HOME …]`.
 * Real releases hold a served conversation. What OpenCode kept is written down beside what the plugin recorded
 * meanwhile, or, where two releases worked on one home, what both answered in the end; with the machine's own paths
 * replaced.
 */

import { Database } from "bun:sqlite";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Home } from "../../../tests/e2e/harness/home.ts";
import { ScriptedModel } from "../../../tests/e2e/harness/model.ts";
import { Server } from "../../../tests/e2e/harness/opencode.ts";
import { databaseOf, pluginByFolder, pluginByPath } from "../../../tests/e2e/harness/plugin.ts";
import { until } from "../../../tests/e2e/harness/poll.ts";
import { binaryOf, KILO_RELEASE, OPENCODE_2_RELEASE, PINNED_RELEASE } from "../../../tests/e2e/harness/releases.ts";
import { SCENARIOS } from "../../../tests/e2e/opencode2/scenarios/index.ts";
import { inWorld2 } from "../../../tests/e2e/opencode2/world.ts";
import { forkedCaller } from "../../../tests/e2e/scenario/history.ts";
import { SERVED } from "../../../tests/e2e/scenario/index.ts";
import { openStage, play } from "../../../tests/e2e/scenario/play.ts";
import { IN_TURN } from "../../../tests/e2e/takeover/history.ts";
import { House } from "../../../tests/e2e/takeover/house.ts";
import { truthOf } from "../../../tests/e2e/takeover/truth.ts";

const TAKEN_OVER = `${PINNED_RELEASE}-${OPENCODE_2_RELEASE}`;
const HOMES = ["1.0.61", "1.1.31", "1.3.2", PINNED_RELEASE, KILO_RELEASE, OPENCODE_2_RELEASE, TAKEN_OVER];
const KEPT = ["session", "message", "part", "todo", "session_v2", "session_message", "kilo_board"];
const RECORDED = ["sessions", "session_own", "messages", "parts", "tool_calls", "usage", "session_errors", "todos"];
/** What is played on OpenCode 2. */
const PLAYED = ["tools", "failing-tools", "reasoning", "attachments", "sub-agent", "persons-shell", "forked", "compacted"];

for (const name of process.argv.length > 2 ? process.argv.slice(2) : HOMES) {
	if (name === TAKEN_OVER) await makeTakenOver();
	else if (name === OPENCODE_2_RELEASE) await make2();
	else await make(name);
	console.log(name);
}
process.exit(0);

async function make(release: string): Promise<void> {
	const model = await ScriptedModel.start();
	const home = new Home({ release, modelURL: model.baseURL, plugins: [pluginByPath()] });
	try {
		const server = await Server.start(home);
		const stage = await openStage(home, model, server);
		for (const step of release === KILO_RELEASE ? [forkedCaller, ...SERVED] : SERVED) {
			const { result, detail } = await play(stage, step);
			if (result === "failed") throw new Error(`${release} ${step.name}: ${detail}`);
		}
		stage.bus.close();
		await server.stop();
		const write = writer(release, home);
		const recorded = writeRecorded(home, write);
		if (readdirSync(home.store).includes(databaseName(home))) writeKept(home, write);
		else write("storage.jsonl", files(join(home.store, "storage")));
		const session = titled(recorded, "Tools that work");
		write("export.json", run(home, ["export", session]));
		if (release === PINNED_RELEASE) write("sanitized.json", run(home, ["export", session, "--sanitize"]));
	} finally {
		await model.stop();
		home.remove();
	}
}

async function make2(): Promise<void> {
	const plugins = [pluginByFolder()];
	await inWorld2({ plugins }, async (world) => {
		const { api, home } = world;
		// The first prompt starts the plugin, and what came before it nobody hears.
		const { id } = await api.createSession({ title: "Warming up" });
		await api.prompt(id, "Warm up.");
		await until("the plugin", () => readdirSync(home.root, { recursive: true }).includes("data/clankers/clankers.db"));
		for (const scenario of SCENARIOS) if (PLAYED.includes(scenario.name)) await scenario.run(world);
		await world.witness.answers(api);
		await world.stop();
		const write = writer(OPENCODE_2_RELEASE, home);
		const recorded = writeRecorded(home, write);
		writeKept(home, write);
		const session = ["session", "export", "--standalone", titled(recorded, "Tools")];
		write("export.json", run(home, session));
		write("sanitized.json", run(home, [...session, "--sanitize"]));
	});
}

async function makeTakenOver(): Promise<void> {
	await House.open("none", async (house) => {
		const { home } = house;
		const write = writer(TAKEN_OVER, home);
		for (const [number, phase] of IN_TURN.entries()) {
			await phase(house);
			if (number > 0) continue;
			// What follows adds rows, and changes none but those of sessions.
			write("before.jsonl", rows(new Database(house.store), ["session"]));
		}
		writeKept(home, write);
		const { rows: expected, cost } = await truthOf(house);
		const ids = expected.map(({ table, id }) => line({ table, id }));
		write("expected.jsonl", [...ids.sort(), line({ cost })].join(""));
	});
}

type Write = (name: string, text: string) => void;

function writer(name: string, home: Home): Write {
	const folder = new URL(`./${name}/`, import.meta.url).pathname;
	mkdirSync(folder, { recursive: true });
	return (file, text) => writeFileSync(join(folder, file), text.replaceAll(home.root, "/home/user"));
}

function writeRecorded(home: Home, write: Write): Database {
	const recorded = new Database(databaseOf(home));
	write("recorded.jsonl", rows(recorded, RECORDED));
	return recorded;
}

function writeKept(home: Home, write: Write): void {
	const kept = new Database(join(home.store, databaseName(home)));
	const tables = kept.query<{ name: string; sql: string }, []>("SELECT name, sql FROM sqlite_schema WHERE type = 'table'");
	const there = tables.all().filter(({ name }) => KEPT.includes(name));
	const names = KEPT.filter((kept) => there.some(({ name }) => name === kept));
	write(`${home.application.name}.jsonl`, there.map(({ sql }) => line({ sql })).join("") + rows(kept, names));
}

function titled(recorded: Database, title: string): string {
	const sql = "SELECT id FROM sessions WHERE title = ?";
	const found = recorded.query<{ id: string }, [string]>(sql).get(title);
	if (!found) throw new Error(`there is no session "${title}"`);
	return found.id;
}

/** What a release prints. */
function run(home: Home, args: readonly string[]): string {
	const options = { cwd: home.project, env: { ...home.env }, encoding: "utf8" } as const;
	return spawnSync(binaryOf(home.options.release), args, options).stdout;
}

function line(value: unknown): string {
	return `${JSON.stringify(value)}\n`;
}

function rows(database: Database, tables: readonly string[]): string {
	const of = (table: string): string =>
		database
			.query(`SELECT * FROM ${table} ORDER BY 1, 2`)
			.all()
			.map((row) => line({ table, row }))
			.join("");
	return tables.map(of).join("");
}

function files(storage: string): string {
	return readdirSync(storage, { recursive: true, encoding: "utf8" })
		.filter((path) => path.endsWith(".json") && /^(session|message|part|todo)\//.test(path))
		.sort()
		.map((path) => line({ path, text: readFileSync(join(storage, path), "utf8") }))
		.join("");
}

/** The database of the program whose home it is. */
function databaseName({ application }: Home): string {
	return `${application.name}.db`;
}
