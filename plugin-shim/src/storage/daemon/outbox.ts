/**
 * What waits for the daemon, on disk: a file that is only ever appended to,
 * by one process at a time. It begins with how far the daemon has
 * acknowledged it; then come the records, a line each:
 *
 *     clankers outbox 1 0000000000000035
 *     1a2b3c4d {"commands":[…]}
 *
 * The number before a record is its CRC-32. What a crash or a full disk left
 * torn is skipped.
 */
import {
	closeSync,
	existsSync,
	fstatSync,
	fsync,
	fsyncSync,
	ftruncateSync,
	openSync,
	readSync,
	renameSync,
	rmSync,
	writeSync,
} from "node:fs";
import { crc32 } from "node:zlib";
import { OutboxLock } from "./outbox-lock.ts";

const MAGIC = "clankers outbox 1 ";
const DIGITS = 16;
const HEADER = MAGIC.length + DIGITS + 1;
/** Eight hexadecimal digits and a space. */
const CHECKSUM = 9;
const CHUNK = 256 * 1024;
const NEWLINE = 0x0a;
const FILE_MODE = 0o600;

/** A record that was read back. Places are counted from the outbox's beginning and never change. */
export interface Entry {
	/** The parameters of `batch`, as JSON text. */
	readonly params: Buffer;
	/** Where the next record begins. */
	readonly end: number;
	/** How many lines before it could not be read. */
	readonly skipped: number;
}

/** Other records for a part of an outbox, that are being written. */
export interface Rewrite {
	write(record: string): void;
	/** Resolves once what was written is on the disk. */
	sync(): Promise<void>;
	/** Puts them in place. */
	finish(): void;
	/** Leaves the outbox as it is. */
	abandon(): void;
}

/** An outbox that this process owns. */
export class Outbox {
	readonly path: string;
	readonly #lock: OutboxLock;
	#file: number;
	/** The place that is the file's beginning; it moves when the file is emptied or rewritten. */
	#base = 0;
	#end: number;
	#acknowledged: number;
	#unsynced = false;
	/** What was read last, and its place. */
	#chunk: Buffer = Buffer.alloc(0);
	#chunkAt = 0;

	private constructor(path: string, lock: OutboxLock, file: number) {
		this.path = path;
		this.#lock = lock;
		this.#file = file;
		this.#end = fstatSync(file).size;
		this.#acknowledged = Math.min(this.#readHeader(), this.#end);
	}

	/** Makes an outbox at a path that nobody has used. */
	static create(path: string): Outbox {
		const lock = OutboxLock.create(lockPath(path));
		try {
			return new Outbox(path, lock, openSync(path, "wx+", FILE_MODE));
		} catch (error) {
			lock.release(true);
			throw error;
		}
	}

	/** Takes over an outbox that another process left; none where it is still owned, or gone. */
	static adopt(path: string): Outbox | undefined {
		const lock = OutboxLock.take(lockPath(path));
		if (lock === undefined) return undefined;
		const isThere = existsSync(path);
		try {
			// What a crash left of a rewrite is worth nothing.
			rmSync(newPath(path), { force: true });
			if (isThere) return new Outbox(path, lock, openSync(path, "r+"));
		} catch (error) {
			lock.release(false);
			throw error;
		}
		lock.release(true);
		return undefined;
	}

	/** Where the next record will begin. */
	get end(): number {
		return this.#end;
	}

	/** Where the first record begins that the daemon has not acknowledged. */
	get acknowledged(): number {
		return this.#acknowledged;
	}

	/** How many bytes wait. */
	get waiting(): number {
		return this.#end - this.#acknowledged;
	}

	/** Appends records, all of them or none. They are there when the process ends, whatever ends it; `sync` is for the machine. */
	append(records: readonly string[]): void {
		const lines = records.map((record) => line(Buffer.from(record)));
		const isEmpty = this.#end === this.#base;
		const bytes = Buffer.concat(isEmpty ? [header(HEADER), ...lines] : lines);
		if (isEmpty) this.#acknowledged = this.#base + HEADER;
		try {
			writeAll(this.#file, bytes, this.#end - this.#base);
		} catch (error) {
			if (isEmpty) this.#acknowledged = this.#base;
			ftruncateSync(this.#file, this.#end - this.#base);
			throw error;
		}
		this.#end += bytes.length;
		this.#unsynced = true;
	}

	/** The first whole record at or after a place. */
	read(place: number): Entry | undefined {
		let at = Math.max(place, this.#base + HEADER);
		let skipped = 0;
		while (at < this.#end) {
			const newline = this.#find(at);
			// What has no end was torn off: nothing follows it.
			if (newline === undefined) break;
			const record = this.#slice(at, newline);
			at = newline + 1;
			const params = checked(record);
			if (params !== undefined) return { params, end: at, skipped };
			skipped += 1;
		}
		return undefined;
	}

	/** The daemon has stored everything before a place. */
	acknowledge(place: number): void {
		if (place <= this.#acknowledged) return;
		this.#acknowledged = place;
		if (this.read(place) === undefined) this.#empty();
		else this.#writeHeader();
	}

	/**
	 * Begins to put other records in the place of those from `from` to `to`.
	 * Those before and after are kept, what comes meanwhile too. It takes a
	 * file of its own, so that it may take its time; until it is finished
	 * nothing has changed.
	 */
	rewrite(from: number, to: number): Rewrite {
		const base = this.#acknowledged - HEADER;
		const path = newPath(this.path);
		const file = openSync(path, "w+", FILE_MODE);
		let size = 0;
		const write = (bytes: Buffer): void => {
			writeAll(file, bytes, size);
			size += bytes.length;
		};
		write(header(HEADER));
		write(this.#bytes(this.#acknowledged, from));
		return {
			write: (record) => write(line(Buffer.from(record))),
			sync: () =>
				new Promise((resolve, reject) =>
					fsync(file, (error) => (error ? reject(error) : resolve())),
				),
			finish: () => {
				write(this.#bytes(to, this.#end));
				writeAll(file, header(this.#acknowledged - base), 0);
				// Windows renames onto no open file.
				const isWindows = process.platform === "win32";
				if (isWindows) closeSync(this.#file);
				renameSync(path, this.path);
				if (!isWindows) closeSync(this.#file);
				this.#file = file;
				this.#base = base;
				this.#end = base + size;
				this.#chunk = Buffer.alloc(0);
			},
			abandon: () => {
				closeSync(file);
				rmSync(path, { force: true });
			},
		};
	}

	/** Lets go of it. What waits is on the disk then, for the next process; where nothing does, the file goes. */
	release(): void {
		const isEmpty = this.read(this.#acknowledged) === undefined;
		if (!isEmpty && this.#unsynced) fsyncSync(this.#file);
		closeSync(this.#file);
		if (isEmpty) rmSync(this.path, { force: true });
		this.#lock.release(isEmpty);
	}

	/** Writes what the machine still holds back to the disk. */
	sync(): void {
		if (!this.#unsynced) return;
		fsyncSync(this.#file);
		this.#unsynced = false;
	}

	#empty(): void {
		ftruncateSync(this.#file, 0);
		this.#base = this.#end;
		this.#acknowledged = this.#end;
		this.#chunk = Buffer.alloc(0);
	}

	#readHeader(): number {
		const bytes = this.#bytes(0, Math.min(HEADER, this.#end)).toString(
			"latin1",
		);
		const digits = bytes.startsWith(MAGIC)
			? bytes.slice(MAGIC.length, MAGIC.length + DIGITS)
			: "";
		// One that was torn says nothing: all of it goes again.
		const place = /^\d{16}$/.test(digits) ? Number(digits) : 0;
		return Math.max(place, Math.min(HEADER, this.#end));
	}

	#writeHeader(): void {
		writeAll(this.#file, header(this.#acknowledged - this.#base), 0);
	}

	/** The place of the next newline. */
	#find(from: number): number | undefined {
		for (let at = from; at < this.#end; ) {
			const chunk = this.#chunkFrom(at);
			if (chunk.length === 0) return undefined;
			const found = chunk.indexOf(NEWLINE);
			if (found >= 0) return at + found;
			at += chunk.length;
		}
		return undefined;
	}

	#slice(from: number, to: number): Buffer {
		const chunk = this.#chunkFrom(from);
		return chunk.length >= to - from
			? chunk.subarray(0, to - from)
			: this.#bytes(from, to);
	}

	/** Some bytes from a place on; what was appended since the last read is read anew. */
	#chunkFrom(place: number): Buffer {
		const at = place - this.#chunkAt;
		if (at < 0 || at >= this.#chunk.length) {
			this.#chunk = this.#bytes(place, Math.min(place + CHUNK, this.#end));
			this.#chunkAt = place;
			return this.#chunk;
		}
		return this.#chunk.subarray(at);
	}

	#bytes(from: number, to: number): Buffer {
		const bytes = Buffer.alloc(to - from);
		let read = 0;
		while (read < bytes.length) {
			const place = from - this.#base + read;
			const more = readSync(
				this.#file,
				bytes,
				read,
				bytes.length - read,
				place,
			);
			if (more === 0) break;
			read += more;
		}
		return bytes.subarray(0, read);
	}
}

function newPath(path: string): string {
	return `${path}.new`;
}

function lockPath(path: string): string {
	return path.replace(/\.jsonl$/, ".lock");
}

function header(acknowledged: number): Buffer {
	return Buffer.from(`${MAGIC}${String(acknowledged).padStart(DIGITS, "0")}\n`);
}

function line(params: Buffer): Buffer {
	const checksum = crc32(params).toString(16).padStart(8, "0");
	return Buffer.concat([
		Buffer.from(`${checksum} `),
		params,
		Buffer.from("\n"),
	]);
}

/** The record of a line, where its checksum holds. */
function checked(record: Buffer): Buffer | undefined {
	const checksum = record.subarray(0, CHECKSUM - 1).toString("latin1");
	const params = record.subarray(CHECKSUM);
	const holds =
		/^[0-9a-f]{8}$/.test(checksum) &&
		crc32(params) === Number.parseInt(checksum, 16);
	return holds ? params : undefined;
}

function writeAll(file: number, bytes: Buffer, place: number): void {
	let written = 0;
	while (written < bytes.length)
		written += writeSync(
			file,
			bytes,
			written,
			bytes.length - written,
			place + written,
		);
}
