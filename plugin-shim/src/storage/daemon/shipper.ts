/**
 * Brings what waits in outboxes to the daemon: in order, several requests at a
 * time, each acknowledged before its record is let go of. Whatever happens to
 * the connection, what has no answer goes again.
 */
import type { Command } from "../../../../pkg/clankers.js";
import type { Link } from "../../rpc/link.ts";
import { type Answer, CODE, type RpcError } from "../../rpc/protocol.ts";
import type { RefusedCommand } from "../sink.ts";
import type { Entry, Outbox } from "./outbox.ts";

/** How many requests, and bytes, may be without an answer. */
const MOST_REQUESTS = 32;
const MOST_BYTES = 4 * 1024 * 1024;

/** What a shipper tells its owner. */
export interface ShipperEvents {
	/** The daemon will never take this command; the others of its batch it takes. */
	refused(refused: RefusedCommand): void;
	/** Lines of an outbox could not be read. */
	unreadable(path: string, lines: number): void;
	/** Nothing waits any more. */
	emptied(): void;
}

/** A request that has no answer yet. */
interface Sent {
	readonly outbox: Outbox;
	/** Where the record ends that it acknowledges; none where more of the record follows. */
	readonly end: number | undefined;
	readonly size: number;
	/** The only command of it, where its batch was refused as a whole. */
	readonly command: Command | undefined;
}

/** An outbox, and how far it has been sent on this connection. */
export interface Lane {
	readonly outbox: Outbox;
	sent: number;
}

/** Ships outboxes over a link. */
export class Shipper {
	readonly #link: Link;
	readonly #events: ShipperEvents;
	/** What processes that are gone have left goes before our own. */
	#left: Lane[] = [];
	#own: Lane | undefined;
	#underWay: Sent[] = [];
	#bytesUnderWay = 0;
	/** A batch was refused: once the others are answered, its commands go one by one. */
	#rewinding = false;
	#oneByOne = false;
	#paused = false;

	constructor(link: Link, events: ShipperEvents) {
		this.#link = link;
		this.#events = events;
	}

	/** The outboxes, in the order in which they are shipped. */
	get lanes(): readonly Readonly<Lane>[] {
		return this.#own ? [...this.#left, this.#own] : this.#left;
	}

	/** How many bytes wait. */
	get waiting(): number {
		return this.lanes.reduce((sum, { outbox }) => sum + outbox.waiting, 0);
	}

	/** Takes the outbox of this process. */
	own(outbox: Outbox): void {
		this.#own = { outbox, sent: outbox.acknowledged };
	}

	/** Takes an outbox that another process has left. */
	inherit(outbox: Outbox): void {
		// Of some nothing but a torn record is there.
		if (outbox.read(outbox.acknowledged) === undefined) outbox.release();
		else this.#left.push({ outbox, sent: outbox.acknowledged });
	}

	/** Sends what may be sent now. */
	ship(): void {
		while (
			this.#mayShip() &&
			this.#underWay.length < MOST_REQUESTS &&
			this.#bytesUnderWay < MOST_BYTES &&
			this.#sendNext()
		);
	}

	/** Sends all there is, however much has no answer yet: the process ends, and this costs no wait. */
	shipAll(): void {
		while (this.#mayShip() && this.#sendNext());
	}

	/** The connection is gone: what has no answer goes again on the next. */
	reset(): void {
		this.#underWay = [];
		this.#bytesUnderWay = 0;
		this.#rewinding = false;
		this.#rewind();
	}

	/** Sends nothing until `resume`. */
	pause(): void {
		this.#paused = true;
	}

	resume(): void {
		this.#paused = false;
		this.ship();
	}

	/** Lets go of all outboxes. */
	release(): void {
		for (const { outbox } of this.lanes) outbox.release();
		this.#left = [];
		this.#own = undefined;
		this.reset();
	}

	#mayShip(): boolean {
		return this.#link.ready && !this.#paused && !this.#rewinding;
	}

	/** Sends the next record. Whether there was one. */
	#sendNext(): boolean {
		if (this.#oneByOne && this.#underWay.length > 0) return false;
		for (const lane of this.#left.concat(this.#own ?? [])) {
			const entry = lane.outbox.read(lane.sent);
			if (entry === undefined) continue;
			lane.sent = entry.end;
			if (entry.skipped > 0)
				this.#events.unreadable(lane.outbox.path, entry.skipped);
			if (this.#oneByOne) this.#sendOneByOne(lane.outbox, entry);
			else this.#send(lane.outbox, entry.params, entry.end, undefined);
			return true;
		}
		return false;
	}

	#sendOneByOne(outbox: Outbox, entry: Entry): void {
		this.#oneByOne = false;
		const { commands } = JSON.parse(entry.params.toString("utf8")) as {
			commands: Command[];
		};
		for (const [index, command] of commands.entries()) {
			const params = Buffer.from(JSON.stringify({ commands: [command] }));
			const end = index === commands.length - 1 ? entry.end : undefined;
			this.#send(outbox, params, end, command);
		}
	}

	#send(
		outbox: Outbox,
		params: Buffer,
		end: number | undefined,
		command: Command | undefined,
	): void {
		const sent: Sent = { outbox, end, command, size: params.length };
		this.#underWay.push(sent);
		this.#bytesUnderWay += sent.size;
		this.#link.request("batch", params, (answer) =>
			this.#answered(sent, answer),
		);
	}

	#answered(sent: Sent, { error }: Answer): void {
		const place = this.#underWay.indexOf(sent);
		if (place < 0) return;
		this.#underWay.splice(place, 1);
		this.#bytesUnderWay -= sent.size;
		if (error === undefined) this.#done(sent);
		else if (!isRefusal(error)) {
			this.#link.retry(error.message);
			return;
		} else if (sent.command !== undefined) {
			this.#events.refused({ command: sent.command, reason: error.message });
			this.#done(sent);
		} else this.#rewinding = true;
		if (this.#rewinding && this.#underWay.length === 0) {
			this.#rewinding = false;
			this.#oneByOne = true;
			this.#rewind();
		}
		this.ship();
	}

	#done({ outbox, end }: Sent): void {
		this.#link.succeeded();
		// What comes after a refused batch goes again after it, so that the order holds.
		if (this.#rewinding || end === undefined) return;
		outbox.acknowledge(end);
		if (outbox.waiting > 0) return;
		this.#letGo(outbox);
		if (this.waiting === 0) this.#events.emptied();
	}

	/** An outbox that another process left is gone once it is shipped; our own is used on. */
	#letGo(outbox: Outbox): void {
		if (this.#own?.outbox === outbox) return;
		this.#left = this.#left.filter((lane) => lane.outbox !== outbox);
		outbox.release();
	}

	#rewind(): void {
		for (const lane of this.#left.concat(this.#own ?? []))
			lane.sent = lane.outbox.acknowledged;
	}
}

/** The commands are at fault, and not the daemon, its database or the connection. */
const REFUSALS: ReadonlySet<number> = new Set([
	CODE.parse,
	CODE.invalidRequest,
	CODE.invalidParams,
	CODE.methodNotFound,
	CODE.tooLong,
]);

function isRefusal({ code, data }: RpcError): boolean {
	if (code !== CODE.database) return REFUSALS.has(code);
	return (data as { retry?: unknown } | undefined)?.retry === false;
}
