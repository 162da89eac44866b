/** OpenCode's client, reduced to a record of what it was told. */
import type { HostClient, Level } from "../../src/host.ts";

/** A client and all it heard. */
export interface ListeningClient extends HostClient {
	readonly lines: { service: string; level: Level; message: string }[];
	readonly toasts: string[];
}

export function listeningClient(): ListeningClient {
	const lines: ListeningClient["lines"] = [];
	const toasts: string[] = [];
	return {
		lines,
		toasts,
		app: { log: async ({ body }) => void lines.push(body) },
		tui: { showToast: async ({ body }) => void toasts.push(body.message) },
	};
}
