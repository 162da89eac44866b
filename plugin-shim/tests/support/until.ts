/** Waits for a condition, and fails when it does not come true in time. */
import { setTimeout as pause } from "node:timers/promises";

const DEADLINE_MS = 4_000;
const INTERVAL_MS = 5;

export async function until(
	expected: string,
	condition: () => boolean,
): Promise<void> {
	const deadline = Date.now() + DEADLINE_MS;
	while (!condition()) {
		if (Date.now() > deadline) throw new Error(`still not true: ${expected}`);
		await pause(INTERVAL_MS);
	}
}
