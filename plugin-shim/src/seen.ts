/**
 * Tells the events already observed from new ones. When the plugin is loaded
 * twice (from the config and from a folder), or again without `dispose`, each
 * instance is handed the same event: up to 1.14 the identical object, from 1.14
 * on an object with the same `id`, which is a copy for each hook from 1.17 on.
 */
import type { BusEvent } from "./hosts/host.ts";

/** How many ids are remembered, at least; instances lag each other by far less. */
const REMEMBERED = 4096;
/** How long an id and its type may be to be remembered, in UTF-16 units: those of known releases have 30 and 40. */
const LONGEST = 400;

/** The events seen lately. */
export class SeenEvents {
	readonly #objects = new WeakSet<object>();
	#recent = new Map<string, string>();
	#older = new Map<string, string>();

	/** Whether this event has not been here before; from now on it has. */
	isNew(event: BusEvent): boolean {
		const { id, type } = event;
		if (typeof id !== "string" || id.length + type.length > LONGEST) {
			if (this.#objects.has(event)) return false;
			this.#objects.add(event);
			return true;
		}
		// With its type: one id may name the same fact in two vocabularies.
		if (this.#recent.get(id) === type || this.#older.get(id) === type)
			return false;
		if (this.#recent.size >= REMEMBERED) {
			this.#older = this.#recent;
			this.#recent = new Map();
		}
		this.#recent.set(id, type);
		return true;
	}
}
