/** Events as OpenCode 2.0.15 sends them, new objects on each call, each with an id of its own. */
import type { BusEvent } from "../../src/hosts/host.ts";

export const DIRECTORY = "/home/user/project";
const MODEL = { id: "large", providerID: "scripted" };
const TOKENS = {
	input: 10,
	output: 5,
	reasoning: 0,
	cache: { read: 0, write: 0 },
};

/** A session's events, its numbers rising. */
export class Speaker {
	/** All that was told, in order. */
	readonly told: BusEvent[] = [];
	readonly id: string;
	readonly #directory: string;
	#seq = 0;
	#live = 0;

	constructor(id: string, directory: string = DIRECTORY) {
		this.id = id;
		this.#directory = directory;
	}

	created(title: string): BusEvent {
		const { id, location } = this;
		return this.#durable("session.created", {
			sessionID: id,
			projectID: "global",
			location,
			slug: "silent-planet",
			title,
			version: "2.0.15",
		});
	}

	renamed(title: string): BusEvent {
		return this.#durable("session.renamed", { title });
	}

	/** What a person says: what is enqueued, and then delivered. */
	prompt(inboxID: string, text: string): BusEvent[] {
		const item = { type: "user", payload: { text }, delivery: "steer" };
		return [
			this.#durable("session.inbox.enqueued", { inboxID, item }),
			this.#durable("session.inbox.delivered", { inboxID }),
		];
	}

	/** An answer that has begun, and its text. */
	begin(assistantMessageID: string): BusEvent[] {
		const answer = { assistantMessageID };
		return [
			this.#durable("session.execution.started", {}),
			this.#durable("session.step.started", {
				...answer,
				agent: "build",
				model: MODEL,
				started: 1_790_000_000_000,
			}),
			this.#durable("session.text.started", { ...answer, ordinal: 0 }),
		];
	}

	delta(assistantMessageID: string, delta: string): BusEvent {
		this.#live += 1;
		return this.#event(
			`${this.#seq}_${this.#live}`,
			"session.text.delta",
			{ assistantMessageID, ordinal: 0, delta },
			{},
		);
	}

	/** The end of the answer and of its turn. */
	end(assistantMessageID: string, text: string): BusEvent[] {
		const answer = { assistantMessageID };
		return [
			this.#durable("session.text.ended", { ...answer, ordinal: 0, text }),
			this.#durable("session.step.ended", {
				...answer,
				finish: "stop",
				cost: 0.5,
				tokens: TOKENS,
			}),
			this.#durable("session.execution.succeeded", {}),
		];
	}

	private get location(): object {
		return { directory: this.#directory };
	}

	#durable(type: string, data: object): BusEvent {
		const seq = this.#seq++;
		const durable = { aggregateID: this.id, seq, version: 1 };
		return this.#event(String(seq), type, data, { durable });
	}

	#event(id: string, type: string, data: object, rest: object): BusEvent {
		const event = {
			id: `evt_${this.id}_${id}`,
			created: 1_790_000_000_000 + this.#seq,
			type,
			data: { sessionID: this.id, ...data },
			...rest,
			location: this.location,
		};
		this.told.push(event);
		return event;
	}
}
