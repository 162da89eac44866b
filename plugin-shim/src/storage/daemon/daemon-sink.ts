/**
 * The daemon sink: what is applied is on disk, in an outbox, when `apply`
 * returns. From there it goes to the daemon in the background, by this process
 * or, when this one is gone, by the next.
 */
import type {
	Command,
	StoredMessage,
	StoredSession,
} from "../../../../pkg/clankers.js";
import { pause } from "../../drain-timer.ts";
import { Link, type Patience } from "../../rpc/link.ts";
import { CODE, type Identity, RpcError } from "../../rpc/protocol.ts";
import { describe } from "../../voice.ts";
import {
	type RefusedCommand,
	type Sink,
	SinkError,
	type SinkListener,
} from "../sink.ts";
import { batchesOf } from "./batches.ts";
import { compact } from "./compact.ts";
import type { Outbox } from "./outbox.ts";
import { OutboxFolder } from "./outbox-folder.ts";
import { Shipper } from "./shipper.ts";

/** How often to look for what other processes have left. */
const ADOPT_EVERY_MS = 30_000;
/** The part of the limit from which on what waits is made smaller. */
const CROWDED = 3 / 4;
/** How much more has to wait before that is tried again. */
const WORTHWHILE = 1 / 8;
const MIB = 1024 * 1024;

/** Where the daemon is, and what may wait for it. */
export interface DaemonOptions {
	readonly socketPath: string;
	/** The folder of outboxes. */
	readonly outboxFolder: string;
	/** How many bytes may wait. */
	readonly outboxLimit: number;
	/** The schema that our commands are for; an older daemon does not know all of them. */
	readonly schemaVersion: number;
	readonly clientVersion: string;
	/** How patiently to connect again; tests are less so. */
	readonly patience?: Patience;
}

/** Hands commands to a daemon. */
export class DaemonSink implements Sink {
	readonly target: string;
	readonly #options: DaemonOptions;
	readonly #folder: OutboxFolder;
	readonly #link: Link;
	readonly #shipper: Shipper;
	#listener: SinkListener | undefined;
	#open = false;
	/** Whether it is to be let go of once nothing waits. */
	#closing = false;
	#own: Outbox | undefined;
	#adopting: NodeJS.Timeout | undefined;
	/** Why the daemon is not there, as the person was told. */
	#absence: string | undefined;
	#compacting = false;
	#toldCrowded = false;
	/** How much waited when it had been made smaller last. */
	#incompressible = 0;
	/** Whether `stored` could not be answered. */
	#missed = false;
	/** Who waits until nothing waits. */
	#untilShipped: (() => void)[] = [];
	/** Who is to know that the connection is gone. */
	readonly #untilDown = new Set<(reason: Error) => void>();

	constructor(options: DaemonOptions) {
		this.target = `the daemon on ${options.socketPath}`;
		this.#options = options;
		this.#folder = new OutboxFolder(options.outboxFolder, options.socketPath);
		this.#link = new Link(
			{ ...options, clientName: "opencode-clankers" },
			{
				ready: (daemon) => this.#ready(daemon),
				down: (reason, refused) => this.#down(reason, refused),
			},
		);
		this.#shipper = new Shipper(this.#link, {
			refused: (refused) => this.#listener?.refused(refused),
			unreadable: (path, lines) =>
				this.#listener?.log("warn", `${lines} unreadable lines in \`${path}\``),
			emptied: () => this.#settle(),
		});
	}

	attend(listener: SinkListener): void {
		this.#listener = listener;
		this.#begin();
	}

	apply(commands: readonly Command[]): RefusedCommand[] {
		const { records, refused } = batchesOf(commands);
		if (records.length === 0) return refused;
		this.#begin();
		this.#makeRoom(records.reduce((sum, { length }) => sum + length, 0));
		try {
			this.#ownOutbox().append(records);
		} catch (error) {
			throw new SinkError(
				"unavailable",
				`\`${this.#options.outboxFolder}\`: ${describe(error)}`,
				error,
			);
		}
		this.#shipper.ship();
		return refused;
	}

	stored(
		directory: string,
		ids: readonly string[],
		storeId: string | undefined,
	): Promise<StoredSession[]> {
		return this.#rows("sessions.stored", { directory, ids, storeId });
	}

	storedMessages(
		sessionId: string,
		storeId: string | undefined,
	): Promise<StoredMessage[]> {
		return this.#rows("messages.stored", { sessionId, storeId });
	}

	/** What the daemon answers once all that was applied before is stored. */
	async #rows<Row>(method: string, params: object): Promise<Row[]> {
		this.#begin();
		try {
			await this.#shipped();
			return (await this.#ask(method, params)) as Row[];
		} catch (error) {
			this.#missed = true;
			throw new SinkError(
				"unavailable",
				`${this.target}: ${describe(error)}`,
				error,
			);
		}
	}

	/** What waits is sent without a wait, and is on the disk. In a process that lives on, the answers are waited for. */
	close(): void {
		if (!this.#open) return;
		this.#shipper.shipAll();
		for (const { outbox } of this.#shipper.lanes) outbox.sync();
		this.#closing = this.#link.ready && this.#shipper.waiting > 0;
		if (!this.#closing) this.#letGo();
	}

	#begin(): void {
		this.#closing = false;
		if (this.#open) return;
		this.#open = true;
		this.#adopting = setInterval(() => this.#adopt(), ADOPT_EVERY_MS);
		this.#adopting.unref();
		this.#adopt();
		this.#link.open();
	}

	#letGo(): void {
		this.#open = false;
		this.#closing = false;
		clearInterval(this.#adopting);
		this.#link.close();
		this.#shipper.release();
		this.#own = undefined;
		this.#giveUp("it was closed");
	}

	#ownOutbox(): Outbox {
		if (this.#own === undefined) {
			this.#own = this.#folder.create();
			this.#shipper.own(this.#own);
		}
		return this.#own;
	}

	#adopt(): void {
		try {
			for (const outbox of this.#folder.adopt()) this.#shipper.inherit(outbox);
			this.#shipper.ship();
		} catch (error) {
			const { outboxFolder } = this.#options;
			this.#listener?.log("warn", `\`${outboxFolder}\`: ${describe(error)}`);
		}
	}

	#ready({ schemaVersion }: Identity): void {
		const ours = this.#options.schemaVersion;
		if (schemaVersion < ours)
			throw new RpcError(
				CODE.protocol,
				`it is older than the plugin (schema ${schemaVersion}, the plugin's is ${ours}): update it`,
			);
		if (this.#absence !== undefined)
			this.#listener?.log("info", `${this.target} is there`);
		this.#absence = undefined;
		this.#adopt();
		this.#settle();
	}

	#down(reason: string, refused: boolean): void {
		this.#shipper.reset();
		this.#giveUp(reason);
		const { outboxFolder } = this.#options;
		const message = `${this.target} does not take what is recorded, it waits in \`${outboxFolder}\`: ${reason}`;
		if (refused && this.#absence !== reason) this.#listener?.tell(message);
		else if (this.#absence === undefined) this.#listener?.log("warn", message);
		this.#absence = reason;
		if (this.#closing) this.#letGo();
	}

	/** Something may have been the last that waited. */
	#settle(): void {
		if (!this.#isShipped()) return;
		for (const shipped of this.#untilShipped.splice(0)) shipped();
		if (this.#closing) this.#letGo();
		else if (this.#missed) {
			this.#missed = false;
			this.#listener?.ready();
		}
	}

	#isShipped(): boolean {
		return this.#link.ready && this.#shipper.waiting === 0;
	}

	/** Resolves when nothing waits, rejects when the daemon is not there. */
	#shipped(): Promise<void> {
		return this.#unlessDown((resolve) => {
			if (this.#isShipped()) resolve();
			else this.#untilShipped.push(resolve);
		});
	}

	#ask(method: string, params: object): Promise<unknown> {
		return this.#unlessDown((resolve, reject) => {
			this.#link.request(method, JSON.stringify(params), (answer) => {
				if (answer.error === undefined) resolve(answer.result);
				else reject(answer.error);
			});
		});
	}

	async #unlessDown<Result>(
		work: (
			resolve: (result: Result) => void,
			reject: (reason: Error) => void,
		) => void,
	): Promise<Result> {
		let down: (reason: Error) => void = () => {};
		try {
			return await new Promise<Result>((resolve, reject) => {
				down = reject;
				this.#untilDown.add(down);
				if (this.#absence !== undefined) reject(new Error(this.#absence));
				else work(resolve, reject);
			});
		} finally {
			this.#untilDown.delete(down);
		}
	}

	#giveUp(reason: string): void {
		this.#untilShipped = [];
		for (const down of this.#untilDown) down(new Error(reason));
	}

	/** Refuses what is more than may wait; from some way before, makes smaller what waits. */
	#makeRoom(size: number): void {
		const { outboxLimit: limit, outboxFolder } = this.#options;
		const waiting = this.#shipper.waiting + size;
		const isWorthwhile = waiting > this.#incompressible + limit * WORTHWHILE;
		if (waiting > limit * CROWDED && isWorthwhile && !this.#compacting)
			this.#compactAll().catch((error: unknown) =>
				this.#listener?.log("warn", `\`${outboxFolder}\`: ${describe(error)}`),
			);
		if (waiting > limit)
			throw new SinkError(
				"unavailable",
				`\`${outboxFolder}\` is full: ${mebibytes(limit)} wait for ${this.target}`,
			);
	}

	async #compactAll(): Promise<void> {
		this.#compacting = true;
		this.#shipper.pause();
		this.#tellCrowded();
		try {
			for (const { outbox, sent } of this.#shipper.lanes) {
				const isOver = (): boolean =>
					!this.#shipper.lanes.some((lane) => lane.outbox === outbox);
				const from = Math.max(sent, outbox.acknowledged);
				await compact(outbox, from, { breathe: () => pause(0), isOver });
			}
		} finally {
			this.#compacting = false;
			this.#incompressible = this.#shipper.waiting;
			this.#shipper.resume();
		}
	}

	#tellCrowded(): void {
		if (this.#toldCrowded) return;
		this.#toldCrowded = true;
		const waiting = mebibytes(this.#shipper.waiting);
		this.#listener?.tell(
			`${waiting} wait for ${this.target}: earlier states of what changed since are left out; run \`clankers daemon\``,
		);
	}
}

function mebibytes(bytes: number): string {
	return `${(bytes / MIB).toFixed(1)} MiB`;
}
