/** Recordings of real releases, and what the core makes of them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "../../../pkg/clankers.js";
import { SurvivingCore } from "../../src/core.ts";

const FIXTURES = join(
	import.meta.dirname,
	"..",
	"..",
	"..",
	"tests",
	"fixtures",
);

/** The recordings of a release, a path each. */
export function recordings(release: string): string[] {
	return readdirSync(join(FIXTURES, release))
		.filter((name) => name.endsWith(".jsonl"))
		.sort()
		.map((name) => join(FIXTURES, release, name));
}

/** The batches of a recording: drained as the plugin does, or after every event. */
export function batchesOfRecording(
	recording: string,
	drained: "when urgent" | "after each event" = "when urgent",
): Command[][] {
	const core = new SurvivingCore({}, (error) => {
		throw error;
	});
	const batches: Command[][] = [];
	const drain = (): void => {
		const batch = core.drain();
		core.settle(true);
		if (batch.length > 0) batches.push(batch);
	};
	for (const line of readFileSync(recording, "utf8").split("\n")) {
		if (line === "") continue;
		const { at, event } = JSON.parse(line) as { at: number; event: unknown };
		const urgency = core.observe(event, at);
		if (urgency === 3 || drained === "after each event") drain();
	}
	drain();
	core.free();
	return batches;
}
