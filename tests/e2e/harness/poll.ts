/** Waiting on a condition, with a deadline: the only way that anything here waits. */

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
		const found = await probe();
		if (found !== undefined && found !== false && found !== null) return found;
		if (Date.now() > deadline)
			throw new Error(`waited ${within} ms for ${what}, in vain`);
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}
