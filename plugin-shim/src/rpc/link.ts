/** A lasting link to the daemon: connects, greets, and connects again when it is lost. */
import { Connection } from "./connection.ts";
import {
	type Answer,
	CODE,
	type Identity,
	PROTOCOL,
	RpcError,
} from "./protocol.ts";
import { foreignSocket } from "./socket-owner.ts";

/** How long to wait before the first new attempt, at most before any, and for an answer. */
export interface Patience {
	readonly firstMs: number;
	readonly longestMs: number;
	/** By default `ANSWER_MS`. */
	readonly answerMs?: number;
}

/** How long a daemon may take for an answer: longer than it waits for a lock itself, so that it can say so. */
const ANSWER_MS = 10_000;

const PATIENCE: Patience = { firstMs: 100, longestMs: 5_000 };

/** Whom to link with. */
export interface LinkOptions {
	readonly socketPath: string;
	readonly clientName: string;
	readonly clientVersion: string;
	readonly patience?: Patience;
}

/** What a link tells its owner. */
export interface LinkEvents {
	/** The daemon has answered and speaks our protocol. Throws an `RpcError` to refuse it. */
	ready(daemon: Identity): void;
	/** The link is down, and tries again by itself. */
	down(reason: string, how: Absence): void;
}

/**
 * How a daemon is not there: nobody listens (`away`), somebody does and does not
 * answer (`silent`), or cannot be worked with until one of us is updated
 * (`refused`).
 */
export type Absence = "away" | "silent" | "refused";

/** One connection at a time, for as long as it is wanted. */
export class Link {
	readonly #options: LinkOptions;
	readonly #events: LinkEvents;
	#connection: Connection | undefined;
	#ready = false;
	#failures = 0;
	/** Runs out when it is time to connect, or when a greeting was not answered. */
	#timer: NodeJS.Timeout | undefined;
	#holds = false;
	/** Whether the connection is given up since no answer came. */
	#isLate = false;

	constructor(options: LinkOptions, events: LinkEvents) {
		this.#options = options;
		this.#events = events;
	}

	/** Whether requests can be sent. */
	get ready(): boolean {
		return this.#ready;
	}

	/** Connects, unless it has or is about to. */
	open(): void {
		if (this.#connection === undefined && this.#timer === undefined)
			this.#connect();
	}

	/** Sends a request; only while ready. One that gets no answer is the owner's to send again. */
	request(
		method: string,
		params: string | Uint8Array,
		answered: (answer: Answer) => void,
	): void {
		this.#connection?.request(method, params, answered);
	}

	/** Whether the process stays alive for it; it does not unless told. */
	hold(holds: boolean): void {
		this.#holds = holds;
		this.#connection?.hold(holds);
		if (holds) this.#timer?.ref();
		else this.#timer?.unref();
	}

	/** Work was done: the next failure is a first one again. */
	succeeded(): void {
		this.#failures = 0;
	}

	/** How long an answer is waited for. */
	get answerMs(): number {
		return this.#options.patience?.answerMs ?? ANSWER_MS;
	}

	/** No answer came within `answerMs`: gives this connection up as `retry` does. */
	late(): void {
		this.#isLate = true;
		this.retry(`it has not answered within ${this.answerMs / 1000} s`);
	}

	/** Gives this connection up and tries again after a pause. */
	retry(reason: string): void {
		this.#connection?.abandon(reason);
	}

	/** Ends it; what was written is still sent. */
	close(): void {
		this.#stopTimer();
		this.#ready = false;
		this.#connection?.end();
		this.#connection = undefined;
	}

	#connect(): void {
		const { socketPath } = this.#options;
		try {
			const foreign = foreignSocket(socketPath);
			if (foreign !== undefined) {
				this.#lost(foreign, "refused");
				return;
			}
			const connection: Connection = new Connection(socketPath, this.#holds, {
				opened: () => this.#greet(connection),
				closed: (reason) =>
					this.#lost(reason, this.#isLate ? "silent" : "away"),
			});
			this.#connection = connection;
			// A process that listens and never answers is no daemon to wait for.
			this.#startTimer(this.answerMs, () => this.late());
		} catch (error) {
			this.#lost(
				error instanceof Error ? error.message : String(error),
				"away",
			);
		}
	}

	#greet(connection: Connection): void {
		const { clientName, clientVersion } = this.#options;
		const hello = { clientName, clientVersion, protocol: PROTOCOL };
		connection.request("hello", JSON.stringify(hello), (answer) => {
			this.#stopTimer();
			try {
				if (answer.error !== undefined) throw answer.error;
				const daemon = answer.result as Identity;
				if (daemon?.protocol !== PROTOCOL)
					throw new RpcError(
						CODE.protocol,
						`the daemon speaks protocol ${daemon?.protocol}, we speak ${PROTOCOL}`,
					);
				this.#ready = true;
				this.#events.ready(daemon);
			} catch (error) {
				this.#refuse(connection, error);
			}
		});
	}

	#refuse(connection: Connection, error: unknown): void {
		const reason = error instanceof Error ? error.message : String(error);
		const lasts = error instanceof RpcError && error.code !== CODE.ending;
		this.#connection = undefined;
		connection.end();
		this.#lost(reason, lasts ? "refused" : "away");
	}

	#lost(reason: string, how: Absence): void {
		this.#connection = undefined;
		this.#isLate = false;
		this.#ready = false;
		this.#failures += 1;
		const { firstMs, longestMs } = this.#options.patience ?? PATIENCE;
		const pause = Math.min(firstMs * 2 ** (this.#failures - 1), longestMs);
		// Jitter, so that many clients of a daemon that restarts do not come at once.
		this.#startTimer(pause * (0.5 + Math.random() / 2), () => this.#connect());
		this.#events.down(reason, how);
	}

	#startTimer(milliseconds: number, due: () => void): void {
		this.#stopTimer();
		this.#timer = setTimeout(() => {
			this.#timer = undefined;
			due();
		}, milliseconds);
		if (!this.#holds) this.#timer.unref();
	}

	#stopTimer(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
	}
}
