/** Runs a real release: `opencode run` for one turn, `opencode serve` for everything else. */

import { type ChildProcess, spawn } from "node:child_process";
import { Api } from "./api.ts";
import type { Home } from "./home.ts";
import { binaryOf } from "./releases.ts";

export interface Finished {
	readonly code: number | null;
	readonly output: string;
}

const children = new Set<ChildProcess>();
process.on("exit", () => {
	for (const child of children) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"] as const)
	process.on(signal, () => process.exit(1));

/** One turn in a process of its own, which leaves as soon as the turn ends. */
export async function runTurn(
	home: Home,
	prompt: string,
	args: readonly string[] = [],
	directory: string = home.project,
): Promise<Finished> {
	return await runCommand(home, ["run", ...args, prompt], directory);
}

/** Any command, to its end. */
export async function runCommand(
	home: Home,
	args: readonly string[],
	directory: string = home.project,
): Promise<Finished> {
	const child = start(home, args, directory);
	const output = collect(child);
	const timer = setTimeout(() => child.kill("SIGKILL"), 300_000);
	const code = await exitOf(child);
	clearTimeout(timer);
	return { code, output: output() };
}

export class Server {
	private constructor(
		readonly api: Api,
		private readonly process: Serving,
		readonly output: () => string,
	) {}

	static async start(
		home: Home,
		directory: string = home.project,
	): Promise<Server> {
		const process = await Serving.start(home, directory);
		return new Server(
			new Api(process.origin, directory, home.options.release),
			process,
			process.output,
		);
	}

	/** The number of its process. */
	get pid(): number {
		return this.process.pid;
	}

	/** Ends the process as a service manager would, or at once with "SIGKILL". */
	async stop(
		signal: "SIGTERM" | "SIGINT" | "SIGKILL" = "SIGTERM",
	): Promise<void> {
		await this.process.stop(signal);
	}
}

/** The process of `opencode serve`, of any release. */
export class Serving {
	private constructor(
		readonly origin: string,
		private readonly child: ChildProcess,
		readonly output: () => string,
	) {}

	/** Starts it, and waits until it listens. */
	static async start(home: Home, directory: string): Promise<Serving> {
		const child = start(
			home,
			["serve", "--port", "0", "--hostname", "127.0.0.1"],
			directory,
		);
		const output = collect(child);
		const { name } = home.application;
		const origin = await new Promise<string>((resolve, reject) => {
			const timer = setTimeout(
				() =>
					reject(new Error(`${name} did not listen within 60 s:\n${output()}`)),
				60_000,
			);
			const look = (): void => {
				const found = /listening on (http:\/\/[^\s]+)/.exec(output());
				if (!found?.[1]) return;
				clearTimeout(timer);
				resolve(found[1]);
			};
			child.stdout?.on("data", look);
			child.stderr?.on("data", look);
			child.once("exit", (code) =>
				reject(new Error(`${name} left with code ${code}:\n${output()}`)),
			);
		});
		return new Serving(origin, child, output);
	}

	get pid(): number {
		return this.child.pid ?? 0;
	}

	async stop(signal: NodeJS.Signals): Promise<void> {
		if (this.child.exitCode !== null || this.child.signalCode !== null) return;
		const gone = exitOf(this.child);
		this.child.kill(signal);
		const timer = setTimeout(() => this.child.kill("SIGKILL"), 10_000);
		await gone;
		clearTimeout(timer);
	}
}

function start(
	home: Home,
	args: readonly string[],
	directory: string,
): ChildProcess {
	const child = spawn(binaryOf(home.options.release), args, {
		cwd: directory,
		env: { ...home.env, PWD: directory },
		stdio: ["ignore", "pipe", "pipe"],
	});
	children.add(child);
	child.once("exit", () => children.delete(child));
	return child;
}

function collect(child: ChildProcess): () => string {
	const chunks: string[] = [];
	for (const stream of [child.stdout, child.stderr])
		stream?.on("data", (chunk: Buffer) => chunks.push(chunk.toString("utf8")));
	return () => chunks.join("");
}

function exitOf(child: ChildProcess): Promise<number | null> {
	if (child.exitCode !== null || child.signalCode !== null)
		return Promise.resolve(child.exitCode);
	return new Promise((resolve) => child.once("close", (code) => resolve(code)));
}
