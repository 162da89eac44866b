/** Scenarios in which a sub-agent works. */

import { until } from "../../harness/poll.ts";
import { call, calls, fail, hang, say } from "../../harness/script.ts";
import type { Api2 } from "../api.ts";
import { untilTold } from "../background.ts";
import type { Scenario } from "../scenario.ts";

function delegate(
	prompt: string,
	more: Readonly<Record<string, unknown>> = {},
): ReturnType<typeof call> {
	return call("subagent", {
		agent: "general",
		description: prompt.slice(0, 20),
		prompt,
		...more,
	});
}

export const subAgent: Scenario = {
	name: "sub-agent",
	async run({ model, api }) {
		const session = await api.createSession({ title: "Delegation" });
		model.script(
			"Have the files counted.",
			delegate("Count the files here."),
			say("They counted."),
		);
		model.script(
			"Count the files here.",
			call("shell", { command: "ls | wc -l" }),
			say("There are a few."),
		);
		await api.prompt(session.id, "Have the files counted.");
	},
};

export const nestedSubAgent: Scenario = {
	name: "nested-sub-agent",
	async run({ model, api }) {
		const session = await api.createSession({ title: "Delegation, twice" });
		model.script(
			"Have your deputy have it done.",
			delegate("Pass this on."),
			say("It was passed on."),
		);
		model.script(
			"Pass this on.",
			delegate("Do the actual work."),
			say("Passed on."),
		);
		model.script("Do the actual work.", say("Worked."));
		await api.prompt(session.id, "Have your deputy have it done.");
	},
};

export const resumedSubAgent: Scenario = {
	name: "resumed-sub-agent",
	async run({ model, api }) {
		const session = await api.createSession({ title: "Asked twice" });
		model.script("Ask somebody.", delegate("Begin it."), say("They began."));
		model.script("Begin it.", say("Begun."));
		await api.prompt(session.id, "Ask somebody.");
		const child = await childOf(api, session.id);
		model.script(
			"Ask them again.",
			delegate("Finish it.", { sessionID: child }),
			say("They finished."),
		);
		model.script("Finish it.", say("Finished."));
		await api.prompt(session.id, "Ask them again.");
	},
};

/** One sub-agent's provider refuses, another agent does not exist. */
export const failingSubAgent: Scenario = {
	name: "failing-sub-agent",
	async run({ model, api }) {
		const session = await api.createSession({ title: "In vain" });
		model.script(
			"Have them fail.",
			delegate("Use a bad key."),
			delegate("Nobody hears this.", { agent: "nobody" }),
			say("Both failed."),
		);
		model.script("Use a bad key.", fail(401));
		await api.prompt(session.id, "Have them fail.");
	},
};

export const parallelSubAgents: Scenario = {
	name: "parallel-sub-agents",
	async run({ model, api }) {
		const session = await api.createSession({ title: "Two at once" });
		const task = (prompt: string): readonly [string, Record<string, string>] =>
			["subagent", { agent: "general", description: prompt, prompt }] as const;
		model.script(
			"Have two of them work.",
			calls(task("Take the left."), task("Take the right.")),
			say("Both are back."),
		);
		model.script("Take the left.", { text: "Left was taken.", pace: 120 });
		model.script("Take the right.", { text: "Right was taken.", pace: 90 });
		await api.prompt(session.id, "Have two of them work.");
	},
};

export const interruptedSubAgent: Scenario = {
	name: "interrupted-sub-agent",
	async run({ model, api, bus }) {
		const session = await api.createSession({ title: "Called back" });
		model.script("Send somebody out.", delegate("Never come back."));
		model.script("Never come back.", hang("On my way, and"));
		await api.send(session.id, "Send somebody out.");
		const child = await childOf(api, session.id);
		await bus.hears(child, "On my way, and");
		await api.interrupt(session.id);
		await api.wait(session.id);
		await api.wait(child);
	},
};

/** The child alone is interrupted; the parent goes on. */
export const cancelledSubAgent: Scenario = {
	name: "cancelled-sub-agent",
	async run({ model, api, bus }) {
		const session = await api.createSession({ title: "One was stopped" });
		model.script(
			"Send one who dawdles.",
			delegate("Dawdle for ever."),
			say("They were stopped."),
		);
		model.script("Dawdle for ever.", hang("Slowly, and"));
		await api.send(session.id, "Send one who dawdles.");
		const child = await childOf(api, session.id);
		await bus.hears(child, "Slowly, and");
		await api.interrupt(child);
		await api.wait(session.id);
	},
};

export const backgroundSubAgent: Scenario = {
	name: "background-sub-agent",
	async run({ model, api }) {
		const session = await api.createSession({ title: "In the background" });
		model.script(
			"Start it and go on.",
			delegate("Work quietly.", { background: true }),
			say("It is started."),
		);
		model.script("Work quietly.", { text: "Quietly done.", pace: 400 });
		await api.prompt(session.id, "Start it and go on.");
		await untilTold(api, session.id);
	},
};

async function childOf(api: Api2, parent: string): Promise<string> {
	return await until("a child", async () =>
		(await api.sessions()).find(({ parentID }) => parentID === parent),
	).then(({ id }) => id);
}
