/**
 * The plugin in OpenCode 2's screen, where it can do what it cannot do in the
 * server: show a person a message. It says one thing, once, and only while it is
 * so: that nothing is stored.
 */
import { type Environment, readConfig } from "./config.ts";
import { lastTold } from "./hosts/trouble-log.ts";

/** The little of a screen's context that clankers uses. */
export interface Screen {
	/** Empty in 2.0.15, where the options are the server's alone. */
	readonly options?: unknown;
	readonly ui?: {
		readonly toast?: {
			show?(toast: { title: string; message: string; variant: "error" }): void;
		};
	};
	readonly data?: {
		/** Calls back with each event of a type; the answer ends that. */
		on?(type: string, heard: () => void): () => void;
	};
}

/** When a turn is over, it is known whether it was stored. */
const ENDS = ["succeeded", "failed", "interrupted"].map(
	(how) => `session.execution.${how}`,
);
/** A plugin that goes on failing says so every ten minutes. */
const RECENT_MS = 15 * 60_000;

/** Shows from now on what is wrong; the answer ends that. Never throws. */
export function watch(
	screen: Screen | undefined,
	environment: Environment = process.env,
	now: () => number = Date.now,
): () => void {
	const shown = new Set<string>();
	const ends = ENDS.map((type) =>
		attempt(() => screen?.data?.on?.(type, () => attempt(look))),
	);
	return () => {
		for (const end of ends) attempt(() => end?.());
	};

	function look(): void {
		const { config } = readConfig(screen?.options, environment);
		for (const about of ["storage", "stream"] as const) {
			const told = lastTold(
				about,
				config.database.path,
				config.troubleFiles,
				now(),
			);
			if (told?.level !== "error" || now() > told.at + RECENT_MS) continue;
			const message = String(told.message);
			if (shown.has(message)) continue;
			shown.add(message);
			screen?.ui?.toast?.show?.({
				title: "clankers",
				message,
				variant: "error",
			});
		}
	}
}

function attempt<Value>(work: () => Value): Value | undefined {
	try {
		return work();
	} catch {
		return undefined;
	}
}
