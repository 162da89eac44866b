/** Steps in which the person changes what was. */

import { join } from "node:path";
import type { Api, JsonObject } from "../harness/api.ts";
import { call, say } from "../harness/script.ts";
import {
	NotInThisRelease,
	needs,
	newSession,
	type Stage,
	type Step,
} from "./step.ts";

export const renamed: Step = {
	name: "rename",
	async run({ model, api }) {
		const session = await api.createSession();
		model.script("Something to name.", say("Named soon."));
		await api.prompt(session.id, "Something to name.");
		await api.rename(session.id, "A name the person chose");
	},
};

export const reverted: Step = {
	name: "revert",
	async run(stage) {
		const session = await twoTurns(stage, "Reverted");
		await stage.api.revert(session, await userMessage(stage.api, session, 1));
	},
};

export const unreverted: Step = {
	name: "unrevert",
	async run(stage) {
		const session = await twoTurns(stage, "Reverted and back");
		await stage.api.revert(session, await userMessage(stage.api, session, 1));
		await stage.api.unrevert(session);
	},
};

export const revertedThenPrompted: Step = {
	name: "revert, new prompt",
	async run(stage) {
		const session = await twoTurns(stage, "Reverted and gone on");
		await stage.witness.see(stage.api, session);
		await stage.api.revert(session, await userMessage(stage.api, session, 1));
		stage.model.script("Go another way.", say("Another way it is."));
		await stage.api.prompt(session, "Go another way.");
	},
};

/** From a part in the middle of an answer: the message stays, its later parts go. */
export const revertedToPart: Step = {
	name: "revert to a part",
	async run(stage) {
		const session = await twoTurns(stage, "Reverted to a part");
		await stage.witness.see(stage.api, session);
		await revertToTool(stage.api, session);
		stage.model.script("From the middle on.", say("From the middle on, then."));
		await stage.api.prompt(session, "From the middle on.");
	},
};

export const forked: Step = {
	name: "fork",
	async run(stage) {
		const { api, model } = stage;
		const session = await twoTurns(stage, "Forked");
		const whole = await api.fork(session);
		await api.fork(session, await userMessage(api, session, 1));
		model.script("Only in the fork.", say("Only here."));
		await api.prompt(whole.id, "Only in the fork.");
	},
};

/** Kilo copies the sub-agents' sessions too, and says that the copies cost nothing. */
export const forkedCaller: Step = {
	name: "fork with a sub-agent",
	async run({ model, api }) {
		const session = await api.createSession({
			title: "Delegated, then forked",
		});
		model.script(
			"Delegate, then fork.",
			call("task", {
				description: "Count",
				prompt: "Count before the fork.",
				subagent_type: "general",
			}),
			say("Delegated."),
		);
		model.script("Count before the fork.", say("There is one."));
		await api.prompt(session.id, "Delegate, then fork.");
		await api.fork(session.id);
	},
};

export const deleted: Step = {
	name: "delete",
	async run(stage) {
		const { api, model } = stage;
		const session = await newSession(stage, "Soon gone");
		model.script(
			"Delegate, then vanish.",
			call("task", {
				description: "Vanish",
				prompt: "Work that vanishes.",
				subagent_type: "general",
			}),
			say("Soon gone."),
		);
		model.script(
			"Work that vanishes.",
			call("bash", { command: "echo gone", description: "Say gone" }),
			say("Gone."),
		);
		await api.prompt(session.id, "Delegate, then vanish.");
		await stage.witness.see(api, session.id);
		await api.remove(session.id);
	},
};

export const compacted: Step = {
	name: "compaction",
	async run(stage) {
		const session = await twoTurns(stage, "Compacted");
		await stage.api.summarize(session);
		stage.model.script("Go on after the summary.", say("Going on."));
		await stage.api.prompt(session, "Go on after the summary.");
	},
};

export const archived: Step = {
	name: "archive",
	async run(stage) {
		await archiveOne(stage, "Archived");
	},
};

export const unarchived: Step = {
	name: "unarchive",
	async run(stage) {
		const session = await archiveOne(stage, "Archived and back");
		await stage.api.archive(session, 0);
	},
};

export const removedMessage: Step = {
	name: "remove a message",
	async run(stage) {
		await needs(stage, "DELETE", "/session/{id}/message/{id}");
		const session = await twoTurns(stage, "A message removed");
		const messages = await stage.api.messages(session);
		await stage.witness.see(stage.api, session);
		const last = messages.at(-1);
		if (!last) throw new Error("the session has no messages");
		await stage.api.request(
			"DELETE",
			`/session/${session}/message/${last.info.id}`,
		);
	},
};

export const removedPart: Step = {
	name: "remove a part",
	async run(stage) {
		await needs(stage, "DELETE", "/session/{id}/message/{id}/part/{id}");
		const session = await newSession(stage, "A part removed");
		stage.model.script("Two texts.", say("Both read."));
		await stage.api.prompt(session.id, "Two texts.", {
			parts: [{ type: "text", text: "This one goes." }],
		});
		const [asked] = await stage.api.messages(session.id);
		const part = asked?.parts.find(
			(candidate) => candidate.text === "This one goes.",
		);
		if (!asked || !part) throw new Error("the message lacks its second text");
		await stage.api.request(
			"DELETE",
			`/session/${session.id}/message/${asked.info.id}/part/${part.id}`,
		);
	},
};

/** Reverts to a session's first tool call. */
export async function revertToTool(api: Api, session: string): Promise<void> {
	const messages = await api.messages(session);
	const answer = messages.find((message) =>
		message.parts.some((part) => part.type === "tool"),
	);
	const part = answer?.parts.find((candidate) => candidate.type === "tool");
	if (!answer || !part) throw new Error("the turn called no tool");
	await api.request("POST", `/session/${session}/revert`, {
		messageID: answer.info.id,
		partID: part.id,
	});
}

async function archiveOne(stage: Stage, title: string): Promise<string> {
	const session = await twoTurns(stage, title);
	await stage.api.archive(session, 1_795_000_000_000);
	const { time } = await stage.api.session(session);
	if (!(time as JsonObject).archived)
		throw new NotInThisRelease("sessions cannot be archived");
	return session;
}

async function twoTurns(stage: Stage, title: string): Promise<string> {
	const { api, model, home } = stage;
	const session = await newSession(stage, title);
	const file = join(
		home.project,
		`${title.toLowerCase().replaceAll(/\W+/g, "-")}.txt`,
	);
	model.script(`First turn of: ${title}`, say("The first answer."));
	model.script(
		`Second turn of: ${title}`,
		call("write", { filePath: file, content: `${title}\n` }),
		say("The second answer."),
	);
	await api.prompt(session.id, `First turn of: ${title}`);
	await api.prompt(session.id, `Second turn of: ${title}`);
	return session.id;
}

async function userMessage(
	api: Api,
	session: string,
	position: number,
): Promise<string> {
	const asked = (await api.messages(session)).filter(
		(message) => message.info.role === "user",
	);
	const found = asked[position];
	if (!found) throw new Error(`no user message ${position} in ${session}`);
	return found.info.id;
}
