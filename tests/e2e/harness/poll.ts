/** Waiting on a condition, with a deadline: the only way that anything here waits. */

/**
 * Waits until `probe` answers with something. What it throws counts as "not yet": a database
 * that is being set up has no table, a server that starts refuses. At the deadline it is told.
 */
export async function until<T>(
	what: string,
	probe: () =>
		| T
		| undefined
		| false
		| null
		| Promise<T | undefined | false | null>,
	within = 60_000,
): Promise<T> {
	const deadline = Date.now() + within;
	for (;;) {
		let thrown: unknown;
		try {
			const found = await probe();
			if (found !== undefined && found !== false && found !== null)
				return found;
		} catch (error) {
			thrown = error;
		}
		if (Date.now() > deadline)
			throw new Error(`waited ${within} ms for ${what}, in vain`, {
				cause: thrown,
			});
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}
