/** One connection to the daemon: requests go out at once, each answer finds its request. */
import { connect, type Socket } from "node:net";
import { FrameReader, frame } from "./frames.ts";
import { type Answer, readResponse } from "./protocol.ts";

/** What a connection tells its owner. Nothing is told after `closed`. */
export interface ConnectionEvents {
	opened(): void;
	/** It is over. Requests without an answer may have been done, or not. */
	closed(reason: string): void;
}

/** A connection that is being made, stands, or is over. */
export class Connection {
	readonly #events: ConnectionEvents;
	readonly #socket: Socket;
	readonly #frames = new FrameReader();
	/** Who waits for which answer, in the order of the requests. */
	readonly #waiting = new Map<number, (answer: Answer) => void>();
	#lastId = 0;
	#over = false;

	/** `holds`: whether the process stays alive for it. Throws where no socket can be made. */
	constructor(path: string, holds: boolean, events: ConnectionEvents) {
		this.#events = events;
		this.#socket = connect({ path });
		if (!holds) this.#socket.unref();
		this.#socket.on("connect", () => {
			if (!this.#over) events.opened();
		});
		this.#socket.on("data", (chunk: Buffer) => this.#received(chunk));
		this.#socket.on("error", (error) => this.#close(error.message));
		this.#socket.on("close", () => this.#close("the connection was closed"));
	}

	/** Sends a request, its parameters as JSON text. */
	request(
		method: string,
		params: string | Uint8Array,
		answered: (answer: Answer) => void,
	): void {
		this.#lastId += 1;
		const id = this.#lastId;
		this.#waiting.set(id, answered);
		const head = `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)},"params":`;
		this.#socket.write(frame(head, params, "}"));
	}

	/** Whether the process stays alive for it. */
	hold(holds: boolean): void {
		if (holds) this.#socket.ref();
		else this.#socket.unref();
	}

	/** Ends it once what was written is sent. `closed` is not called. */
	end(): void {
		this.#over = true;
		this.#waiting.clear();
		this.#socket.end();
	}

	/** Ends it at once, for a reason that its owner is told. */
	abandon(reason: string): void {
		this.#close(reason);
	}

	#received(chunk: Buffer): void {
		if (this.#over) return;
		try {
			for (const body of this.#frames.push(chunk)) this.#answer(body);
		} catch (error) {
			this.#close(error instanceof Error ? error.message : String(error));
		}
	}

	#answer(body: string): void {
		const response = readResponse(body);
		if (response === undefined) return;
		// Answers come in order: one without an id is to what was asked first.
		const [oldest] = this.#waiting.keys();
		const id = typeof response.id === "number" ? response.id : oldest;
		if (id === undefined) return;
		const answered = this.#waiting.get(id);
		this.#waiting.delete(id);
		answered?.(response.answer);
	}

	#close(reason: string): void {
		if (this.#over) return;
		this.#over = true;
		this.#waiting.clear();
		this.#socket.destroy();
		this.#events.closed(reason);
	}
}
