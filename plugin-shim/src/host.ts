/**
 * The little of OpenCode's plugin interface that clankers uses, spelled out
 * here so that it holds on every release and costs no dependency.
 */

import type { SessionClient } from "./session-api.ts";

/** How loud a line in OpenCode's own log is. */
export type Level = "debug" | "info" | "warn" | "error";

/** The part of OpenCode's client that speaks to a person. */
export interface HostClient {
	readonly app: {
		log(request: {
			body: { service: string; level: Level; message: string };
		}): unknown;
	};
	readonly tui: {
		showToast(request: {
			body: {
				title: string;
				message: string;
				variant: "warning" | "error";
			};
		}): unknown;
	};
}

/** What the bus sends; everything but the type is the core's to read. */
export interface BusEvent {
	readonly type: string;
	/** `evt_…`, from 1.14 on. */
	readonly id?: string;
}

/** What OpenCode hands to a plugin, one call per project directory. */
export interface PluginInput {
	/** Missing in 2.x, which has another one. */
	readonly client?: HostClient & SessionClient;
	/** The project directory. */
	readonly directory?: string;
}

/** The hooks that clankers answers with. */
export interface Hooks {
	/** Called for each bus event; neither awaited nor serialised. */
	event?(input: { event: BusEvent }): Promise<void>;
	/** Called on a normal end, from 1.15.11 on. */
	dispose?(): Promise<void>;
}

/** The plugin function, as OpenCode 1.x calls it. */
export type Plugin = (
	input: PluginInput,
	options?: Record<string, unknown>,
) => Promise<Hooks>;
