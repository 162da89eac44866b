/** Waits for a condition, and fails when it does not come true in time. */
import { setTimeout as pause } from "node:timers/promises";

const DEADLINE_MS = 10_000;
const INTERVAL_MS = 5;

export function until(
	expected: string,
	condition: () => boolean,
): Promise<void> {
	return untilAsync(expected, async () => condition());
}

/** The same, where asking takes a while. */
export async function untilAsync(
	expected: string,
	condition: () => Promise<boolean>,
): Promise<void> {
	const deadline = Date.now() + DEADLINE_MS;
	while (!(await condition())) {
		if (Date.now() > deadline) throw new Error(`still not true: ${expected}`);
		await pause(INTERVAL_MS);
	}
}
