/** Real daemons, as `cargo build -p clankers-cli` makes them. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { untilAsync } from "./until.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const TARGET = process.env["CARGO_TARGET_DIR"] ?? join(ROOT, "target");
const PROGRAM = join(TARGET, "debug", "clankers");

const running = new Set<ChildProcess>();

process.on("exit", () => {
	for (const child of running) child.kill("SIGKILL");
});

/** A daemon for one database; started, ended and started again at will. */
export class TestDaemon {
	readonly databasePath: string;
	readonly socketPath: string;
	#child: ChildProcess | undefined;

	constructor(databasePath: string) {
		const folder = dirname(databasePath);
		this.databasePath = databasePath;
		this.socketPath = join(folder, "d.sock");
	}

	/** Starts it, and waits until it listens. */
	async start(): Promise<void> {
		assert.ok(existsSync(PROGRAM), "run `cargo build -p clankers-cli` first");
		const child = spawn(
			PROGRAM,
			[
				...["daemon", "--foreground", "--log-level", "error"],
				...["--db-path", this.databasePath, "--socket", this.socketPath],
				...["--data-path", dirname(this.databasePath)],
			],
			{ stdio: "ignore" },
		);
		running.add(child);
		this.#child = child;
		await untilAsync("the daemon listens", () => this.#isListening());
	}

	/** Ends it at once, as a crash does. */
	kill(): Promise<void> {
		return this.#end("SIGKILL");
	}

	/** Ends it as its person does: what it has read is stored. */
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
			const socket = connect({ path: this.socketPath });
			socket.on("connect", () => {
				socket.destroy();
				resolve(true);
			});
			socket.on("error", () => resolve(false));
		});
	}
}
