/** A person's own settings say what is recorded; a project's files say nothing about it. */

import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Home } from "./harness/home.ts";
import type { ScriptedModel } from "./harness/model.ts";
import { pluginByFolder, pluginByPath } from "./harness/plugin.ts";
import { until } from "./harness/poll.ts";
import { clankers, diagnosed } from "./harness/program.ts";
import { PINNED_RELEASE } from "./harness/releases.ts";
import { call, think } from "./harness/script.ts";
import { inWorld } from "./harness/world.ts";
import { withDatabase } from "./mirror/database.ts";
import { inWorld2 } from "./opencode2/world.ts";

const SECRET = "walled-garden";
const SETTINGS = { content: "metadata", ignore: ["walled-*"] };
/** What a project would have instead. */
const OF_PROJECT = { content: "full", ignore: [] };

/** Words of the conversations, each somewhere else in them. */
const WORDS = {
	title: "Wisteria",
	prompt: "quokkas",
	thought: "marmalade",
	answer: "Zeppelin",
	command: "tambourine",
};
const PROMPT = `Are there ${WORDS.prompt} here?`;

test(
	`${PINNED_RELEASE}: no word is stored of what is recorded, and nothing at all of a project that is ignored`,
	() =>
		inWorld(
			{ plugins: [[pluginByPath(), OF_PROJECT]] },
			async ({ home, model, database, serve }) => {
				settle(home);
				const garden = home.makeProject(SECRET);
				const { api } = await serve();
				for (const one of [api.in(garden), api]) {
					script(model, "bash");
					const { id } = await one.createSession({ title: WORDS.title });
					await one.prompt(id, PROMPT);
					expect(JSON.stringify(await one.messages(id))).toContain(
						WORDS.command,
					);
				}
				await recorded(home, database);
			},
		),
	600_000,
);

test(
	"2.0.15: no word is stored of what is recorded, and nothing at all of a project that is ignored",
	() =>
		inWorld2(
			{
				plugins: [{ package: pluginByFolder(), options: OF_PROJECT }],
				prepare: settle,
			},
			async ({ home, model, database, api }) => {
				const garden = home.makeProject(SECRET);
				// The second time each hears the other's events too.
				for (const one of [api, api.in(garden), api.in(garden), api]) {
					script(model, "shell");
					const { id } = await one.createSession({ title: WORDS.title });
					await one.prompt(id, PROMPT);
					expect(JSON.stringify(await one.messages(id))).toContain(
						WORDS.command,
					);
				}
				await recorded(home, database, 2);
			},
		),
	600_000,
);

/** Writes a person's settings, and what a project may say against them. */
function settle(home: Home): void {
	const folder = join(home.root, "config", "clankers");
	mkdirSync(folder, { recursive: true });
	writeFileSync(join(folder, "config.json"), JSON.stringify(SETTINGS));
	writeFileSync(join(home.project, ".env"), "CLANKERS_CONTENT=full\n");
}

function script(model: ScriptedModel, shell: string): void {
	const command = `echo ${WORDS.command}`;
	const described = { command, description: `Says ${WORDS.command}` };
	model.script(
		PROMPT,
		{ thought: `No ${WORDS.thought}.`, ...call(shell, described) },
		think("Done.", `A ${WORDS.answer}, and no more.`),
	);
}

/** Checks what is stored of as many conversations in the project, and what `clankers` says of it. */
async function recorded(home: Home, database: string, many = 1): Promise<void> {
	const rows = (sql: string) =>
		withDatabase(database, (open) => open.query(sql).values());
	const steps = (): boolean => {
		const [row] = rows(
			"SELECT count(*) FROM usage JOIN sessions ON sessions.id = session_id WHERE status = 'idle'",
		);
		return row?.[0] === 2 * many;
	};
	await until("its steps", steps);
	expect(
		rows(
			"SELECT DISTINCT project_name, project_path, title FROM sessions ORDER BY 1",
		),
	).toEqual([["project", null, null]]);
	expect(rows("SELECT DISTINCT tool, status, output FROM tool_calls")).toEqual([
		[expect.stringMatching(/^(bash|shell)$/), "completed", null],
	]);
	const [spent] = rows("SELECT steps, cost > 0 FROM usage_by_project");
	expect(spent).toEqual([2 * many, 1]);
	expectSilent(dirname(database));
	const { status, output } = clankers(home, ["import"]);
	expect(status, output).toBe(0);
	expect(output).toContain("of projects that are ignored");
	expect(rows("SELECT DISTINCT project_name FROM sessions")).toEqual([
		["project"],
	]);
	expectSilent(dirname(database));
	expect(clankers(home, ["status"]).output).toContain(
		"content: metadata, 1 glob of projects ignored",
	);
	expect(diagnosed(home, "recorded")).toMatchObject([{ level: "good" }]);
}

/** No file in the folder holds a word. */
function expectSilent(folder: string): void {
	const files = readdirSync(folder, { recursive: true, withFileTypes: true });
	const found = files
		.filter((file) => file.isFile())
		.flatMap(({ parentPath, name }) => {
			const bytes = readFileSync(join(parentPath, name));
			const words = [...Object.values(WORDS), SECRET];
			return words.filter((word) => bytes.includes(word));
		});
	expect(files.length).toBeGreaterThan(0);
	expect(found).toEqual([]);
}
