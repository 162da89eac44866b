/** A terminal in which a program runs, with a person's keys and a look at the screen: a tmux of its own. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Home } from "./home.ts";
import { until } from "./poll.ts";
import { binaryOf } from "./releases.ts";

const SIZE = { columns: 110, lines: 40 };
/** On OpenCode 2's screen once a prompt would go to the model of the configuration. */
export const READY = "Build · Scripted Large";
/** Longer than OpenCode takes to hear a key. */
const ENTER_MS = 2000;
/** So often something must be looked for in vain. */
const LOOKS = 5;

export class Terminal {
	private readonly folder: string;
	private isOpen = true;

	/** Opens a terminal in a directory, in which the release's program begins. */
	constructor(
		private readonly home: Home,
		args: readonly string[] = [],
		directory: string = home.project,
	) {
		this.folder = mkdtempSync(join(home.root, "terminal-"));
		this.tmux(
			...["new-session", "-d", "-c", directory],
			...["-x", `${SIZE.columns}`, "-y", `${SIZE.lines}`],
			...[binaryOf(home.options.release), ...args],
			// What stands there when the program has left is looked at, too.
			...[";", "set-option", "-g", "remain-on-exit", "on"],
			...[";", "pipe-pane", `cat >> '${this.log}'`],
		);
	}

	/** What the screen shows now. */
	get screen(): string {
		return this.tmux("capture-pane", "-p");
	}

	/** Every byte that was ever printed, but for where the home lies. */
	get printed(): string {
		if (!existsSync(this.log)) return "";
		return readFileSync(this.log, "utf8").replaceAll(this.home.root, "~");
	}

	/** Waits until the screen shows this. */
	async shows(words: string): Promise<void> {
		await this.looks(`"${words}" on the screen`, (screen) =>
			screen.includes(words),
		);
	}

	/** Waits until the screen does not show this any more. */
	async hides(words: string): Promise<void> {
		await this.looks(
			`"${words}" off the screen`,
			(screen) => !screen.includes(words),
		);
	}

	/** Types a text and sends it off. OpenCode overhears an Enter while it is still starting: then it is pressed again. */
	async sends(text: string): Promise<void> {
		this.tmux("send-keys", "-l", text);
		await this.looks(`"${text}" in the box`, () => this.input.includes(text));
		await until(`"${text}" to be sent`, async () => {
			this.press("Enter");
			return await this.lacks(text).catch(() => false);
		});
	}

	/** Waits, not for long, until a text has left the box, for more than the moment in which the screen is drawn. */
	private async lacks(text: string): Promise<true> {
		let looks = 0;
		return await until(
			`"${text}" to leave`,
			() => {
				looks = this.input.includes(text) ? 0 : looks + 1;
				return looks > LOOKS || undefined;
			},
			ENTER_MS,
		);
	}

	/** What stands in OpenCode's box for a prompt: the lines above its lower edge. */
	private get input(): string {
		const [above = ""] = this.screen.split("╹▀");
		return above.split("\n").slice(-5).join("\n");
	}

	/** Presses keys, as tmux names them: `Enter`, `Escape`, `C-c`. */
	press(...keys: readonly string[]): void {
		this.tmux("send-keys", ...keys);
	}

	/** Waits until the program has left. */
	async ends(): Promise<void> {
		await until("the end of the program", () =>
			this.tmux("display-message", "-p", "#{pane_dead}").startsWith("1"),
		);
	}

	/** Closes the terminal, as if its window were closed. */
	close(): void {
		if (this.isOpen) this.tmux("kill-server");
		this.isOpen = false;
	}

	private async looks(
		what: string,
		fits: (screen: string) => boolean,
	): Promise<void> {
		await until(what, () => fits(this.screen)).catch((error: Error) => {
			throw new Error(`${error.message}; it shows:\n${this.screen}`);
		});
	}

	private get log(): string {
		return join(this.folder, "printed");
	}

	private get socket(): string {
		return join(this.folder, "socket");
	}

	private tmux(...args: readonly string[]): string {
		const done = spawnSync(
			"tmux",
			["-S", this.socket, "-f", "/dev/null", ...args],
			{ env: { ...this.home.env, TERM: "xterm-256color" }, encoding: "utf8" },
		);
		if (done.status !== 0)
			throw new Error(`tmux ${args[0]}: ${done.stderr || done.error?.message}`);
		return done.stdout;
	}
}
