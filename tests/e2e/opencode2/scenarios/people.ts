/** Scenarios in which the person is asked. */

import { ask, call, say } from "../../harness/script.ts";
import type { Scenario } from "../scenario.ts";

function touch(file: string): ReturnType<typeof call> {
	return call("shell", { command: `touch ${file}` });
}

export const permissions: Scenario = {
	name: "permissions",
	async run({ model, api, bus }) {
		const session = await api.createSession({ title: "Permissions" });
		for (const decision of ["once", "reject", "always"] as const) {
			const prompt = `Touch a file, ${decision}.`;
			model.script(prompt, touch(`${decision}.txt`), say("Asked."));
			await api.send(session.id, prompt);
			const asked = await bus.of(session.id, "permission.asked");
			await api.replyPermission(session.id, String(asked.data.id), decision);
			await api.wait(session.id);
		}
	},
};

export const correctedPermission: Scenario = {
	name: "corrected-permission",
	async run({ model, api, bus }) {
		const session = await api.createSession({ title: "Corrected" });
		model.script(
			"Touch the wrong one.",
			touch("wrong.txt"),
			say("I shall not."),
		);
		await api.send(session.id, "Touch the wrong one.");
		const asked = await bus.of(session.id, "permission.asked");
		await api.replyPermission(
			session.id,
			String(asked.data.id),
			"reject",
			"Use another name.",
		);
		await api.wait(session.id);
	},
};

export const interruptedPermission: Scenario = {
	name: "interrupted-permission",
	async run({ model, api, bus }) {
		const session = await api.createSession({ title: "Never answered" });
		model.script("Touch and wait.", touch("never.txt"));
		await api.send(session.id, "Touch and wait.");
		await bus.of(session.id, "permission.asked");
		await api.interrupt(session.id);
		await api.wait(session.id);
	},
};

export const questions: Scenario = {
	name: "questions",
	async run({ model, api, bus }) {
		const session = await api.createSession({ title: "Questions" });
		model.script("Ask me for a colour.", ask("colour"), say("So be it."));
		model.script("Ask me for a shade.", ask("shade"), say("Never mind."));
		await api.send(session.id, "Ask me for a colour.");
		const first = await formOf(bus, session.id);
		await api.replyForm(session.id, first, { q0: "Blue" });
		await api.wait(session.id);
		await api.send(session.id, "Ask me for a shade.");
		const second = await formOf(bus, session.id);
		await api.cancelForm(session.id, second);
		await api.wait(session.id);
	},
};

/** Neither answered nor dismissed: the turn is interrupted while the question stands there. */
export const interruptedQuestion: Scenario = {
	name: "interrupted-question",
	async run({ model, api, bus }) {
		const session = await api.createSession({ title: "Left unanswered" });
		model.script("Ask me, and wait.", ask("colour"), say("Never said."));
		model.script("Never mind the colour.", say("As you like."));
		await api.send(session.id, "Ask me, and wait.");
		await formOf(bus, session.id);
		await api.interrupt(session.id);
		await api.wait(session.id);
		await api.prompt(session.id, "Never mind the colour.");
	},
};

async function formOf(
	bus: Parameters<Scenario["run"]>[0]["bus"],
	sessionID: string,
): Promise<string> {
	const created = await bus.take(
		"form.created",
		({ form }) =>
			typeof form === "object" &&
			form !== null &&
			!Array.isArray(form) &&
			form.sessionID === sessionID,
	);
	return String((created.data.form as { id: unknown }).id);
}
