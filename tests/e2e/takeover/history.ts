/** What a person does on OpenCode 1, then on OpenCode 2, on 1 again and on 2 again, all in one home. */

import { join } from "node:path";
import type { Api } from "../harness/api.ts";
import { until } from "../harness/poll.ts";
import { call, hang, say, think } from "../harness/script.ts";
import { textsOf } from "../mirror/database.ts";
import type { Api2 } from "../opencode2/api.ts";
import { aborted, unauthorized } from "../scenario/failures.ts";
import * as history from "../scenario/history.ts";
import { openStage, play } from "../scenario/play.ts";
import type { Step } from "../scenario/step.ts";
import * as turns from "../scenario/turns.ts";
import type { House } from "./house.ts";

/** One of each that OpenCode 2 takes over in a way of its own. */
const BEGINNING: readonly Step[] = [
	turns.chat,
	turns.tools,
	turns.failingTools,
	turns.todos,
	turns.subAgent,
	turns.attachments,
	turns.commands,
	unauthorized,
	aborted,
	history.reverted,
	history.revertedThenPrompted,
	history.forked,
	history.compacted,
	history.archived,
];

/** A phase: one of the two releases is started, used and ended. */
export type Phase = (house: House) => Promise<void>;

/** What there is before anybody upgrades. */
const began: Phase = async (house) => {
	const { home, model } = house;
	const server = await house.serveOne();
	const stage = await openStage(home, model, server);
	for (const step of BEGINNING) {
		const { result, detail } = await play(stage, step);
		if (result !== "done") throw new Error(`${step.name}: ${detail}`);
	}
	await noted(house, server.api);
	stage.bus.close();
	await house.stop(server);
};

/** Words of OpenCode's own, alone and beside a person's. */
async function noted({ model }: House, api: Api): Promise<void> {
	const { id } = await api.createSession({ title: "Notes" });
	model.script("Take a note.", say("Taken."));
	await api.prompt(id, "Take a note.", {
		parts: [
			{ type: "text", text: "The note itself.", synthetic: true },
			{ type: "text", text: "What the model never sees.", ignored: true },
		],
	});
	await api.request("POST", `/session/${id}/message`, {
		noReply: true,
		parts: [{ type: "text", text: "A note alone.", synthetic: true }],
	});
	model.script("Read your notes.", think("Two of them.", "I read both."));
	await api.prompt(id, "Read your notes.");
}

/** What OpenCode 1 says when it is killed: its own tables have no word of that. */
export const LAST_WORDS = "These are the last words";

/** OpenCode 1 is killed while it speaks. What was heard of it is stored by then, where anybody listens. */
const wasKilled: Phase = async (house) => {
	const { model, database } = house;
	const server = await house.serveOne();
	const { id } = await server.api.createSession({ title: "Killed" });
	const bus = await server.api.listen();
	model.script("Speak until the end.", hang(LAST_WORDS));
	server.api.begin(id, "Speak until the end.").catch(() => undefined);
	await bus.hears(id, LAST_WORDS);
	if (house.records("1.x"))
		await until("the last words in the database", () =>
			textsOf(database, id).includes(LAST_WORDS),
		);
	bus.close();
	await server.stop("SIGKILL");
	await house.stop(server);
};

/** OpenCode 2 goes on with what it took over. */
const tookOver: Phase = async (house) => {
	const { model } = house;
	const server = await house.serveTwo();
	const { api } = server;
	await workOn2(house, api, "Tools that work", "after the first upgrade");
	await promptIn2(house, api, "Compacted", "Go on after both summaries.");
	await promptIn2(house, api, "Aborted", "Never mind what you began.");
	await promptIn2(house, api, "Notes", "And again, your notes.");
	await promptIn2(house, api, "Killed", "Go on where you were killed.");
	model.script(
		"Have it counted once more.",
		call("subagent", {
			agent: "general",
			description: "Count again",
			prompt: "Count the files once more.",
		}),
		say("Counted twice."),
	);
	model.script("Count the files once more.", say("As many as before."));
	await prompted(
		api,
		await titled(api, "Delegation"),
		"Have it counted once more.",
	);
	const attachments = await titled(api, "Attachments");
	await api.compact(attachments);
	await promptIn2(house, api, "Attachments", "What was in them?");
	const copy = await api.fork(await titled(api, "Todos"));
	model.script("Other plans.", say("Planned otherwise."));
	await prompted(api, copy.id, "Other plans.");
	await newIn2(house, api, "Made by OpenCode 2");
	await house.stop(server);
};

/** OpenCode 1 goes on with what it has: the histories part. */
export const wentBack: Phase = async (house) => {
	const server = await house.serveOne();
	await workOn1(house, server.api, "Tools that work", "back on the old one");
	await newIn1(house, server.api, "Made after going back");
	await house.stop(server);
};

const cameAgain: Phase = async (house) => {
	const server = await house.serveTwo();
	await workOn2(
		house,
		server.api,
		"Tools that work",
		"after the second upgrade",
	);
	await newIn2(house, server.api, "Made at last");
	await house.stop(server);
};

/** Both at once, each in a session of its own and in one of both. */
const sideBySide: Phase = async (house) => {
	const one = await house.serveOne();
	const two = await house.serveTwo();
	for (const round of ["first", "second"]) {
		await Promise.all([
			newIn1(house, one.api, `Beside the new one, ${round}`),
			newIn2(house, two.api, `Beside the old one, ${round}`),
		]);
		await Promise.all([
			workOn1(house, one.api, "Tools that work", `on the old one, ${round}`),
			workOn2(house, two.api, "Tools that work", `on the new one, ${round}`),
		]);
	}
	await house.stop(one, two);
};

/** Both majors in turn, twice, and then at once. */
export const WHOLE: readonly Phase[] = [
	...[began, wasKilled, tookOver, wentBack, cameAgain],
	sideBySide,
];

async function workOn1(
	{ model, home }: House,
	api: Api,
	title: string,
	when: string,
): Promise<void> {
	const prompt = `Write it down: ${when}.`;
	const filePath = join(home.project, `${when.replaceAll(/\W+/g, "-")}.txt`);
	model.script(
		prompt,
		call("write", { filePath, content: `${when}\n` }),
		say("Written down."),
	);
	await api.prompt(await titled(api, title), prompt);
}

async function newIn1(
	{ model }: House,
	api: Api,
	title: string,
): Promise<void> {
	const { id } = await api.createSession({ title });
	model.script(`Begin: ${title}.`, say("Begun."));
	await api.prompt(id, `Begin: ${title}.`);
}

async function workOn2(
	{ model }: House,
	api: Api2,
	title: string,
	when: string,
): Promise<void> {
	const prompt = `Say when: ${when}.`;
	model.script(
		prompt,
		{ thought: "When is it?", ...call("shell", { command: `echo "${when}"` }) },
		say(`It is ${when}.`),
	);
	await prompted(api, await titled(api, title), prompt);
}

async function newIn2(house: House, api: Api2, title: string): Promise<void> {
	await api.createSession({ title });
	await promptIn2(house, api, title, `Begin: ${title}.`);
}

async function promptIn2(
	{ model }: House,
	api: Api2,
	title: string,
	prompt: string,
): Promise<void> {
	model.script(prompt, say(`Answered: ${prompt}`));
	await prompted(api, await titled(api, title), prompt);
}

/** A prompt is answered, or the test is of nothing. */
async function prompted(
	api: Api2,
	session: string,
	prompt: string,
): Promise<void> {
	await api.prompt(session, prompt);
	const last = (await api.messages(session)).findLast(
		({ type }) => type === "assistant",
	);
	if (last?.finish !== "stop")
		throw new Error(`"${prompt}" was not answered: ${JSON.stringify(last)}`);
}

/** The oldest session of this title. */
async function titled(api: Api | Api2, title: string): Promise<string> {
	const found = (await api.sessions()).filter(
		(session) => session.title === title,
	);
	const ids = found.map(({ id }) => id).sort();
	// Ids of sessions fall.
	const oldest = ids.at(-1);
	if (oldest === undefined) throw new Error(`there is no session "${title}"`);
	return oldest;
}
