/** Scenarios in which a person changes what is there already. */

import { join } from "node:path";
import { call, hang, say } from "../../harness/script.ts";
import type { Api2, Inbox2 } from "../api.ts";
import type { Scenario, Stage2 } from "../scenario.ts";

/** A session of two turns, and the prompts' messages. */
async function twoTurns(
	{ model, api }: Pick<Stage2, "model" | "api">,
	title: string,
): Promise<{ id: string; first: Inbox2; second: Inbox2 }> {
	const { id } = await api.createSession({ title });
	model.script("The first of two.", say("One."));
	model.script("The second of two.", say("Two."));
	const first = await api.prompt(id, "The first of two.");
	const second = await api.prompt(id, "The second of two.");
	return { id, first, second };
}

export const compacted: Scenario = {
	name: "compacted",
	async run(stage) {
		const { id } = await twoTurns(stage, "To be compacted");
		await stage.api.compact(id);
		stage.model.script("Where were we?", say("At two."));
		await stage.api.prompt(id, "Where were we?");
	},
};

/** A step fills the context; the next prompt is answered after a compaction that nobody asked for. */
export const autoCompacted: Scenario = {
	name: "auto-compacted",
	async run({ model, api }) {
		const { id } = await api.createSession({ title: "Too long" });
		model.script("Fill it up.", {
			text: "It is full.",
			promptTokens: 199_000,
		});
		model.script("Is there room?", say("There is again."));
		await api.prompt(id, "Fill it up.");
		await api.prompt(id, "Is there room?");
	},
};

/** The provider finds the prompt too long: a compaction, and then the answer. */
export const overflowed: Scenario = {
	name: "overflowed",
	async run(stage) {
		const { api, model } = stage;
		const { id } = await twoTurns(stage, "Too long for the provider");
		model.script(
			"One too many.",
			{ status: 400, code: "context_length_exceeded", times: 1 },
			say("It fits now."),
		);
		await api.prompt(id, "One too many.");
	},
};

/** A compaction that nobody asked for fails, and the turn with it. */
export const failedAutoCompaction: Scenario = {
	name: "failed-auto-compaction",
	isAlone: true,
	async run({ model, api }) {
		const { id } = await api.createSession({ title: "Too long, in vain" });
		model.script("Fill it up.", {
			text: "It is full.",
			promptTokens: 199_000,
		});
		model.summary = say("A summary without a single heading.");
		await api.prompt(id, "Fill it up.");
		await api.prompt(id, "Is there room?");
	},
};

export const failedCompaction: Scenario = {
	name: "failed-compaction",
	isAlone: true,
	async run(stage) {
		const { id } = await twoTurns(stage, "Not to be compacted");
		stage.model.summary = say("A summary without a single heading.");
		await stage.api.compact(id);
	},
};

/** A person asks for a compaction, thinks better of it, and asks again. */
export const interruptedCompaction: Scenario = {
	name: "interrupted-compaction",
	isAlone: true,
	async run(stage) {
		const { id } = await twoTurns(stage, "Not to be compacted yet");
		stage.model.summary = hang(HALF);
		await stage.api.beginCompaction(id);
		await interruptSummary(stage, id);
		await stage.api.compact(id);
		stage.model.script("Where were we then?", say("At two, still."));
		await stage.api.prompt(id, "Where were we then?");
	},
};

/** The same in a compaction that nobody asked for: the prompt that waits for it is given up, and the next one has it done. */
export const interruptedAutoCompaction: Scenario = {
	name: "interrupted-auto-compaction",
	isAlone: true,
	async run(stage) {
		const { api, model } = stage;
		const { id } = await api.createSession({ title: "Too long, given up" });
		model.script("Fill it up.", {
			text: "It is full.",
			promptTokens: 199_000,
		});
		model.script("Is there room now?", say("Now there is."));
		await api.prompt(id, "Fill it up.");
		model.summary = hang(HALF);
		await api.send(id, "Is there room?");
		await interruptSummary(stage, id);
		await api.prompt(id, "Is there room now?");
	},
};

/** What is heard of a summary that never ends. */
const HALF = "## Objective\n- A summary of which half is";

/** Interrupts a summary of which something was heard; the next one ends. */
async function interruptSummary(
	{ api, bus, model }: Stage2,
	id: string,
): Promise<void> {
	await bus.of(id, "session.compaction.delta");
	await api.interrupt(id);
	await api.wait(id);
	model.summary = undefined;
}

export const forked: Scenario = {
	name: "forked",
	async run(stage) {
		const { api, model } = stage;
		const { id, second } = await twoTurns(stage, "The origin");
		const before = await api.fork(id, second.id);
		const through = await api.fork(id);
		model.script("Another second.", say("Two, otherwise."));
		model.script("A third.", say("Three."));
		await api.prompt(before.id, "Another second.");
		await api.prompt(through.id, "A third.");
	},
};

export const forkedAfterCompaction: Scenario = {
	name: "forked-after-compaction",
	async run(stage) {
		const { api, model } = stage;
		const { id } = await twoTurns(stage, "Compacted, then forked");
		await api.compact(id);
		const copy = await api.fork(id);
		model.script("What do you know?", say("A summary."));
		await api.prompt(copy.id, "What do you know?");
	},
};

export const revertStaged: Scenario = {
	name: "revert-staged",
	async run(stage) {
		const { id, second } = await twoTurns(stage, "Staged");
		await stage.api.stageRevert(id, second.id);
	},
};

export const revertCleared: Scenario = {
	name: "revert-cleared",
	async run(stage) {
		const { id, second } = await twoTurns(stage, "Cleared");
		await stage.api.stageRevert(id, second.id);
		await stage.api.clearRevert(id);
	},
};

/** A file was written, and goes with the turn. */
export const revertCommitted: Scenario = {
	name: "revert-committed",
	async run(stage) {
		const { api, model, witness } = stage;
		const { id } = await twoTurns(stage, "Committed by a prompt");
		model.script(
			"Write what I regret.",
			call("write", {
				path: join(api.directory, "regret.txt"),
				content: "x\n",
			}),
			say("Written."),
		);
		model.script("Something else.", say("Else."));
		const regretted = await api.prompt(id, "Write what I regret.");
		await witness.see(api, id);
		await api.stageRevert(id, regretted.id);
		await api.prompt(id, "Something else.");
	},
};

export const revertCommittedByCall: Scenario = {
	name: "revert-committed-by-call",
	async run(stage) {
		const { api, witness } = stage;
		const { id, second } = await twoTurns(stage, "Committed by a call");
		await witness.see(api, id);
		await api.stageRevert(id, second.id);
		await api.commitRevert(id);
	},
};

export const renamed: Scenario = {
	name: "renamed",
	async run(stage) {
		const { id } = await twoTurns(stage, "The old name");
		await stage.api.update(id, { title: "The new name" });
		await stage.api.update(id, { metadata: { colour: "blue" } });
	},
};

export const deleted: Scenario = {
	name: "deleted",
	async run({ api, model, witness, bus }) {
		const keep = await api.createSession({ title: "To be kept" });
		const drop = await api.createSession({ title: "To be deleted" });
		model.script("Keep this.", say("Kept."));
		model.script(
			"Delegate, then go.",
			call("subagent", {
				agent: "general",
				description: "Do it",
				prompt: "Do it before we go.",
			}),
			say("Done."),
		);
		model.script("Do it before we go.", say("Did it."));
		await api.prompt(keep.id, "Keep this.");
		await api.prompt(drop.id, "Delegate, then go.");
		await witness.see(api, drop.id);
		await api.remove(drop.id);
		await bus.of(drop.id, "session.deleted");
	},
};

/** Deleted while it speaks. */
export const deletedInStream: Scenario = {
	name: "deleted-in-stream",
	async run({ api, model, bus, witness }) {
		const { id } = await api.createSession({ title: "Gone in mid-stream" });
		model.script("Say one thing.", say("One thing."));
		model.script("Now never end.", { text: "It goes on and", ending: "hang" });
		await api.prompt(id, "Say one thing.");
		await witness.see(api, id);
		await api.send(id, "Now never end.");
		await bus.hears(id, "It goes on and");
		await api.remove(id);
		await bus.of(id, "session.deleted");
	},
};

/** The same session comes back under its ids after it was deleted. */
export const imported: Scenario = {
	name: "imported",
	async run(stage) {
		const { api, model } = stage;
		const { id } = await twoTurns(stage, "Here again");
		const data = await exported(api, id);
		await api.remove(id);
		await api.request("POST", "/api/experimental/session/import", {
			...data,
			location: { directory: api.directory },
		});
		model.script("Are you there?", say("I am back."));
		await api.prompt(id, "Are you there?");
	},
};

async function exported(api: Api2, id: string): Promise<object> {
	const answer = await api.request(
		"GET",
		`/api/experimental/session/${id}/export`,
	);
	return (answer as { data: object }).data;
}

/** A copy of a copy, with a turn of each. */
export const forkedTwice: Scenario = {
	name: "forked-twice",
	async run(stage) {
		const { api, model } = stage;
		const { id } = await twoTurns(stage, "The grandparent");
		const child = await api.fork(id);
		model.script("Said in the child.", say("Heard in the child."));
		await api.prompt(child.id, "Said in the child.");
		const grandchild = await api.fork(child.id);
		model.script("Said in the grandchild.", say("Heard there."));
		await api.prompt(grandchild.id, "Said in the grandchild.");
		await api.stageRevert(grandchild.id, await firstOf(api, grandchild.id));
	},
};

async function firstOf(api: Api2, id: string): Promise<string> {
	const [first] = await api.messages(id);
	if (first === undefined) throw new Error(`${id} has no message`);
	return first.id;
}
