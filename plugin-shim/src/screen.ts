/**
 * The plugin in OpenCode 2's screen, where it can do what it cannot do in the
 * server: show a person a message. It says two things, each once and while they
 * are so: that nothing is stored, or not as it should be, and that it is again.
 */
import { type Environment, readConfig } from "./config.ts";
import { type Line, toldUpTo } from "./hosts/trouble-log.ts";

/** The little of a screen's context that clankers uses. */
export interface Screen {
	/** Empty in 2.0.15, where the options are the server's alone. */
	readonly options?: unknown;
	readonly ui?: {
		readonly toast?: {
			show?(toast: {
				title: string;
				message: string;
				variant: "success" | "error";
			}): void;
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

const MATTERS = ["storage", "stream", "daemon"] as const;

/** Shows from now on what is wrong, and that it is over; the answer ends that. Never throws. */
export function watch(
	screen: Screen | undefined,
	environment: Environment = process.env,
	now: () => number = Date.now,
): () => void {
	/** What was shown of a matter since it was well last, and the last line that was looked at then. */
	const shown = new Map<string, { messages: Set<string>; at: number }>();
	const ends = ENDS.map((type) =>
		attempt(() => screen?.data?.on?.(type, () => attempt(look))),
	);
	return () => {
		for (const end of ends) attempt(() => end?.());
	};

	function look(): void {
		const { config } = readConfig(screen?.options, environment);
		const { database, troubleFiles } = config;
		for (const about of MATTERS) {
			const lines = toldUpTo(now(), about, database.path, troubleFiles);
			const last = lines.at(-1);
			if (last !== undefined) lookAt(about, last, lines);
		}
	}

	function lookAt(about: string, last: Line, lines: readonly Line[]): void {
		const before = shown.get(about);
		const isOver =
			before !== undefined &&
			lines.some((line) => line.level === "info" && line.at >= before.at);
		if (isOver) shown.delete(about);
		if (isOver && last.level === "info") show(last, "success");
		if (last.level !== "error" || now() > last.at + RECENT_MS) return;
		const messages = shown.get(about)?.messages ?? new Set();
		shown.set(about, { messages, at: last.at });
		const message = String(last.message);
		if (messages.has(message)) return;
		messages.add(message);
		show(last, "error");
	}

	function show(line: Line, variant: "success" | "error"): void {
		const message = String(line.message);
		screen?.ui?.toast?.show?.({ title: "clankers", message, variant });
	}
}

function attempt<Value>(work: () => Value): Value | undefined {
	try {
		return work();
	} catch {
		return undefined;
	}
}
