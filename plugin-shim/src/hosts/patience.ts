/** Waiting for a host's answer, which may never come. */

/** How long an answer is waited for. */
const PATIENCE_MS = 60_000;

/** What it resolves to, or nothing where that takes too long. Does not keep the process alive. */
export async function orNothing(request: unknown): Promise<unknown> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<undefined>((resolve) => {
		timer = setTimeout(resolve, PATIENCE_MS, undefined).unref();
	});
	try {
		return await Promise.race([request, late]);
	} finally {
		clearTimeout(timer);
	}
}
