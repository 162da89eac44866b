/** The plugin is put into an OpenCode 2 that runs, and taken out again: what was before, and what was between, is asked for. */

import { expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import type { JsonObject } from "./harness/api.ts";
import { pluginByFolder, pluginFolder } from "./harness/plugin.ts";
import { until } from "./harness/poll.ts";
import { call, hang, say } from "./harness/script.ts";
import { wordsOf } from "./harness/words.ts";
import type { Api2 } from "./opencode2/api.ts";
import { expectMirrored } from "./opencode2/mirrored.ts";
import { forked, revertStaged } from "./opencode2/scenarios/history.ts";
import { subAgent } from "./opencode2/scenarios/subagents.ts";
import { reasoning, tools } from "./opencode2/scenarios/turns.ts";
import { inWorld2, type World2 } from "./opencode2/world.ts";

/** Where a person may put it, and how it goes again. */
const PLACES: readonly {
	readonly where: string;
	put(world: World2): void;
	take(world: World2): void;
}[] = [
	{
		where: "named in the configuration",
		put: ({ home }) => home.configure([pluginByFolder()]),
		take: ({ home }) => home.configure([]),
	},
	{
		where: "in the person's plugin folder",
		put: (world) =>
			cpSync(pluginFolder(), folderIn(world), { recursive: true }),
		take: (world) => rmSync(folderIn(world), { recursive: true }),
	},
];

function folderIn({ home }: World2): string {
	const folder = join(home.root, "config", "opencode", "plugin");
	mkdirSync(folder, { recursive: true });
	return join(folder, basename(pluginFolder()));
}

test.each(PLACES)(
	"put into a running server, taken out, and put back, $where: all is mirrored in the end",
	({ put, take }) =>
		inWorld2({ plugins: [] }, async (world) => {
			const { api, database, model } = world;
			// Before it: nobody listens.
			for (const scenario of [tools, forked, subAgent])
				await scenario.run(world);
			expect(existsSync(database)).toBe(false);
			// In the middle of an answer.
			model.script("Speak for ever.", hang("It began before"));
			const { id } = await api.createSession({ title: "In between" });
			await api.send(id, "Speak for ever.");
			await world.bus.hears(id, "It began before");
			put(world);
			await isActive(api, true);
			await api.interrupt(id);
			await api.wait(id);
			for (const scenario of [reasoning, revertStaged])
				await scenario.run(world);
			await expectMirrored(world, 300);
			// Taken out: what is said now is not stored.
			take(world);
			await isActive(api, false);
			const before = wordsOf(database);
			model.script(
				"Nobody is there.",
				call("shell", { command: "echo alone" }),
				say("Nobody."),
			);
			await api.prompt(id, "Nobody is there.");
			expect(wordsOf(database)).toEqual(before);
			// Back: it asks for what it missed.
			put(world);
			await isActive(api, true);
			await expectMirrored(world, 300);
		}),
	600_000,
);

/** Waits until OpenCode itself says that the plugin runs, or that it does not. */
async function isActive(api: Api2, isExpected: boolean): Promise<void> {
	const directory = encodeURIComponent(api.directory);
	await until(`the plugin ${isExpected ? "in" : "out"}`, async () => {
		const { data } = (await api.request(
			"GET",
			`/api/plugin?location[directory]=${directory}`,
		)) as { data: JsonObject[] };
		const isThere = data.some(
			({ id, state }) =>
				String(id).includes("clankers") &&
				(state as JsonObject).status === "active",
		);
		return isThere === isExpected;
	});
}
