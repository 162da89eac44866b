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

/**
 * The same, where asking takes a while. What is thrown counts as "not yet", as where the
 * database is still being set up, and is told at the deadline.
 */
export async function untilAsync(
	expected: string,
	condition: () => Promise<boolean>,
): Promise<void> {
	const deadline = Date.now() + DEADLINE_MS;
	for (;;) {
		let cause: unknown;
		try {
			if (await condition()) return;
		} catch (error) {
			cause = error;
		}
		if (Date.now() > deadline)
			throw new Error(`still not true: ${expected}`, { cause });
		await pause(INTERVAL_MS);
	}
}
