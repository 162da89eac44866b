/** Scenarios in which the provider, the stream or the person breaks off. */

import { until } from "../../harness/poll.ts";
import {
	call,
	cut,
	fail,
	hang,
	say,
	short,
	think,
} from "../../harness/script.ts";
import type { Scenario, Stage2 } from "../scenario.ts";

export const interruptedStream: Scenario = {
	name: "interrupted-stream",
	async run({ model, api, bus }) {
		const session = await api.createSession({ title: "Interrupted" });
		model.script("Never finish.", {
			...think("A long thought.", "I begin to speak, and"),
			ending: "hang",
		});
		model.script("Try again.", say("This time to the end."));
		await api.send(session.id, "Never finish.");
		await bus.hears(session.id, "I begin to speak, and");
		await api.interrupt(session.id);
		await api.wait(session.id);
		await api.prompt(session.id, "Try again.");
	},
};

/** A steering prompt is delivered at once when the turn is interrupted. */
export const interruptedAndSteered: Scenario = {
	name: "interrupted-and-steered",
	async run({ model, api, bus }) {
		const session = await api.createSession({ title: "Interrupted, steered" });
		model.script("Speak for ever.", hang("Once upon a time"));
		model.script("Stop, this instead.", say("This instead."));
		await api.send(session.id, "Speak for ever.");
		await bus.hears(session.id, "Once upon a time");
		await api.send(session.id, "Stop, this instead.", { delivery: "steer" });
		await api.interrupt(session.id, true);
		await bus.of(session.id, "session.execution.succeeded");
	},
};

/** Without a request to go on, the steering prompt waits for the next one. */
export const interruptedAndWaiting: Scenario = {
	name: "interrupted-and-waiting",
	async run({ model, api, bus }) {
		const session = await api.createSession({ title: "Interrupted, waiting" });
		model.script("Speak for ever.", hang("Once upon a time"));
		model.script("Now both.", say("Both."));
		await api.send(session.id, "Speak for ever.");
		await bus.hears(session.id, "Once upon a time");
		await api.send(session.id, "Stop, this instead.", { delivery: "steer" });
		await api.interrupt(session.id);
		await api.wait(session.id);
		await api.prompt(session.id, "Now both.");
	},
};

/** The provider stops in its own ways: at the limit, by its filter, by a word that nobody knows. */
export const finishReasons: Scenario = {
	name: "finish-reasons",
	async run({ model, api }) {
		const session = await api.createSession({ title: "Stopped" });
		model.script("Be long.", { text: "As long as I may", finish: "length" });
		model.script("Be bad.", {
			text: "I would say",
			finish: "content_filter",
		});
		model.script("Be odd.", { text: "Odd it is", finish: "boredom", times: 1 });
		await api.prompt(session.id, "Be long.");
		await api.prompt(session.id, "Be bad.");
		await api.prompt(session.id, "Be odd.");
	},
};

export const interruptedTool: Scenario = {
	name: "interrupted-tool",
	async run({ model, api, bus }) {
		const session = await api.createSession({ title: "Interrupted tool" });
		model.script(
			"Run for ever.",
			call("shell", { command: "echo started; sleep 60" }),
		);
		await api.send(session.id, "Run for ever.");
		await bus.of(session.id, "session.tool.called");
		await bus.of(session.id, "session.tool.progress");
		await api.interrupt(session.id);
		await api.wait(session.id);
	},
};

export const unauthorized: Scenario = {
	name: "unauthorized",
	async run({ model, api }) {
		const session = await api.createSession({ title: "Not authorised" });
		model.script("Use a bad key.", fail(401));
		await api.prompt(session.id, "Use a bad key.");
	},
};

export const retried: Scenario = {
	name: "retried",
	async run({ model, api }) {
		const session = await api.createSession({ title: "Tried again" });
		model.script("Too fast.", fail(429, 1), say("It worked."));
		model.script("Fall over.", fail(500, 2), say("It worked at last."));
		await api.prompt(session.id, "Too fast.");
		await api.prompt(session.id, "Fall over.");
	},
};

export const interruptedRetry: Scenario = {
	name: "interrupted-retry",
	async run({ model, api, bus }) {
		const session = await api.createSession({ title: "Given up" });
		model.script("Keep failing.", fail(503));
		model.script("Anything else?", say("That works."));
		await api.send(session.id, "Keep failing.");
		await bus.of(session.id, "session.retry.scheduled");
		await api.interrupt(session.id);
		await api.wait(session.id);
		await api.prompt(session.id, "Anything else?");
	},
};

export const cutStream: Scenario = {
	name: "cut-stream",
	async run({ model, api }) {
		const session = await api.createSession({ title: "Cut off" });
		model.script("Break the line.", cut("These words arrive and then"));
		model.script("response was interrupted", say("the rest of them."));
		await api.prompt(session.id, "Break the line.");
	},
};

export const shortStream: Scenario = {
	name: "short-stream",
	async run({ model, api }) {
		const session = await api.createSession({ title: "Ended early" });
		model.script("End without a word.", short("This just stops"));
		await api.prompt(session.id, "End without a word.");
	},
};

export const cutBeforeWords: Scenario = {
	name: "cut-before-words",
	async run({ model, api }) {
		const session = await api.createSession({ title: "Cut at once" });
		model.script(
			"Break at once.",
			{ ending: "cut", times: 1 },
			say("Now it speaks."),
		);
		await api.prompt(session.id, "Break at once.");
		await until("the retry", async () =>
			(await api.messages(session.id)).some(({ type }) => type === "idle"),
		);
	},
};

/** OpenCode dies in mid-stream; a later prompt in the new server closes what was open. */
export const killedInStream: Scenario = {
	name: "killed-in-stream",
	isAlone: true,
	async run(stage) {
		await endInStream(stage, "SIGKILL");
	},
};

/** The plugin is cleaned up before OpenCode writes the end of the turn. */
export const stoppedInStream: Scenario = {
	name: "stopped-in-stream",
	isAlone: true,
	async run(stage) {
		await endInStream(stage, "SIGTERM");
	},
};

async function endInStream(
	stage: Stage2,
	signal: NodeJS.Signals,
): Promise<void> {
	const { model } = stage;
	const { id } = await stage.api.createSession({
		title: "Ended in mid-stream",
	});
	model.script("Speak until the end.", hang("The last words are"));
	model.script("Are you there again?", say("I am."));
	await stage.api.send(id, "Speak until the end.");
	await stage.bus.hears(id, "The last words are");
	await stage.restart(signal);
	await stage.api.prompt(id, "Are you there again?");
}
