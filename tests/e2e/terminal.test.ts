/** A person at OpenCode 2's own screen, with real keys: all that they do is recorded as OpenCode answers, and they see nothing of it. */

import { expect, test } from "bun:test";
import { until } from "./harness/poll.ts";
import { ask, call, hang, say } from "./harness/script.ts";
import { READY, type Terminal } from "./harness/terminal.ts";
import { withDatabase } from "./mirror/database.ts";
import { atTheScreen, BUSY, type Model, turn } from "./opencode2/screen.ts";
import type { World2 } from "./opencode2/world.ts";

test(
	"a person asks, interrupts, goes on, is asked, takes back, and works by hand",
	() =>
		atTheScreen(async (world, open) => {
			const { model } = world;
			const terminal = open();
			await terminal.shows(READY);
			await turn(terminal, "Say hello.", say("Hello, person."), model);
			await interrupt(terminal, model);
			await sendWhileBusy(terminal, model);
			await allow(terminal, model);
			await answer(terminal, model);
			await runByHand(terminal, model);
			await takeBack(terminal, world);
			await switchAgent(terminal, model);
		}),
	600_000,
);

/** What a person answers when a command needs their permission: by the keys, and what becomes of the call. */
const REPLIES: readonly {
	readonly keys: readonly string[];
	readonly reply: string;
	readonly status: string;
}[] = [
	{ keys: ["Right", "Right", "Enter"], reply: "reject", status: "error" },
	{ keys: ["Escape"], reply: "reject", status: "error" },
	{ keys: ["Enter"], reply: "once", status: "completed" },
	{ keys: ["Right", "Enter"], reply: "always", status: "completed" },
];

test(
	"a person who is asked for permission rejects, allows once and for ever, and is not asked again",
	() =>
		atTheScreen(async ({ database, model }, open) => {
			const terminal = open();
			await terminal.shows(READY);
			for (const [index, { keys, status }] of REPLIES.entries()) {
				const done = `Touched file ${index}.`;
				await touch(terminal, model, index);
				await terminal.shows("Permission required");
				await terminal.shows("enter confirm");
				for (const key of keys) terminal.press(key);
				if (status === "completed") await terminal.shows(done);
				await terminal.hides("Permission required");
				await terminal.hides(BUSY);
			}
			await touch(terminal, model, REPLIES.length);
			await terminal.shows(`Touched file ${REPLIES.length}.`);
			await terminal.hides(BUSY);
			const expected = [
				...REPLIES.map(({ reply, status }) => ({ reply, status })),
				{ reply: null, status: "completed" },
			];
			await until("the replies in the database", () =>
				Bun.deepEquals(repliesIn(database), expected),
			).catch(() => expect(repliesIn(database)).toEqual(expected));
		}),
	600_000,
);

/** A command that the configuration has asked for. */
async function touch(
	terminal: Terminal,
	model: Model,
	index: number,
): Promise<void> {
	const prompt = `Touch file ${index}.`;
	model.script(
		prompt,
		call("shell", { command: `touch ${index}.txt` }),
		say(`Touched file ${index}.`),
	);
	await terminal.sends(prompt);
}

/** What was answered before each call, and what became of it. */
function repliesIn(database: string): unknown[] {
	return withDatabase(database, (open) =>
		open
			.query(
				`SELECT permissions.reply, tool_calls.status FROM tool_calls
				LEFT JOIN permissions USING (session_id, message_id)
				ORDER BY tool_calls.started_at`,
			)
			.all(),
	);
}

/** How a person leaves in mid-stream, with what OpenCode was started with. */
const LEAVES: readonly {
	readonly way: string;
	readonly args: readonly string[];
	leave(terminal: Terminal): Promise<void>;
	/** The last that is said of the turn. */
	readonly last: string;
}[] = [
	{ way: "Ctrl+C", args: [], leave: pressCtrlC, last: "word29" },
	{
		way: "the closed window",
		args: [],
		leave: async (terminal) => terminal.close(),
		last: "word29",
	},
	{
		way: "Ctrl+C, and with it a server of its own",
		args: ["--standalone"],
		leave: pressCtrlC,
		last: "interrupted",
	},
];

test.each(LEAVES)(
	"left by $way in mid-stream: the person comes back to it",
	({ args, leave, last }) =>
		atTheScreen(async ({ api, model }, open) => {
			const words = Array.from({ length: 30 }, (_, word) => `word${word}`);
			model.script("Speak at length.", {
				...say(words.join(" ")),
				chunks: 30,
				pace: 150,
			});
			const terminal = open(...args);
			await terminal.shows(READY);
			await terminal.sends("Speak at length.");
			await terminal.shows("word3");
			await leave(terminal);
			const again = open("--continue", ...args);
			await again.shows(last);
			await again.hides(BUSY);
			await turn(again, "Are you there?", say("I am."), model);
			expect(await api.sessions()).toHaveLength(1);
			expect(again.screen.includes("word29")).toBe(last === "word29");
		}),
	600_000,
);

async function pressCtrlC(terminal: Terminal): Promise<void> {
	terminal.press("C-c");
	await terminal.ends();
}

async function interrupt(terminal: Terminal, model: Model): Promise<void> {
	model.script("Never end.", hang("On and on it goes"));
	await terminal.sends("Never end.");
	await terminal.shows("On and on it goes");
	terminal.press("Escape");
	await terminal.shows("esc again to interrupt");
	terminal.press("Escape");
	await terminal.shows("· interrupted");
	await terminal.hides("again to interrupt");
}

/** A prompt that is sent while another one is worked at. */
async function sendWhileBusy(terminal: Terminal, model: Model): Promise<void> {
	model.script(
		"Take your time.",
		call("shell", { command: "sleep 2; echo taken" }),
		say("I took it."),
	);
	model.script("And this too.", say("That as well."));
	await terminal.sends("Take your time.");
	await terminal.shows("sleep 2");
	await terminal.sends("And this too.");
	await terminal.shows("That as well.");
	await terminal.hides(BUSY);
}

async function allow(terminal: Terminal, model: Model): Promise<void> {
	model.script(
		"Touch a file.",
		call("shell", { command: "touch a.txt" }),
		say("Touched it."),
	);
	await terminal.sends("Touch a file.");
	await terminal.shows("Permission required");
	await terminal.shows("Allow once");
	terminal.press("Enter");
	await terminal.shows("Touched it.");
	await terminal.hides(BUSY);
}

async function answer(terminal: Terminal, model: Model): Promise<void> {
	model.script("Ask me.", ask("colour"), say("So be it."));
	await terminal.sends("Ask me.");
	await terminal.shows("2. Blue");
	terminal.press("Down");
	terminal.press("Enter");
	await terminal.shows("So be it.");
	await terminal.hides(BUSY);
}

/** A command of the person's own; the model hears of it with the next prompt. */
async function runByHand(terminal: Terminal, model: Model): Promise<void> {
	terminal.press("!");
	await terminal.shows("esc exit shell mode");
	await terminal.sends("echo by hand; exit 3");
	await terminal.shows("$ echo by hand; exit 3");
	await terminal.hides("esc exit shell mode");
	await turn(terminal, "What did I do?", say("You said: by hand."), model);
}

/** Back, forth, and back for good. */
async function takeBack(
	terminal: Terminal,
	{ api, model, witness }: World2,
): Promise<void> {
	const [session] = await api.sessions();
	await witness.see(api, String(session?.id));
	await terminal.sends("/undo");
	await terminal.shows("1 message reverted");
	terminal.press("C-u");
	await terminal.hides("┃  What did I do?");
	await terminal.sends("/redo");
	await terminal.hides("1 message reverted");
	await terminal.shows("You said: by hand.");
	await terminal.sends("/undo");
	await terminal.shows("1 message reverted");
	terminal.press("C-u");
	await terminal.hides("┃  What did I do?");
	await turn(terminal, "Something else.", say("Else it is."), model);
	const gone = await until("the end of what was taken back", async () =>
		(await api.messages(String(session?.id))).every(
			({ text }) => text !== "What did I do?",
		),
	);
	expect(gone).toBe(true);
}

async function switchAgent(terminal: Terminal, model: Model): Promise<void> {
	terminal.press("BTab");
	await terminal.shows("Plan ·");
	await turn(terminal, "Who are you?", say("The planner."), model);
}
