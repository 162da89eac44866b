/** Steps in which the provider, the stream or the person breaks off. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { JsonObject } from "../harness/api.ts";
import { until } from "../harness/poll.ts";
import { call, cut, drop, fail, hang, say, short } from "../harness/script.ts";
import { needs, newSession, type Step } from "./step.ts";

export const unauthorized: Step = {
	name: "401",
	async run(stage) {
		const session = await newSession(stage, "Not authorised");
		stage.model.script("Use a bad key.", fail(401));
		await stage.api.prompt(session.id, "Use a bad key.");
	},
};

export const retried: Step = {
	name: "500, retried",
	async run(stage) {
		const session = await newSession(stage, "Tried again");
		stage.model.script(
			"Fail once.",
			fail(500, 1),
			say("It worked the second time."),
		);
		await stage.api.prompt(session.id, "Fail once.");
	},
};

export const cutOff: Step = {
	name: "cut off",
	async run(stage) {
		const session = await newSession(stage, "Cut off");
		stage.model.script(
			"Break the line.",
			cut("These words arrive and then"),
			say("The line is back."),
		);
		stage.model.script(
			"End without a word.",
			short("This just stops"),
			say("Now it is whole."),
		);
		await stage.api.prompt(session.id, "Break the line.");
		await stage.api.prompt(session.id, "End without a word.");
	},
};

/** Kilo waits until a person says that the network is back. */
export const offline: Step = {
	name: "offline",
	async run(stage) {
		const { model, api, bus } = stage;
		await needs(stage, "POST", "/network/{requestID}/reply");
		const session = await newSession(stage, "Offline");
		model.script("Lose the network.", drop(), say("The network is back."));
		const turn = api.begin(session.id, "Lose the network.");
		const { properties } = await bus.take(
			/^session\.status$/,
			({ status }) => (status as JsonObject).type === "offline",
		);
		const { requestID } = properties.status as JsonObject;
		await api.request("POST", `/network/${requestID}/reply`);
		await turn;
	},
};

export const aborted: Step = {
	name: "abort",
	async run(stage) {
		const { model, api, bus } = stage;
		const session = await newSession(stage, "Aborted");
		model.script("Never finish.", hang("I begin to speak, and"));
		const turn = api.begin(session.id, "Never finish.");
		await until("the stream to hang", () => model.hangingStreams > 0);
		await bus.hears(session.id, "I begin to speak, and");
		await api.abort(session.id);
		await turn.catch(() => undefined);
	},
};

export const abortedTool: Step = {
	name: "abort of a tool",
	async run(stage) {
		const { model, api, home } = stage;
		const session = await newSession(stage, "Aborted in a tool");
		model.script(
			"Sleep for long.",
			call("bash", {
				command: "echo begun | tee begun.txt; sleep 60",
				description: "Sleep",
			}),
			say("Awake."),
		);
		const turn = api.begin(session.id, "Sleep for long.");
		await until("the tool to run", () =>
			existsSync(join(home.project, "begun.txt")),
		);
		await api.abort(session.id);
		await turn.catch(() => undefined);
	},
};
