/** Scenarios that take more than one process, each in a world of its own. */

import type { Api } from "../harness/api.ts";
import type { Home } from "../harness/home.ts";
import type { ScriptedModel } from "../harness/model.ts";
import { runTurn } from "../harness/opencode.ts";
import { pluginByPath } from "../harness/plugin.ts";
import { until } from "../harness/poll.ts";
import { leavesEarly, releaseNamed } from "../harness/releases.ts";
import { call, hang, say, think } from "../harness/script.ts";
import { inWorld } from "../harness/world.ts";
import type { Difference, Report } from "../mirror/compare.ts";
import { withDatabase } from "../mirror/database.ts";
import { type Rules, rulesFor } from "../mirror/expected/rules.ts";
import { Witness } from "../mirror/truth.ts";
import { checkMirror, settledMirror } from "../mirror.ts";
import { renamed, reverted, revertToTool } from "./history.ts";
import { SERVED } from "./index.ts";
import { openStage, play } from "./play.ts";
import { subAgent, todos } from "./turns.ts";

/** Plays on one release, and compares at the end. */
export type WholeScenario = (release: string) => Promise<Report>;

/**
 * `opencode run`, one process per turn. Each is compared by an OpenCode without
 * the plugin, which mends nothing, but for what no event tells before a process
 * leaves: the last time of change (up to 1.1), the last totals (1.15, Kilo). The
 * next process makes that up.
 */
export const runs: WholeScenario = (release) =>
	inWorld({ release }, async (world) => {
		const { home, model, database } = world;
		const rules: Rules = { release, tombstones: "all" };
		model.script("Say hello.", think("A greeting.", "Hello."));
		model.script(
			"List the files.",
			call("bash", { command: "ls", description: "List files" }),
			say("One file."),
		);
		model.script(
			"Have them counted.",
			call("task", {
				description: "Count",
				prompt: "Count them.",
				subagent_type: "general",
			}),
			say("Counted."),
		);
		model.script("Count them.", say("There is one."));
		for (const [turn, prompt] of [
			"Say hello.",
			"List the files.",
			"Have them counted.",
		].entries()) {
			const output = await run(home, prompt, turn === 0 ? [] : ["-c"]);
			if (output.includes("clankers"))
				throw new Error(`the plugin printed: ${output}`);
			const server = await world.serveWithoutPlugin();
			const report = checkMirror(
				database,
				await new Witness().truth(server.api),
				rules,
			);
			await server.stop();
			home.configure([pluginByPath()]);
			const isUntold = ({ table, column }: Difference): boolean =>
				table === "sessions" && toldLate(release).includes(column);
			if (!report.differences.every(isUntold)) return report;
		}
		const server = await world.serve();
		return await settledMirror(database, new Witness(), [server.api], rules);
	});

/** `kill -9` while the model speaks, and a restart: catch-up makes it what OpenCode kept. */
export const killed: WholeScenario = (release) =>
	inWorld({ release }, async ({ home, model, database, serve }) => {
		const first = await serve();
		const stage = await openStage(home, model, first);
		model.script("Say hello.", say("Hello."));
		model.script(
			"Speak until you are killed.",
			hang("These are my last words"),
		);
		const session = await first.api.createSession();
		await first.api.prompt(session.id, "Say hello.");
		first.api.begin(session.id, "Speak until you are killed.");
		await stage.bus.hears(session.id, "These are my last words");
		// What was streamed is stored within a second, whatever comes.
		await until(
			"the last words in the database",
			() =>
				wordsStored(database, "These are my last words") ||
				release.startsWith("1.14."),
			5000,
		);
		stage.bus.close();
		await first.stop("SIGKILL");
		const second = await serve();
		return await settledMirror(
			database,
			stage.witness,
			[second.api],
			rulesFor(release),
		);
	});

/**
 * A history that began before the plugin was installed: catch-up brings it in, and invents nothing.
 * The last session is gone on with before anything was compared, by a process that leaves at once.
 */
export const installedLater: WholeScenario = (release) =>
	inWorld(
		{ release, plugins: [] },
		async ({ home, model, database, serve }) => {
			const before = await serve();
			const stage = await openStage(home, model, before);
			for (const step of SERVED) {
				const { result, detail } = await play(stage, step);
				if (result === "failed") throw new Error(`${step.name}: ${detail}`);
			}
			stage.bus.close();
			await before.stop();
			home.configure([pluginByPath()]);
			model.script("Go on.", say("Gone on."));
			await run(home, "Go on.", ["-c"]);
			const after = await serve();
			// OpenCode loads a project's plugins when the project is first asked for.
			await after.api.sessions();
			return await settledMirror(database, stage.witness, [after.api], {
				release,
				tombstones: "those there are",
			});
		},
	);

/** A history longer than a page of any list that OpenCode answers. */
export const longHistory: WholeScenario = (release) =>
	inWorld({ release, plugins: [] }, async ({ home, database, serve }) => {
		const before = await serve();
		const long = await before.api.createSession({ title: "Many messages" });
		for (let number = 0; number < 120; number += 1) {
			await before.api.createSession({ title: `Session ${number}` });
			await before.api.prompt(long.id, `Note ${number}`, { noReply: true });
		}
		await before.stop();
		home.configure([pluginByPath()]);
		const { api } = await serve();
		await api.createSession({ title: "The plugin is here" });
		return await settledMirror(
			database,
			new Witness(),
			[api],
			rulesFor(release),
			60_000,
		);
	});

/**
 * What a person does while the plugin is away: catch-up sees what changed, what came and what was deleted.
 * A shell command may leave a session's time of change as it was: it is seen once the session goes on.
 */
export const changedMeanwhile: WholeScenario = (release) =>
	meanwhile(
		release,
		async (api, model, open) => {
			model.script("While nobody looks.", say("Nobody looked."));
			await api.remove(await open("Delegation"));
			const renamed = await open("Todos");
			await api.rename(renamed, "Renamed unseen");
			await api.prompt(renamed, "While nobody looks.");
			const reverted = await open("Reverted");
			await api.unrevert(reverted);
			const { agent } = releaseNamed(api.release).application;
			const command = { agent, command: "echo unseen" };
			await api.request("POST", `/session/${reverted}/shell`, command);
		},
		async (api, model, open) => {
			model.script("Somebody looks again.", say("Somebody does."));
			await api.prompt(await open("Reverted"), "Somebody looks again.");
		},
	);

/** Reverts and new prompts while the plugin is away, by which OpenCode removes messages; and a part that is deleted. */
export const removedMeanwhile: WholeScenario = (release) =>
	meanwhile(release, async (api, model, open) => {
		model.script("While nobody looks.", say("Nobody looked."));
		await api.prompt(await open("Reverted"), "While nobody looks.");
		const session = await open("Todos");
		await revertToTool(api, session);
		model.script("Plan anew.", say("Another plan."));
		await api.prompt(session, "Plan anew.");
		await removePart(api, await open("Delegation"));
	});

/** Deletes a text from a session's last answer, where this release can; renaming it is what the list of sessions shows. */
async function removePart(api: Api, session: string): Promise<void> {
	if (!(await api.knows("DELETE", "/session/{id}/message/{id}/part/{id}")))
		return;
	const answer = (await api.messages(session)).at(-1);
	const part = answer?.parts.find(({ type }) => type === "text");
	if (!answer || !part) throw new Error("the last answer has no text");
	const path = `/session/${session}/message/${answer.info.id}/part/${part.id}`;
	await api.request("DELETE", path);
	await api.rename(session, "Delegation, without a word");
}

type GoOn = (
	api: Api,
	model: ScriptedModel,
	/** The session of this title, which is taken down as it is. */
	open: (title: string) => Promise<string>,
) => Promise<void>;

/** Records, goes on without the plugin, then with it again once all is compared, and compares at the end. */
async function meanwhile(
	release: string,
	away: GoOn,
	back: GoOn = async () => {},
): Promise<Report> {
	return await inWorld(
		{ release },
		async ({ home, model, database, serve }) => {
			const recorded = await serve();
			const stage = await openStage(home, model, recorded);
			// The oldest one stays: by it catch-up knows that the list it gets is of the same OpenCode.
			for (const step of [renamed, subAgent, todos, reverted]) {
				const { result, detail } = await play(stage, step);
				if (result !== "done") throw new Error(`${step.name}: ${detail}`);
			}
			stage.bus.close();
			const { witness } = stage;
			const rules: Rules = { release, tombstones: "all" };
			const first = await settledMirror(
				database,
				witness,
				[recorded.api],
				rules,
			);
			if (first.differences.length > 0) return first;
			await recorded.stop();

			home.configure([]);
			const opener =
				(api: Api) =>
				async (title: string): Promise<string> => {
					const sessions = await api.sessions();
					const found = sessions.find((session) => session.title === title);
					if (!found) throw new Error(`there is no session "${title}"`);
					await witness.see(api, found.id);
					return found.id;
				};
			const unseen = await serve();
			await away(unseen.api, model, opener(unseen.api));
			await unseen.stop();

			home.configure([pluginByPath()]);
			const { api } = await serve();
			await api.sessions();
			await settledMirror(database, witness, [api], rules, 5000);
			await back(api, model, opener(api));
			return await settledMirror(database, witness, [api], rules);
		},
	);
}

/** Two processes in one project and on one database, both at work. */
export const twoProcesses: WholeScenario = (release) =>
	inWorld({ release }, async ({ model, database, serve }) => {
		const servers = [await serve(), await serve()];
		const turns = servers.map(async ({ api }, index) => {
			const mine = `Process ${index + 1}`;
			for (const turn of ["first", "second", "third"]) {
				const session = await api.createSession({ title: `${mine}, ${turn}` });
				model.script(
					`${mine} does its ${turn} work.`,
					{ text: `${mine} speaks, and works.`, pace: 20 },
					say("done"),
				);
				await api.prompt(session.id, `${mine} does its ${turn} work.`);
			}
		});
		await Promise.all(turns);
		const [one] = servers;
		if (!one) throw new Error("no server was started");
		return await settledMirror(
			database,
			new Witness(),
			[one.api],
			rulesFor(release),
		);
	});

export const WHOLE: Readonly<Record<string, WholeScenario>> = {
	"opencode run": runs,
	"kill -9, restart": killed,
	"installed later": installedLater,
	"long history": longHistory,
	"changed meanwhile": changedMeanwhile,
	"removed meanwhile": removedMeanwhile,
	"two processes": twoProcesses,
};

/** The columns of a session that the next process of `opencode run` brings up to date. */
function toldLate(release: string): readonly string[] {
	const totals = ["cost", "prompt_tokens", "completion_tokens"];
	const details = [
		"reasoning_tokens",
		"cache_read_tokens",
		"cache_write_tokens",
	];
	return leavesEarly(release)
		? ["updated_at", ...totals, ...details]
		: ["updated_at"];
}

/** One turn in a process of its own. Gives what it printed. */
async function run(
	home: Home,
	prompt: string,
	args: readonly string[],
): Promise<string> {
	const { code, output } = await runTurn(home, prompt, args);
	if (code !== 0)
		throw new Error(`opencode run left with code ${code}: ${output}`);
	return output;
}

function wordsStored(database: string, words: string): boolean {
	return withDatabase(
		database,
		(open) =>
			open.query("SELECT 1 FROM parts WHERE text = ?").values(words).length > 0,
	);
}
