/**
 * Makes the homes that the import's tests read: `bun cli/tests/homes/make.ts [RELEASE …]`.
 * A real release plays a served conversation with the plugin installed. What OpenCode kept and what the plugin
 * recorded are written down side by side, with the machine's own paths replaced.
 */

import { Database } from "bun:sqlite";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Home } from "../../../tests/e2e/harness/home.ts";
import { ScriptedModel } from "../../../tests/e2e/harness/model.ts";
import { Server } from "../../../tests/e2e/harness/opencode.ts";
import { binaryOf } from "../../../tests/e2e/harness/releases.ts";
import { SERVED } from "../../../tests/e2e/scenario/index.ts";
import { openStage, play } from "../../../tests/e2e/scenario/play.ts";

const RELEASES = ["1.0.61", "1.1.31", "1.3.2", "1.18.34"];
const PLUGIN = new URL("../../../plugin-shim/dist/index.js", import.meta.url).href;
const KEPT = ["session", "message", "part", "todo"];
const RECORDED = ["sessions", "session_own", "messages", "parts", "tool_calls", "usage", "session_errors", "todos"];

for (const release of process.argv.length > 2 ? process.argv.slice(2) : RELEASES) await make(release);
process.exit(0);

async function make(release: string): Promise<void> {
	const model = await ScriptedModel.start();
	const home = new Home({ release, modelURL: model.baseURL, plugins: [PLUGIN] });
	try {
		const server = await Server.start(home);
		const stage = await openStage(home, model, server);
		for (const step of SERVED) {
			const { result, detail } = await play(stage, step);
			if (result === "failed") throw new Error(`${release} ${step.name}: ${detail}`);
		}
		stage.bus.close();
		await server.stop();
		const folder = new URL(`./${release}/`, import.meta.url).pathname;
		mkdirSync(folder, { recursive: true });
		const write = (name: string, text: string): void =>
			writeFileSync(join(folder, name), text.replaceAll(home.root, "/home/user"));
		const data = join(home.root, "data");
		const recorded = new Database(join(data, "clankers/clankers.db"));
		write("recorded.jsonl", rows(recorded, RECORDED));
		const database = join(data, "opencode/opencode.db");
		if (readdirSync(join(data, "opencode")).includes("opencode.db")) {
			const kept = new Database(database);
			write("opencode.jsonl", schema(kept) + rows(kept, KEPT));
		} else write("storage.jsonl", files(join(data, "opencode/storage")));
		const last = recorded.query("SELECT id FROM sessions WHERE title = 'Tools that work'").get() as { id: string };
		const exported = Bun.spawnSync([binaryOf(release), "export", last.id], {
			cwd: home.project,
			env: { ...home.env },
		});
		write("export.json", exported.stdout.toString());
		console.log(release);
	} finally {
		await model.stop();
		home.remove();
	}
}

function line(value: unknown): string {
	return `${JSON.stringify(value)}\n`;
}

function schema(database: Database): string {
	const tables = database.query("SELECT name, sql FROM sqlite_schema WHERE type = 'table'").all() as {
		name: string;
		sql: string;
	}[];
	return tables
		.filter(({ name }) => KEPT.includes(name))
		.map(({ sql }) => line({ sql }))
		.join("");
}

function rows(database: Database, tables: string[]): string {
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
