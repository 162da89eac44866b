/** Makes an outbox smaller: of the states of a row that it holds, one is left. */
import type { Command } from "../../../pkg/clankers.js";
import { batchesOf } from "./batches.ts";
import { MergedCommands } from "./merge.ts";
import type { Outbox } from "./outbox.ts";

/** How much is read without a breath. */
const BREATH = 1024 * 1024;

/**
 * Merges what lies behind `from` when it is called. What is appended meanwhile
 * is kept as it is; nothing is sent meanwhile. Gives up when `isOver`.
 */
export async function compact(
	outbox: Outbox,
	from: number,
	breathe: () => Promise<void>,
	isOver: () => boolean,
): Promise<void> {
	const to = outbox.end;
	const merged = new MergedCommands();
	let breathed = from;
	for (
		let entry = outbox.read(from);
		entry !== undefined && entry.end <= to;
		entry = outbox.read(entry.end)
	) {
		const { commands } = JSON.parse(entry.params.toString("utf8")) as {
			commands: Command[];
		};
		for (const command of commands) merged.add(command);
		if (entry.end - breathed < BREATH) continue;
		breathed = entry.end;
		await breathe();
		if (isOver()) return;
	}
	const { records } = batchesOf(merged.all());
	if (records.length > 0) outbox.rewrite(from, to, records);
}
