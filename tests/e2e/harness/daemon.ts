/** A real daemon that writes the database of a throw-away home. */

import { type ChildProcess, spawn } from "node:child_process";
import { connect } from "node:net";
import { programFile } from "./plugin.ts";
import { until } from "./poll.ts";

const running = new Set<ChildProcess>();
process.on("exit", () => {
	for (const child of running) child.kill("SIGKILL");
});

export class Daemon {
	#child: ChildProcess | undefined;

	/** Nothing runs before `start`. */
	constructor(
		private readonly database: string,
		private readonly socket: string,
	) {}

	/** Starts it, and waits until it listens. */
	async start(): Promise<void> {
		const child = spawn(
			programFile(),
			[
				...["daemon", "--foreground", "--log-level", "error"],
				...["--db-path", this.database, "--socket", this.socket],
			],
			{ stdio: "ignore" },
		);
		running.add(child);
		this.#child = child;
		await until("the daemon to listen", () => this.#isListening());
	}

	/** Ends it as a crash does. */
	kill(): Promise<void> {
		return this.#end("SIGKILL");
	}

	/** Ends it as its person does. */
	stop(): Promise<void> {
		return this.#end("SIGTERM");
	}

	/** Lets it do nothing, with its socket open. */
	suspend(): void {
		this.#child?.kill("SIGSTOP");
	}

	resume(): void {
		this.#child?.kill("SIGCONT");
	}

	#end(signal: NodeJS.Signals): Promise<void> {
		const child = this.#child;
		this.#child = undefined;
		if (child === undefined) return Promise.resolve();
		return new Promise((resolve) => {
			child.once("exit", () => {
				running.delete(child);
				resolve();
			});
			child.kill(signal);
		});
	}

	#isListening(): Promise<boolean> {
		return new Promise((resolve) => {
			const socket = connect({ path: this.socket });
			socket.on("connect", () => {
				socket.destroy();
				resolve(true);
			});
			socket.on("error", () => resolve(false));
		});
	}
}
