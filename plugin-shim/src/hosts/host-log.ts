/** What clankers says: into OpenCode's log and its toasts, or a file where it has none; never on stdout. */
import { LOG_LEVELS, type LogLevel } from "./log-level.ts";
import type { Matter, TroubleLog } from "./trouble-log.ts";

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
				variant: "success" | "warning" | "error";
			};
		}): unknown;
	};
}

const NAME = "clankers";

/** One plugin instance's way to its OpenCode's log. Nothing here waits or throws. */
export class HostLog {
	/** Lines below this level are dropped. */
	level: LogLevel = "info";
	/** Where trouble is written for a host that has no log. */
	file: TroubleLog | undefined;
	/** The host's release, where it says so. */
	readonly release: string | undefined;
	readonly #client: HostClient | undefined;
	readonly #failures = new Set<string>();

	/** `client` may be missing: OpenCode 2.x has none. */
	constructor(client: HostClient | undefined, release?: string) {
		this.#client = client;
		this.release = release;
	}

	/** Whether the host has a log. */
	get isHeard(): boolean {
		return Boolean(this.#client);
	}

	/** Writes one line to OpenCode's log. Where there is none, it is dropped. */
	log(level: Level, message: string): void {
		if (!this.#wants(level)) return;
		// From 1.17 on OpenCode leaves the service out of its log's lines.
		const line = `${NAME}: ${message}`;
		forget(() =>
			this.#client?.app.log({ body: { service: NAME, level, message: line } }),
		);
	}

	/** Logs what goes wrong. */
	trouble(about: Matter, level: "warn" | "error", message: string): void {
		this.log(level, message);
		this.remind(about, level, message);
	}

	/** What was logged goes on. A host's own log has it already. */
	remind(about: Matter, level: "warn" | "error", message: string): void {
		if (this.#wants(level)) this.file?.add(about, level, message);
	}

	/** What went wrong with this, if anything did, is over. A host's own log needs no such word. */
	over(about: Matter, message: string): void {
		this.file?.over(about, message);
	}

	/** Logs an error, and shows it to the person if a terminal is there. */
	notify(message: string, about?: Matter): void {
		this.log("error", message);
		if (about !== undefined) this.remind(about, "error", message);
		this.#show(message, "error");
	}

	/** Logs that what a person was shown is over, and shows that, too. */
	reassure(message: string): void {
		this.log("info", message);
		this.#show(message, "success");
	}

	/** Logs a failure of our own; one line per kind, however often it happens. */
	failed(consequence: string, error: unknown, about: Matter = "plugin"): void {
		const message = `${consequence}: ${describe(error)}`;
		if (this.#failures.has(message) || this.#failures.size >= 100) return;
		this.#failures.add(message);
		this.trouble(about, "error", message);
	}

	#show(message: string, variant: "success" | "error"): void {
		forget(() =>
			this.#client?.tui.showToast({ body: { title: NAME, message, variant } }),
		);
	}

	#wants(level: Level): boolean {
		return LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(this.level);
	}
}

/** What went wrong, in one line. */
export function describe(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

/** Starts a call and lets go of it, whatever becomes of it. */
function forget(call: () => unknown): void {
	try {
		Promise.resolve(call()).catch(() => {});
	} catch {
		// There is nobody left to tell.
	}
}
