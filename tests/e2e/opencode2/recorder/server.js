// A plugin for OpenCode 2 that writes down every event, verbatim. Each directory has an instance of its own and every
// instance hears every directory: an event is written once, by the first that hears it.
import { appendFileSync } from "node:fs";

const HEARD = Symbol.for("clankers.e2e.recorder");

async function follow(ctx, ended) {
	globalThis[HEARD] ??= new Set();
	const heard = globalThis[HEARD];
	while (!ended()) {
		try {
			for await (const event of ctx.event.subscribe()) {
				if (ended()) return;
				if (heard.has(event.id)) continue;
				heard.add(event.id);
				appendFileSync(
					process.env.E2E_EVENTS_FILE,
					`${JSON.stringify({ at: Date.now(), event })}\n`,
				);
			}
		} catch {
			// The stream broke off: OpenCode gives another.
		}
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
}

export default {
	id: "recorder",
	setup(ctx) {
		let isEnded = false;
		void follow(ctx, () => isEnded);
		return () => {
			isEnded = true;
		};
	},
};
