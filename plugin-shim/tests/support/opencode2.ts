/** OpenCode 2.x as its plugins see it: one bus for all directories of a process. */
import type { BusEvent } from "../../src/hosts/host.ts";
import type { Context } from "../../src/hosts/opencode2.ts";
import { DIRECTORY } from "./events2.ts";

/** The release that it says it is. */
export const RELEASE = "2.0.15";

export class ScriptedOpenCode2 {
	/** What was asked: `get ID`, `context ID`. */
	readonly asked: string[] = [];
	readonly #sessions = new Map<string, { info: object; messages: object[] }>();
	readonly #streams = new Set<Stream>();

	/** What an instance is given. */
	context(
		options: Record<string, unknown>,
		directory: string = DIRECTORY,
	): Context {
		return {
			options,
			app: { version: RELEASE },
			location: { directory },
			event: { subscribe: () => new Stream(this.#streams) },
			session: {
				get: async ({ sessionID }) => this.#of("get", sessionID).info,
				context: async ({ sessionID }) =>
					this.#of("context", sessionID).messages,
			},
		};
	}

	/** How many subscriptions are open. */
	get open(): number {
		return this.#streams.size;
	}

	/** Tells every subscription, each its own copy. */
	tell(...events: readonly (BusEvent | readonly BusEvent[])[]): void {
		for (const event of events.flat())
			for (const stream of [...this.#streams])
				stream.give(structuredClone(event));
	}

	/** Ends every subscription, as where an event could not be encoded, or well. */
	break(error?: Error): void {
		for (const stream of [...this.#streams]) stream.stop(error);
	}

	/** Has a session to answer with. */
	keep(id: string, info: object, messages: object[]): void {
		this.#sessions.set(id, { info, messages });
	}

	#of(request: string, id: string): { info: object; messages: object[] } {
		this.asked.push(`${request} ${id}`);
		const session = this.#sessions.get(id);
		if (session !== undefined) return session;
		throw Object.assign(new Error(""), { _tag: "Session.NotFoundError" });
	}
}

/** A subscription: open from the first call of `next` on, as OpenCode's. */
class Stream implements AsyncIterableIterator<BusEvent, undefined> {
	readonly #open: Set<Stream>;
	readonly #waiting: BusEvent[] = [];
	#wake: (() => void) | undefined;
	#error: Error | undefined;
	#begun = false;
	#done = false;

	constructor(open: Set<Stream>) {
		this.#open = open;
	}

	[Symbol.asyncIterator](): this {
		return this;
	}

	async next(): Promise<IteratorResult<BusEvent, undefined>> {
		if (!this.#begun) this.#open.add(this);
		this.#begun = true;
		while (this.#waiting.length === 0 && !this.#done)
			await new Promise<void>((resolve) => {
				this.#wake = resolve;
			});
		const value = this.#waiting.shift();
		if (value !== undefined) return { done: false, value };
		if (this.#error !== undefined) throw this.#error;
		return { done: true, value: undefined };
	}

	async return(): Promise<IteratorResult<BusEvent, undefined>> {
		this.stop();
		return { done: true, value: undefined };
	}

	give(event: BusEvent): void {
		this.#waiting.push(event);
		this.#wake?.();
	}

	stop(error?: Error): void {
		this.#open.delete(this);
		this.#done = true;
		this.#error = error;
		this.#wake?.();
	}
}
