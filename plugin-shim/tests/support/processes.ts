/** Other processes, under the same runtime as this one. */
import { spawn } from "node:child_process";

/** Runs a module with arguments in a process of its own each, all at once; fails if one does. Answers what each printed. */
export function runAll(
	commands: readonly (readonly string[])[],
	environment: Readonly<Record<string, string>> = {},
): Promise<string[]> {
	return Promise.all(
		commands.map(
			(args) =>
				new Promise<string>((resolve, reject) => {
					const child = spawn(process.execPath, args, {
						env: { ...process.env, ...environment },
						stdio: ["ignore", "pipe", "pipe"],
					});
					let output = "";
					child.stdout.on("data", (chunk) => {
						output += chunk;
					});
					child.stderr.on("data", (chunk) => {
						output += chunk;
					});
					child.on("error", reject);
					child.on("close", (code) => {
						if (code === 0) resolve(output);
						else reject(new Error(`${args.join(" ")}: ${code}\n${output}`));
					});
				}),
		),
	);
}
