/** Steps in which the model speaks and works. */

import { join } from "node:path";
import { PROVIDER, SMALL_MODEL } from "../harness/home.ts";
import { ask, call, calls, say, think } from "../harness/script.ts";
import {
	NotInThisRelease,
	needs,
	newSession,
	type Stage,
	type Step,
} from "./step.ts";

export const chat: Step = {
	name: "chat",
	async run({ model, api }) {
		const session = await api.createSession();
		model.script(
			"Say hello.",
			think(
				"The person wants a greeting.",
				"Hello! What shall we build today?",
			),
		);
		model.script(
			"A small parser, please.",
			think("Small means small.", "Then let us begin with the tokens."),
		);
		await api.prompt(session.id, "Say hello.");
		await api.prompt(session.id, "A small parser, please.");
	},
};

export const tools: Step = {
	name: "tools",
	async run(stage) {
		const { model, api, home } = stage;
		const haiku = join(home.project, "haiku.txt");
		const session = await newSession(stage, "Tools that work");
		model.script(
			"Write a haiku to haiku.txt.",
			call("write", {
				filePath: haiku,
				content: "old silent pond\na frog jumps in\nthe sound of water\n",
			}),
			say("Written."),
		);
		model.script(
			"Make the pond young.",
			call("read", { filePath: haiku }),
			call("edit", {
				filePath: haiku,
				oldString: "old silent",
				newString: "young silent",
			}),
			calls(
				["bash", { command: "cat haiku.txt", description: "Show the haiku" }],
				[
					"bash",
					{ command: "wc -l haiku.txt", description: "Count its lines" },
				],
			),
			say("The pond is young now."),
		);
		await api.prompt(session.id, "Write a haiku to haiku.txt.");
		await api.prompt(session.id, "Make the pond young.");
	},
};

export const failingTools: Step = {
	name: "failing tools",
	async run(stage) {
		const { model, api, home } = stage;
		const session = await newSession(stage, "Tools that fail");
		model.script(
			"Try what cannot work.",
			call("bash", {
				command: "echo out; echo err >&2; exit 3",
				description: "Leave with code 3",
			}),
			call("read", { filePath: join(home.project, "missing.txt") }),
			call("edit", {
				filePath: join(home.project, "missing.txt"),
				oldString: "a",
				newString: "b",
			}),
			call("no_such_tool", { reason: "nobody has it" }),
			call("bash", { command: 42 }),
			say("None of that worked."),
		);
		await api.prompt(session.id, "Try what cannot work.");
	},
};

export const todos: Step = {
	name: "todos",
	async run(stage) {
		const session = await newSession(stage, "Todos");
		const item = (id: string, content: string, status: string) => ({
			id,
			content,
			status,
			priority: "high",
		});
		stage.model.script(
			"Plan the work.",
			call("todowrite", {
				todos: [
					item("1", "Read the code", "in_progress"),
					item("2", "Write the test", "pending"),
					item("3", "Mend it", "pending"),
				],
			}),
			call("todowrite", {
				todos: [
					item("1", "Read the code", "completed"),
					item("3", "Mend it", "in_progress"),
				],
			}),
			say("Planned."),
		);
		await stage.api.prompt(session.id, "Plan the work.");
	},
};

export const permission: Step = {
	name: "permission",
	async run(stage) {
		const { model, api, bus } = stage;
		const session = await newSession(stage, "Permissions");
		for (const answer of ["once", "reject", "always"] as const) {
			const prompt = `Touch a file, ${answer}.`;
			model.script(
				prompt,
				call("bash", {
					command: `touch ${answer}.txt`,
					description: "Touch a file",
				}),
				say("Touched."),
			);
			const turn = api.begin(session.id, prompt);
			const asked = await bus.take(
				/^permission\.(asked|updated)$/,
				(properties) => properties.sessionID === session.id,
			);
			await api.replyPermission(
				session.id,
				String(asked.properties.id),
				answer,
			);
			await turn;
		}
	},
};

export const question: Step = {
	name: "question",
	async run(stage) {
		const { model, api, bus } = stage;
		await needs(stage, "GET", "/question");
		const session = await newSession(stage, "Questions");
		model.script("Ask me for a colour.", ask("colour"), say("So be it."));
		model.script("Ask me for a shade.", ask("shade"), say("Never mind."));
		const answered = api.begin(session.id, "Ask me for a colour.");
		const first = await Promise.race([
			bus.take(
				/^question\.asked$/,
				(properties) => properties.sessionID === session.id,
			),
			answered,
		]);
		if (!("properties" in first))
			throw new NotInThisRelease("no question tool");
		await api.request("POST", `/question/${first.properties.id}/reply`, {
			answers: [["Blue"]],
		});
		await answered;
		const dismissed = api.begin(session.id, "Ask me for a shade.");
		const second = await bus.take(
			/^question\.asked$/,
			(properties) => properties.sessionID === session.id,
		);
		await api.request("POST", `/question/${second.properties.id}/reject`, {});
		await dismissed;
	},
};

export const subAgent: Step = {
	name: "sub-agent",
	async run(stage) {
		const { model, api } = stage;
		const session = await newSession(stage, "Delegation");
		model.script(
			"Have somebody count the files.",
			call("task", {
				description: "Count the files",
				prompt: "Count the files here.",
				subagent_type: "general",
			}),
			say("They counted."),
		);
		model.script(
			"Count the files here.",
			call("bash", { command: "ls | wc -l", description: "Count files" }),
			say("There are a few."),
		);
		await api.prompt(session.id, "Have somebody count the files.");
	},
};

export const nestedSubAgent: Step = {
	name: "nested sub-agent",
	async run(stage) {
		const { model, api } = stage;
		const session = await newSession(stage, "Delegation, twice");
		model.script(
			"Have your deputy have it done.",
			call("task", {
				description: "Ask the deputy",
				prompt: "Pass this on.",
				subagent_type: "deputy",
			}),
			say("It was passed on."),
		);
		model.script(
			"Pass this on.",
			call("task", {
				description: "Ask another",
				prompt: "Do the actual work.",
				subagent_type: "general",
			}),
			say("Passed on."),
		);
		model.script(
			"Do the actual work.",
			call("bash", { command: "echo worked", description: "Work" }),
			say("Worked."),
		);
		await api.prompt(session.id, "Have your deputy have it done.");
		const deputies = await api.children(session.id);
		const workers = (
			await Promise.all(deputies.map((deputy) => api.children(deputy.id)))
		).flat();
		if (workers.length === 0)
			throw new NotInThisRelease("a sub-agent may not delegate");
	},
};

export const attachments: Step = {
	name: "attachments",
	async run(stage) {
		const { model, api, home } = stage;
		const session = await newSession(stage, "Attachments");
		model.script("Look at these.", say("I looked."));
		const pixel =
			"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
		await api.prompt(session.id, "Look at these.", {
			parts: [
				{
					type: "file",
					mime: "text/plain",
					filename: "README.md",
					url: `file://${join(home.project, "README.md")}`,
				},
				{ type: "file", mime: "image/png", filename: "pixel.png", url: pixel },
				{ type: "agent", name: "general" },
				{ type: "text", text: "And a second text." },
			],
		});
	},
};

export const commands: Step = {
	name: "commands",
	async run(stage) {
		const { model, api, home } = stage;
		const session = await newSession(stage, "Commands");
		model.script("Greet this person: Ada", say("Good day, Ada."));
		model.script("Delegated work: sweep", say("Swept."));
		await api.request("POST", `/session/${session.id}/command`, {
			command: "greet",
			arguments: "Ada",
		});
		await api.request("POST", `/session/${session.id}/command`, {
			command: "delegate",
			arguments: "sweep",
		});
		await api.request("POST", `/session/${session.id}/shell`, {
			agent: home.application.agent,
			command: "echo from the shell",
		});
	},
};

export const switching: Step = {
	name: "switching",
	async run(stage) {
		const { model, api } = stage;
		const session = await newSession(stage, "Another model, another agent");
		model.script("Think big.", say("Big."));
		model.script("Think small.", say("Small."));
		await api.prompt(session.id, "Think big.");
		await api.prompt(session.id, "Think small.", {
			agent: "plan",
			model: { providerID: PROVIDER, modelID: SMALL_MODEL },
		});
		await api.prompt(session.id, "A note to nobody.", { noReply: true });
	},
};

export const parallel: Step = {
	name: "parallel",
	async run({ model, api, elsewhere }) {
		const one = async (place: Stage["api"], name: string): Promise<void> => {
			const session = await place.createSession({ title: `Parallel ${name}` });
			model.script(
				`Speak slowly, ${name}.`,
				{ text: `${name} speaks, and speaks, and speaks.`, pace: 40 },
				say("done"),
			);
			await place.prompt(session.id, `Speak slowly, ${name}.`);
		};
		await Promise.all([
			one(api, "first"),
			one(api, "second"),
			one(elsewhere, "third"),
		]);
	},
};
