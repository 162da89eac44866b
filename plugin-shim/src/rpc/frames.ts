/**
 * Content-Length framing, as in the Language Server Protocol:
 * `Content-Length: 12\r\n\r\n` and then that many bytes.
 */

const HEADER_END = "\r\n\r\n";
/** The longest header that is read. */
const LONGEST_HEADER = 8 * 1024;
/** The longest body that is read, bytes, as the daemon reads none that is longer. */
const LONGEST_BODY = 64 * 1024 * 1024;

/** A frame of a body that comes in pieces. */
export function frame(...pieces: readonly (string | Uint8Array)[]): Buffer {
	const body = pieces.map((piece) => Buffer.from(piece));
	const length = body.reduce((sum, piece) => sum + piece.length, 0);
	const header = Buffer.from(`Content-Length: ${length}${HEADER_END}`);
	return Buffer.concat([header, ...body]);
}

/** Puts the frames of a stream together. */
export class FrameReader {
	#received: Buffer[] = [];
	#size = 0;
	/** How long the body is whose header has been read. */
	#expected: number | undefined;

	/** Takes what came in; answers the bodies that are whole. Throws where it is no frame. */
	push(chunk: Buffer): string[] {
		this.#received.push(chunk);
		this.#size += chunk.length;
		const bodies: string[] = [];
		for (let body = this.#next(); body !== undefined; body = this.#next())
			bodies.push(body);
		return bodies;
	}

	#next(): string | undefined {
		this.#expected ??= this.#header();
		if (this.#expected === undefined || this.#size < this.#expected)
			return undefined;
		const body = this.#take(this.#expected).toString("utf8");
		this.#expected = undefined;
		return body;
	}

	#header(): number | undefined {
		const received = this.#joined();
		const end = received.indexOf(HEADER_END);
		if (end < 0) {
			if (received.length > LONGEST_HEADER)
				throw new Error("what answers is no daemon of clankers");
			return undefined;
		}
		const header = this.#take(end + HEADER_END.length).toString("latin1");
		const length = /^content-length: *(\d+)\r$/im.exec(header)?.[1];
		if (length === undefined)
			throw new Error("what answers is no daemon of clankers");
		if (Number(length) > LONGEST_BODY)
			throw new Error(
				`what answers is no daemon of clankers: it sends a frame of ${length} bytes`,
			);
		return Number(length);
	}

	#take(length: number): Buffer {
		const received = this.#joined();
		const rest = received.subarray(length);
		this.#received = [rest];
		this.#size = rest.length;
		return received.subarray(0, length);
	}

	#joined(): Buffer {
		const [only] = this.#received;
		if (this.#received.length === 1 && only !== undefined) return only;
		const joined = Buffer.concat(this.#received);
		this.#received = [joined];
		return joined;
	}
}
