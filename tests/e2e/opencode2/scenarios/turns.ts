/** Scenarios in which the model speaks and works. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROVIDER, SMALL_MODEL } from "../../harness/home.ts";
import { until } from "../../harness/poll.ts";
import { call, calls, hang, say, think } from "../../harness/script.ts";
import { untilTold } from "../background.ts";
import type { Scenario } from "../scenario.ts";

const MCP_SERVER = new URL("../mcp.js", import.meta.url).pathname;

/** The first prompt boots the directory: the plugin hears nothing of the session's making. */
export const plainTurn: Scenario = {
	name: "plain-turn",
	isFirst: true,
	async run({ model, api }) {
		const session = await api.createSession();
		model.title("Say hello.", "A greeting");
		model.script("Say hello.", say("Hello! What shall we build today?"));
		model.script("A small parser, please.", say("Then let us begin."));
		await api.prompt(session.id, "Say hello.");
		await api.prompt(session.id, "A small parser, please.");
	},
};

/** Heard from its making on, and titled by the model. */
export const titled: Scenario = {
	name: "titled",
	async run({ model, api, bus }) {
		const session = await api.createSession();
		model.title("Name me.", "A name from the model");
		model.script("Name me.", say("Named."));
		await api.prompt(session.id, "Name me.");
		await bus.of(session.id, "session.renamed");
		await api.createSession({ title: "Never spoken in" });
	},
};

export const tools: Scenario = {
	name: "tools",
	async run({ model, api }) {
		const haiku = join(api.directory, "haiku.txt");
		const session = await api.createSession({ title: "Tools" });
		model.script(
			"Write a haiku.",
			call("write", {
				path: haiku,
				content: "old silent pond\na frog jumps in\nthe sound of water\n",
			}),
			call("read", { path: haiku }),
			call("edit", {
				path: haiku,
				oldString: "old silent",
				newString: "young silent",
			}),
			say("Written, and made young."),
		);
		model.script(
			"Count its lines.",
			call("shell", { command: "wc -l haiku.txt" }),
			call("shell", { command: "echo out; echo err >&2; exit 3" }),
			say("Three lines, and one failure."),
		);
		await api.prompt(session.id, "Write a haiku.");
		await api.prompt(session.id, "Count its lines.");
	},
};

export const parallelTools: Scenario = {
	name: "parallel-tools",
	async run({ model, api }) {
		const session = await api.createSession({ title: "Side by side" });
		model.script(
			"Do three things at once.",
			calls(
				["shell", { command: "sleep 0.3; echo slow" }],
				["read", { path: join(api.directory, "missing.txt") }],
				["shell", { command: "echo quick" }],
			),
			say("Two of three worked."),
		);
		await api.prompt(session.id, "Do three things at once.");
	},
};

export const failingTools: Scenario = {
	name: "failing-tools",
	async run({ model, api }) {
		const session = await api.createSession({ title: "Tools that fail" });
		const missing = join(api.directory, "missing.txt");
		model.script(
			"Try what cannot work.",
			call("edit", { path: missing, oldString: "a", newString: "b" }),
			call("no_such_tool", { reason: "nobody has it" }),
			call("shell", { command: 42 }),
			say("None of that worked."),
		);
		await api.prompt(session.id, "Try what cannot work.");
	},
};

export const reasoning: Scenario = {
	name: "reasoning",
	async run({ model, api }) {
		const session = await api.createSession({ title: "Thoughts" });
		model.script(
			"Think about it.",
			{ thought: "First look.", ...call("shell", { command: "echo looked" }) },
			think("Now I know.\nTwo lines of it.", "It is so."),
		);
		await api.prompt(session.id, "Think about it.");
	},
};

/** One prompt waits for the turn's end, one for the step's. */
export const queuedAndSteered: Scenario = {
	name: "queued-and-steered",
	async run({ model, api, bus }) {
		const session = await api.createSession({ title: "Three at once" });
		model.script(
			"Begin with this.",
			call("shell", { command: "sleep 1.5; echo begun" }),
			say("Begun."),
		);
		model.script("Then do that.", say("That was done."));
		model.script("No, rather so.", say("So, rather."));
		await api.send(session.id, "Begin with this.");
		await bus.of(session.id, "session.tool.called");
		await api.send(session.id, "Then do that.", { delivery: "queue" });
		await api.send(session.id, "No, rather so.", { delivery: "steer" });
		await api.wait(session.id);
		await until("an empty inbox", async () => {
			await api.wait(session.id);
			return (await api.inbox(session.id)).length === 0;
		});
	},
};

/** Two prompts wait; one is taken back, the other becomes urgent. */
export const cancelledPrompt: Scenario = {
	name: "cancelled-prompt",
	async run({ model, api, bus }) {
		const session = await api.createSession({ title: "Taken back" });
		model.script(
			"Take your time.",
			call("shell", { command: "sleep 1.5; echo done" }),
			say("Done."),
		);
		model.script("This is urgent.", say("At once."));
		await api.send(session.id, "Take your time.");
		await bus.of(session.id, "session.tool.called");
		const waiting = await api.send(session.id, "Forget this.", {
			delivery: "queue",
		});
		const urgent = await api.send(session.id, "This is urgent.", {
			delivery: "queue",
		});
		await api.cancel(session.id, waiting.id);
		await api.deliver(session.id, urgent.id, "steer");
		await api.wait(session.id);
		await until("an empty inbox", async () => {
			await api.wait(session.id);
			return (await api.inbox(session.id)).length === 0;
		});
	},
};

export const longAnswer: Scenario = {
	name: "long-answer",
	async run({ model, api }) {
		const session = await api.createSession({ title: "At length" });
		const line = (number: number): string =>
			`Line ${number}: the quick brown fox jumps over the lazy dog.`;
		const text = Array.from({ length: 400 }, (_, index) => line(index + 1));
		model.script("Tell me everything.", {
			text: text.join("\n"),
			chunks: 400,
			pace: 3,
		});
		await api.prompt(session.id, "Tell me everything.");
	},
};

export const twoSessions: Scenario = {
	name: "two-sessions",
	async run({ model, api, home }) {
		const elsewhere = api.in(home.makeProject("elsewhere"));
		const here = await api.createSession({ title: "Here" });
		const there = await elsewhere.createSession({ title: "There" });
		model.script("Speak here.", {
			text: "Here I speak, slowly and at length.",
			pace: 150,
		});
		model.script("Speak there.", {
			text: "There I speak, slowly and at length.",
			pace: 150,
		});
		await Promise.all([
			api.prompt(here.id, "Speak here."),
			elsewhere.prompt(there.id, "Speak there."),
		]);
	},
};

/** One red pixel. */
const PIXEL =
	"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

export const attachments: Scenario = {
	name: "attachments",
	async run({ model, api }) {
		const session = await api.createSession({ title: "Files" });
		model.script("What is this?", say("A red pixel, and a README."));
		await api.prompt(session.id, "What is this?", {
			files: [
				{ uri: PIXEL, name: "pixel.png" },
				{ uri: `file://${join(api.directory, "README.md")}` },
			],
		});
	},
};

export const personsShell: Scenario = {
	name: "persons-shell",
	async run({ model, api, bus }) {
		const session = await api.createSession({ title: "By hand" });
		model.script("What did I do?", say("You listed the files."));
		await api.shell(session.id, "ls; exit 2");
		await bus.of(session.id, "session.shell.ended");
		await api.prompt(session.id, "What did I do?");
	},
};

export const switched: Scenario = {
	name: "switched",
	async run({ model, api }) {
		const session = await api.createSession({ title: "Another one" });
		model.script("Who are you?", say("The builder."));
		model.script("And now?", say("The planner."));
		model.script("And smaller?", say("The small one."));
		await api.prompt(session.id, "Who are you?");
		await api.selectAgent(session.id, "plan");
		await api.prompt(session.id, "And now?");
		await api.selectModel(session.id, PROVIDER, SMALL_MODEL);
		await api.prompt(session.id, "And smaller?");
	},
};

export const moved: Scenario = {
	name: "moved",
	async run({ model, api, home, bus }) {
		const elsewhere = home.makeProject("elsewhere");
		const session = await api.createSession({ title: "On the move" });
		model.script("Where are we?", say("Here."));
		model.script("Where are we now?", say("Elsewhere."));
		await api.prompt(session.id, "Where are we?");
		await api.move(session.id, elsewhere);
		await bus.of(session.id, "session.moved");
		await api.prompt(session.id, "Where are we now?");
	},
};

/** A move in the middle of a turn waits for the step's end. */
export const movedWhileBusy: Scenario = {
	name: "moved-while-busy",
	async run({ model, api, home, bus }) {
		const elsewhere = home.makeProject("elsewhere");
		const session = await api.createSession({ title: "On the move, busy" });
		model.script(
			"Work while we move.",
			call("shell", { command: "sleep 1; pwd" }),
		);
		// What OpenCode then tells the model stands where a prompt would.
		model.script("Working directory:", say("Moved."));
		await api.send(session.id, "Work while we move.");
		await bus.of(session.id, "session.tool.called");
		await api.move(session.id, elsewhere);
		await api.wait(session.id);
		await until("the end of the turn", async () => {
			const idle = ({ type }: { type: string }) => type === "idle";
			return (await api.messages(session.id)).some(idle);
		});
	},
};

/** A command goes on while the turn ends; its end starts a turn of its own. */
export const backgroundShell: Scenario = {
	name: "background-shell",
	async run({ model, api }) {
		const session = await api.createSession({ title: "Left running" });
		model.script(
			"Leave it running.",
			call("shell", { command: "sleep 1; echo done", background: true }),
			say("It runs."),
		);
		await api.prompt(session.id, "Leave it running.");
		await untilTold(api, session.id);
	},
};

/** A session whose last turn hangs while another one is asked. */
export const synthetic: Scenario = {
	name: "synthetic",
	async run({ model, api, bus }) {
		const session = await api.createSession({ title: "Put in" });
		model.script("A note for the model.", say("Noted."));
		model.script("Go on.", say("Going on."));
		model.script("Hang on.", hang("Hanging"));
		await api.synthetic(session.id, "A note for the model.", {
			description: "a note",
			metadata: { source: "test" },
		});
		await api.wait(session.id);
		await api.prompt(session.id, "Go on.");
		await api.send(session.id, "Hang on.");
		await bus.hears(session.id, "Hanging");
		await api.interrupt(session.id);
		await api.wait(session.id);
	},
};

/** Tools of another program: one that works, one that refuses, one that shows a picture, with words and without. */
export const mcpTools: Scenario = {
	name: "mcp-tools",
	home: {
		config: {
			mcp: {
				servers: {
					lab: {
						type: "local",
						command: ["bun", MCP_SERVER],
						codemode: false,
					},
				},
			},
		},
	},
	async run({ model, api }) {
		const session = await api.createSession({ title: "Another program" });
		model.script(
			"Ask the laboratory.",
			calls(["lab_echo", { text: "hello" }], ["lab_refuse", {}]),
			say("One answer, one refusal."),
		);
		model.script(
			"Ask it for a picture.",
			calls(["lab_picture", { text: "a red one" }], ["lab_picture", {}]),
			say("Two red pixels."),
		);
		await api.prompt(session.id, "Ask the laboratory.");
		await api.prompt(session.id, "Ask it for a picture.");
	},
};

export const commands: Scenario = {
	name: "commands",
	home: {
		config: {
			commands: {
				greet: {
					description: "Greet somebody.",
					template: "Greet this person: $ARGUMENTS",
				},
			},
		},
	},
	async run({ model, api }) {
		const session = await api.createSession({ title: "Commands" });
		model.script("Greet this person: Ada", say("Hello, Ada."));
		await api.command(session.id, "greet", "Ada");
	},
};

export const skills: Scenario = {
	name: "skills",
	prepare(home) {
		const folder = join(home.project, ".opencode", "skills", "whistling");
		mkdirSync(folder, { recursive: true });
		writeFileSync(
			join(folder, "SKILL.md"),
			"---\nname: whistling\ndescription: How to whistle.\n---\nPurse your lips and blow.\n",
		);
	},
	async run({ model, api }) {
		const session = await api.createSession({ title: "A skill" });
		model.script("Whistle.", call("skill", { id: "whistling" }), say("Fiu."));
		await api.prompt(session.id, "Whistle.");
		await api.skill(session.id, "whistling");
		await api.wait(session.id);
	},
};

/** Private processes, one turn each, in one session; one asks for what nobody is there to allow. */
export const runs: Scenario = {
	name: "runs",
	isFirst: true,
	isUnheard: true,
	async run({ model, runStandalone }) {
		model.title("hello from", "From the command line");
		model.script("Say hello from here.", think("A greeting.", "Hello."));
		model.script(
			"List the files here.",
			call("shell", { command: "ls" }),
			say("One file."),
		);
		model.script("Touch one.", call("shell", { command: "touch one.txt" }));
		for (const [prompt, ...args] of [
			["Say hello from here."],
			["List the files here.", "--continue"],
			["Touch one.", "--continue"],
		] as const)
			await runStandalone(prompt, ...args);
	},
};
