/** Requests to the daemon: each is answered, or fails after a bounded wait. */
import {
	type Absence,
	Link,
	type LinkEvents,
	type LinkOptions,
} from "../../rpc/link.ts";
import { type Answer, RpcError } from "../../rpc/protocol.ts";

/** A request that has no answer yet. */
interface Request {
	readonly method: string;
	readonly params: string;
	readonly answered: (answer: Answer) => void;
	/** Runs out once the daemon has been given enough time; set when the request is sent. */
	timer: NodeJS.Timeout | undefined;
}

/** The requests of one process, and the link they go over. */
export class Requests {
	readonly #link: Link;
	readonly #events: LinkEvents;
	/** In the order they were made. */
	readonly #waiting = new Set<Request>();
	#isAway = false;

	constructor(options: LinkOptions, events: LinkEvents) {
		this.#events = events;
		this.#link = new Link(options, {
			ready: (daemon) => {
				events.ready(daemon);
				this.#isAway = false;
				for (const request of this.#waiting) this.#send(request);
			},
			down: (reason, how) => this.#down(reason, how),
		});
	}

	/** Whether the daemon is known not to answer. Before the first attempt to reach it nothing is known. */
	get isAway(): boolean {
		return this.#isAway;
	}

	/** Begins to reach the daemon. */
	open(): void {
		this.#link.open();
	}

	/** Asks the daemon, at once or when it is reached. Where it does not answer, the error's code is 0. */
	call(
		method: string,
		params: string,
		answered: (answer: Answer) => void,
	): void {
		const request: Request = { method, params, answered, timer: undefined };
		this.#waiting.add(request);
		if (this.#link.ready) this.#send(request);
	}

	/** The daemon cannot do what it should: what waits fails, and it is reached anew after a pause. */
	retry(reason: string): void {
		this.#link.retry(reason);
	}

	/** Ends it; what has no answer fails. */
	close(): void {
		this.#link.close();
		this.#isAway = false;
		this.#fail("it was closed");
	}

	#send(request: Request): void {
		request.timer = setTimeout(() => this.#link.late(), this.#link.answerMs);
		request.timer.unref();
		this.#link.request(request.method, request.params, (answer) => {
			if (answer.error === undefined) this.#link.succeeded();
			this.#settle(request, answer);
		});
	}

	#down(reason: string, how: Absence): void {
		this.#isAway = true;
		this.#events.down(reason, how);
		this.#fail(reason);
	}

	#fail(reason: string): void {
		for (const request of this.#waiting)
			this.#settle(request, { error: new RpcError(0, reason) });
	}

	#settle(request: Request, answer: Answer): void {
		if (!this.#waiting.delete(request)) return;
		clearTimeout(request.timer);
		request.answered(answer);
	}
}
