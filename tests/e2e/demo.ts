/**
 * The demo: three turns in a real OpenCode (a chat, a tool call, a sub-agent)
 * with the plugin loaded, one in OpenCode 2, and the rows they leave in one database. The model is scripted on
 * loopback; everything else is real. Nothing of the person's own is touched.
 */

import { spawnSync } from "node:child_process";
import { copyFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Rows, readRows } from "./demo/rows.ts";
import { table } from "./demo/table.ts";
import { type Finished, runTurn } from "./harness/opencode.ts";
import { pluginByFolder, programFile } from "./harness/plugin.ts";
import { OPENCODE_2_RELEASE, PINNED_RELEASE } from "./harness/releases.ts";
import { call, say } from "./harness/script.ts";
import { inWorld, type World } from "./harness/world.ts";
import { inWorld2 } from "./opencode2/world.ts";

interface Turn {
	readonly what: string;
	readonly prompt: string;
	readonly title: string;
}

const TURNS: readonly Turn[] = [
	{
		what: "a chat",
		prompt: "What is a WAL in SQLite?",
		title: "Write-ahead logs",
	},
	{
		what: "a tool call",
		prompt: "How many files are in this project?",
		title: "Counting files",
	},
	{
		what: "a sub-agent",
		prompt: "Have the README reviewed.",
		title: "README review",
	},
];

/** What is said in OpenCode 2. */
const SECOND_MAJOR = {
	prompt: "What is a checkpoint?",
	title: "Checkpoints",
	answer:
		"The log's changes are written into the database, and the log begins anew.",
};

const print = (text = ""): void => void process.stdout.write(`${text}\n`);
const bold = (text: string): string =>
	process.stdout.isTTY ? `\u001b[1m${text}\u001b[0m` : text;
const dollars = (cost: number): string => `$${cost.toFixed(4)}`;

print(
	bold(
		`==> Real OpenCode ${PINNED_RELEASE}, with the plugin, in a throw-away home`,
	),
);
const kept = join(tmpdir(), `clankers-demo-${process.pid}.db`);
await inWorld({ release: PINNED_RELEASE }, async (world) => {
	script(world);
	for (const [index, turn] of TURNS.entries())
		await play(world, turn, index + 1);
	copyFileSync(world.database, kept);
});
print(bold(`==> Real OpenCode ${OPENCODE_2_RELEASE}, with the same database`));
await inWorld2(
	{ plugins: [pluginByFolder()], env: { CLANKERS_DB_PATH: kept } },
	async ({ model, runStandalone }) => {
		model.title(SECOND_MAJOR.prompt, SECOND_MAJOR.title);
		model.script(SECOND_MAJOR.prompt, say(SECOND_MAJOR.answer));
		print(`    turn 4, a chat: opencode run "${SECOND_MAJOR.prompt}"`);
		expectEnd(await runStandalone(SECOND_MAJOR.prompt));
	},
);
const rows = readRows(kept);
show(rows);
showProgram();
const missing = whatIsMissing(rows);
if (missing.length > 0) {
	print(bold("Something is missing:"));
	for (const line of missing) print(`  ${line}`);
	process.exit(1);
}
showUse();

/** What the model will say. */
function script({ model }: World): void {
	for (const { prompt, title } of TURNS) model.title(prompt, title);
	const [chat, tool, agent] = TURNS.map(({ prompt }) => prompt);
	model.script(
		chat ?? "",
		say(
			"A write-ahead log: changes are appended to it first, so that readers and a writer do not wait for each other.",
		),
	);
	model.script(
		tool ?? "",
		call("bash", { command: "ls | wc -l", description: "Count the files" }),
		say("There is one file in this project."),
	);
	model.script(
		agent ?? "",
		call("task", {
			description: "Review the README",
			prompt: "Read README.md and say what is unclear.",
			subagent_type: "general",
		}),
		say("The reviewer found it clear."),
	);
	model.script(
		"Read README.md and say what is unclear.",
		say("Nothing is unclear; it is short."),
	);
}

async function play(world: World, turn: Turn, number: number): Promise<void> {
	print(`    turn ${number}, ${turn.what}: opencode run "${turn.prompt}"`);
	expectEnd(await runTurn(world.home, turn.prompt));
}

function expectEnd({ code, output }: Finished): void {
	if (code === 0) return;
	print(output);
	throw new Error(`opencode ended with ${code}`);
}

function show({
	sessions,
	messages,
	toolCalls,
	usage,
	rejections,
}: Rows): void {
	print();
	print(bold(`Sessions (${sessions.length})`));
	print(
		table(sessions, [
			{ heading: "title", value: ({ title }) => title ?? "", flexible: true },
			{ heading: "project", value: ({ project_name }) => project_name },
			{ heading: "model", value: ({ model }) => model },
			{ heading: "messages", value: ({ messages }) => messages },
			{ heading: "tokens", value: ({ tokens }) => tokens },
			{ heading: "cost", value: ({ cost }) => dollars(cost) },
			{
				heading: "parent",
				value: ({ parent }) => parent ?? "–",
				flexible: true,
			},
		]),
	);
	print();
	print(bold(`Messages (${messages.length})`));
	print(
		table(messages, [
			{
				heading: "session",
				value: ({ session }) => session ?? "",
				flexible: true,
			},
			{ heading: "role", value: ({ role }) => role },
			{
				heading: "text",
				value: ({ text_content }) => text_content,
				flexible: true,
			},
			{
				heading: "cost",
				value: ({ cost }) => (cost > 0 ? dollars(cost) : "–"),
			},
		]),
	);
	print();
	print(bold(`Tool calls (${toolCalls.length})`));
	print(
		table(toolCalls, [
			{ heading: "tool", value: ({ tool }) => tool },
			{ heading: "status", value: ({ status }) => status },
			{ heading: "title", value: ({ title }) => title ?? "", flexible: true },
			{ heading: "ms", value: ({ duration_ms }) => duration_ms },
			{
				heading: "session",
				value: ({ session }) => session ?? "",
				flexible: true,
			},
		]),
	);
	print();
	print(bold("Usage, from the ledger"));
	print(
		table(usage, [
			{ heading: "provider", value: ({ provider }) => provider ?? "–" },
			{ heading: "model", value: ({ model }) => model ?? "–" },
			{ heading: "steps", value: ({ steps }) => steps },
			{ heading: "prompt tokens", value: ({ prompt_tokens }) => prompt_tokens },
			{
				heading: "completion tokens",
				value: ({ completion_tokens }) => completion_tokens,
			},
			{ heading: "cost", value: ({ cost }) => dollars(cost) },
		]),
	);
	print();
	print(
		`  Every message references its session; ${rejections} kinds of event were refused.`,
	);
}

/** The same through the program that comes with the plugin. */
function showProgram(): void {
	const session = rows.sessions.find(
		({ title }) => title === TURNS.at(-1)?.title,
	);
	for (const args of [
		["stats", "--tree"],
		["show", session?.id ?? ""],
	]) {
		print();
		print(bold(`$ clankers ${args.join(" ")}`));
		const { status, stdout, stderr } = spawnSync(programFile(), args, {
			encoding: "utf8",
			env: { ...process.env, CLANKERS_DB_PATH: kept, COLUMNS: "100" },
		});
		print(stdout.trimEnd());
		if (status !== 0) throw new Error(`it ended with ${status}: ${stderr}`);
	}
}

function whatIsMissing({
	sessions,
	messages,
	toolCalls,
	usage,
	orphans,
}: Rows): string[] {
	const expected: [string, boolean][] = [
		[
			"four conversations and a sub-agent's, five sessions",
			sessions.length === 5,
		],
		[
			"one of them had in OpenCode 2",
			sessions.some(({ title }) => title === SECOND_MAJOR.title),
		],
		[
			"each with a title, a project and a model",
			sessions.every(
				({ title, project_name, model }) => title && project_name && model,
			),
		],
		[
			"each with tokens and a cost",
			sessions.every(({ tokens, cost }) => tokens > 0 && cost > 0),
		],
		[
			"one sub-agent's session with its parent",
			sessions.filter(({ parent }) => parent).length === 1,
		],
		["the messages of every turn", messages.length >= 10],
		[
			"a `bash` and a `task` call",
			["bash", "task"].every((tool) =>
				toolCalls.some(
					(call) => call.tool === tool && call.status === "completed",
				),
			),
		],
		["what was spent", usage.some(({ cost }) => cost > 0)],
		["a session for every message", orphans === 0],
	];
	return expected.filter(([, holds]) => !holds).map(([what]) => what);
}

function showUse(): void {
	print();
	print(bold("Ask it yourself"));
	print(`  sqlite3 -readonly -box ${kept} "SELECT * FROM session_usage"`);
	print();
	print(bold("To record your own OpenCode"));
	print("  make install && clankers install");
	print("  opencode      # what you say next is recorded");
	print("  The rows are then in ~/.local/share/clankers/clankers.db.");
}
