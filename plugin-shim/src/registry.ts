/**
 * What all copies of the plugin in this process share: OpenCode loads one per
 * project directory, and may load the same plugin from its config and from a
 * folder. Per database there is one recorder, whichever copy came first.
 */

import type { BusEvent, Host } from "./hosts/host.ts";
import type { HostLog } from "./hosts/host-log.ts";

/** What the copies use of each other; a change here needs another `PROTOCOL`. */
export interface SharedRecorder {
	/**
	 * Whether its last instance has left and all is stored. Whoever comes next
	 * makes another one: OpenCode 2.x loads changed files into a running process.
	 */
	readonly isOver: boolean;
	/** Adds an instance of the plugin. */
	join(instance: Instance): Membership;
	/** The process ends: stores what is left. */
	end(): void;
	/**
	 * Stores what is left and is over then, whoever has not left. A later release
	 * calls this, whatever the protocol: its name and meaning stay.
	 */
	stepDown(): void;
}

/** An instance of the plugin: one project directory's. */
export interface Instance {
	readonly log: HostLog;
	/** Its project directory; nothing where OpenCode gave it no way to ask. */
	readonly host: Host | undefined;
}

/** What an instance does with the recorder it has joined. */
export interface Membership {
	/** Takes an event; one that another instance has brought already, or of a type that is never recorded, is let go. */
	observe(event: BusEvent): void;
	/** Events may have happened that it did not hear: what they told is asked for. */
	missed(): void;
	/**
	 * The instance is about to end: stores what is left, and asks for what events
	 * left incomplete, for a second at most. Never rejects.
	 */
	finish(): Promise<void>;
	/** The instance ends. Comes back once what it brought is stored, or cannot be in a moment. Never rejects. */
	leave(): Promise<void>;
}

interface Registry {
	readonly protocol: number;
	readonly recorders: Map<string, SharedRecorder>;
}

const PROTOCOL = 7;
const KEY = Symbol.for("opencode-clankers");

/**
 * The recorder of that name, made on the first call in this process and whenever
 * the last one is over. Nothing while another release's records in it.
 */
export function recorderFor(
	name: string,
	make: () => SharedRecorder,
): SharedRecorder | undefined {
	const recorders = registry()?.recorders;
	const existing = recorders?.get(name);
	if (recorders === undefined || existing?.isOver === false) return existing;
	const made = make();
	recorders.set(name, made);
	return made;
}

/**
 * Asks an earlier release to step down. An instance that OpenCode 2 has forgotten
 * never leaves, and no event is heard by it alone. Only the later release asks:
 * where both are installed, neither takes the other's place for ever.
 */
export function askForWay(): void {
	const { [KEY]: existing } = globalThis as { [KEY]?: Registry };
	if (existing === undefined || existing.protocol >= PROTOCOL) return;
	for (const recorder of existing.recorders.values()) recorder.stepDown?.();
}

function registry(): Registry | undefined {
	const shared = globalThis as { [KEY]?: Registry };
	const existing = shared[KEY];
	if (existing?.protocol === PROTOCOL) return existing;
	const isOver = (one: SharedRecorder): boolean => one.isOver === true;
	if (existing && ![...existing.recorders.values()].every(isOver))
		return undefined;
	const created: Registry = { protocol: PROTOCOL, recorders: new Map() };
	shared[KEY] = created;
	process.on("exit", () => {
		for (const recorder of created.recorders.values()) recorder.end();
	});
	return created;
}
