/** How often the thread that a test runs on gets its turn. */

/** Lets everything that is ready to run do so once. */
export function turn(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}

/** How many turns others had before it was settled. */
export async function turnsUntil(settled: Promise<unknown>): Promise<number> {
	let isOver = false;
	const over = (): void => {
		isOver = true;
	};
	settled.then(over, over);
	let turns = 0;
	for (; !isOver; turns++) await turn();
	return turns;
}
