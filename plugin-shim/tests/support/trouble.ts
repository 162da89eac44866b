/** What the plugin wrote of trouble, for a host without a log. */
import { existsSync, readFileSync } from "node:fs";

export interface Told {
	readonly at: number;
	readonly level: string;
	readonly about: string;
	readonly message: string;
	readonly database: string;
	readonly release?: string;
}

/** The lines of this file, in order. */
export function troubleIn(file: string): Told[] {
	if (!existsSync(file)) return [];
	const lines = readFileSync(file, "utf8").split("\n");
	return lines
		.filter((line) => line !== "")
		.map((line) => JSON.parse(line) as Told);
}
