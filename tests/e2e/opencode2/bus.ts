/** OpenCode 2's events as its own clients hear them: for waiting until something happened. */

import type { JsonObject } from "../harness/api.ts";
import { until } from "../harness/poll.ts";
import type { Api2 } from "./api.ts";

export interface Event2 {
	readonly id: string;
	readonly type: string;
	readonly data: JsonObject;
}

export class Bus2 {
	/** Everything that was heard, in order. */
	readonly events: Event2[] = [];
	private readonly taken = new Set<Event2>();
	private readonly closing = new AbortController();

	/** Follows every event of every directory from here on. */
	static async open(api: Api2): Promise<Bus2> {
		const bus = new Bus2();
		const { body } = await api.fetch(
			"GET",
			"/api/event",
			undefined,
			bus.closing.signal,
		);
		if (!body) throw new Error("the events came without a body");
		bus.read(body).catch(() => undefined);
		return bus;
	}

	/** The first event, not yet taken, that fits; it is taken. */
	async take(
		type: string,
		fits: (data: JsonObject) => boolean = () => true,
	): Promise<Event2> {
		const event = await until(`event ${type}`, () =>
			this.events.find(
				(event) =>
					event.type === type && !this.taken.has(event) && fits(event.data),
			),
		);
		this.taken.add(event);
		return event;
	}

	/** The first event of this type that is of the session. */
	async of(sessionID: string, type: string): Promise<Event2> {
		return await this.take(type, (data) => data.sessionID === sessionID);
	}

	/** Waits for these words of an answer that is being given. */
	async hears(sessionID: string, words: string): Promise<void> {
		await until(`"${words}" on the bus`, () =>
			this.events
				.filter(
					({ type, data }) =>
						type === "session.text.delta" && data.sessionID === sessionID,
				)
				.map(({ data }) => data.delta)
				.join("")
				.includes(words),
		);
	}

	close(): void {
		this.closing.abort();
	}

	private async read(body: ReadableStream<Uint8Array>): Promise<void> {
		const decoder = new TextDecoder();
		let pending = "";
		for await (const chunk of body) {
			pending += decoder.decode(chunk, { stream: true });
			const blocks = pending.split("\n\n");
			pending = blocks.pop() ?? "";
			for (const line of blocks.flatMap((block) => block.split("\n")))
				if (line.startsWith("data:"))
					this.events.push(JSON.parse(line.slice(5)) as Event2);
		}
	}
}
