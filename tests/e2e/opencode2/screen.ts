/** A person at OpenCode 2's own screen, beside its background service. */

import { expect } from "bun:test";
import { pluginByFolder } from "../harness/plugin.ts";
import type { say } from "../harness/script.ts";
import { Terminal } from "../harness/terminal.ts";
import { expectMirrored } from "./mirrored.ts";
import { startService } from "./service.ts";
import { inWorld2, type World2 } from "./world.ts";

/** On the screen while a turn runs. */
export const BUSY = "esc interrupt";

/** A person's terminals, which are looked at when all is over. */
export type Open = (...args: string[]) => Terminal;

export type Model = World2["model"];

/** All that a person does is mirrored, and they see nothing of the plugin. */
export function atTheScreen(
	sit: (world: World2, open: Open) => Promise<void>,
): Promise<void> {
	return inWorld2(
		{ plugins: [pluginByFolder()], start: startService },
		async (world) => {
			const terminals: Terminal[] = [];
			const open = (...args: string[]): Terminal => {
				const terminal = new Terminal(world.home, args);
				terminals.push(terminal);
				return terminal;
			};
			try {
				await sit(world, open);
				await expectMirrored(world, 100);
				for (const { printed } of terminals) {
					expect(printed).toContain("Build");
					expect(printed.toLowerCase()).not.toContain("clankers");
				}
			} finally {
				// An open one would start the service again.
				for (const terminal of terminals) terminal.close();
			}
		},
	);
}

/** One turn that ends with this answer. */
export async function turn(
	terminal: Terminal,
	prompt: string,
	reply: ReturnType<typeof say>,
	model: Model,
): Promise<void> {
	model.script(prompt, reply);
	await terminal.sends(prompt);
	await terminal.shows(String(reply.text));
	await terminal.hides(BUSY);
}
