/** Makes an outbox smaller: of the states of a row that it holds, one is left. */
import type { Command } from "../../../../pkg/clankers.js";
import { batchesOf } from "./batches.ts";
import { MergedCommands } from "./merge.ts";
import type { Outbox } from "./outbox.ts";

/** How much is read or written without a breath. */
const BREATH = 1024 * 1024;
/** How many commands are put into records at a time. */
const TOGETHER = 256;

/** What compacting asks of its surroundings. */
export interface Surroundings {
	/** Lets others do their work. */
	breathe(): Promise<void>;
	/** Whether the outbox is not ours any more. */
	isOver(): boolean;
}

/**
 * Merges what lies behind `from` when it is called. What is appended meanwhile
 * is kept as it is; nothing behind `from` may be sent meanwhile.
 */
export async function compact(
	outbox: Outbox,
	from: number,
	surroundings: Surroundings,
): Promise<void> {
	const to = outbox.end;
	const commands = await mergedCommands(outbox, from, to, surroundings);
	if (commands.length === 0 || surroundings.isOver()) return;
	const rewrite = outbox.rewrite(from, to);
	try {
		const rest = commands.values();
		let written = 0;
		for (let some = take(rest); some.length > 0; some = take(rest))
			for (const record of batchesOf(some).records) {
				rewrite.write(record);
				written += record.length;
				if (written < BREATH) continue;
				written = 0;
				await surroundings.breathe();
			}
		await rewrite.sync();
		if (surroundings.isOver()) rewrite.abandon();
		else rewrite.finish();
	} catch (error) {
		rewrite.abandon();
		throw error;
	}
}

/** The commands from one place to another, merged; none when it is over. */
async function mergedCommands(
	outbox: Outbox,
	from: number,
	to: number,
	{ breathe, isOver }: Surroundings,
): Promise<Command[]> {
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
		if (isOver()) return [];
	}
	return merged.all();
}

function take(commands: IterableIterator<Command>): Command[] {
	const some: Command[] = [];
	for (let at = 0; at < TOGETHER; at++) {
		const { value, done } = commands.next();
		if (done) break;
		some.push(value);
	}
	return some;
}
