/** OpenCode 2's background service: it takes up by itself what it was doing when it ended, and all of it is recorded once. */

import { expect, test } from "bun:test";
import { runTurn } from "./harness/opencode.ts";
import { pluginByFolder } from "./harness/plugin.ts";
import { until } from "./harness/poll.ts";
import { call, hang, say } from "./harness/script.ts";
import { textsOf } from "./mirror/database.ts";
import { expectMirrored } from "./opencode2/mirrored.ts";
import { service, startService } from "./opencode2/service.ts";
import { inWorld2, type World2 } from "./opencode2/world.ts";

const SERVED = { plugins: [pluginByFolder()], start: startService };
/** Words that were heard before the end. */
const HEARD = "The last words are";

test(
	"two runs through the service are mirrored",
	() =>
		inWorld2(SERVED, async (world) => {
			const { home, model } = world;
			model.title("Say hello", "From the command line");
			model.script("Say hello", say("Hello."));
			model.script(
				"List the files",
				call("shell", { command: "ls" }),
				say("One file."),
			);
			for (const [prompt, ...args] of [
				["Say hello."],
				["List the files.", "--continue"],
			] as const) {
				const { code, output } = await runTurn(home, prompt, args);
				expect(code, output).toBe(0);
			}
			await expectMirrored(world, 100);
			expect(await world.api.sessions()).toHaveLength(1);
		}),
	600_000,
);

/** How the service ends, in the middle of two turns. */
const ENDS: readonly (readonly [string, (world: World2) => Promise<void>])[] = [
	[
		"service restart",
		({ home, restartBy }) => restartBy(() => service(home, "restart")),
	],
	["service stop, and start", ({ restart }) => restart("SIGTERM")],
	["kill -9, and start", ({ restart }) => restart("SIGKILL")],
];

test.concurrent.each(ENDS)(
	"%s in mid-turn: it goes on by itself, and is mirrored",
	(_, end) =>
		inWorld2(SERVED, async (world) => {
			const { database, model } = world;
			model.script("Speak until the end.", hang(HEARD));
			model.script(
				"Run until the end.",
				call("shell", { command: "echo begun; sleep 60" }),
			);
			model.script("The server restarted", say("I am back."));
			const speaking = await begin(world, "Speak until the end.");
			const running = await begin(world, "Run until the end.");
			await world.bus.of(running, "session.tool.progress");
			await until("the words in the database", () =>
				textsOf(database, speaking).includes(HEARD),
			);
			await end(world);
			for (const session of [speaking, running])
				await until("the end of the turn that goes on", async () => {
					const messages = await world.api.messages(session);
					return (
						messages.at(-1)?.type === "idle" &&
						JSON.stringify(messages).includes("I am back.")
					);
				});
			await expectMirrored(world, 100);
			// After a crash OpenCode has lost them.
			expect(textsOf(database, speaking)).toEqual([HEARD, "I am back."]);
		}),
	600_000,
);

async function begin({ api }: World2, prompt: string): Promise<string> {
	const { id } = await api.createSession({ title: prompt });
	await api.send(id, prompt);
	return id;
}
