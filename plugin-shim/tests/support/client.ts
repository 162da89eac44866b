/** OpenCode's client, reduced to a record of what it was told. */
import assert from "node:assert/strict";
import type { HostClient, Level } from "../../src/hosts/host-log.ts";

const PREFIX = "clankers: ";

/** A client and all it heard. */
export interface ListeningClient extends HostClient {
	/** Without the name that each begins with. */
	readonly lines: { level: Level; message: string }[];
	readonly toasts: string[];
}

export function listeningClient(): ListeningClient {
	const lines: ListeningClient["lines"] = [];
	const toasts: string[] = [];
	return {
		lines,
		toasts,
		app: {
			log: async ({ body: { service, level, message } }) => {
				assert.equal(service, "clankers");
				assert.ok(message.startsWith(PREFIX), message);
				lines.push({ level, message: message.slice(PREFIX.length) });
			},
		},
		tui: { showToast: async ({ body }) => void toasts.push(body.message) },
	};
}
