// A plugin that writes down every bus event, verbatim. Its only export is the plugin function: all loaders take that.
import { appendFileSync } from "node:fs";

export default async function recorder() {
	return {
		event: async ({ event }) => {
			appendFileSync(
				process.env.E2E_EVENTS_FILE,
				`${JSON.stringify({ at: Date.now(), event })}\n`,
			);
		},
	};
}
