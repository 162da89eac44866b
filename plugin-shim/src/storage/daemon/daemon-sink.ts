/**
 * The daemon sink: while the daemon answers, batches go to it. While it does
 * not, a thread of this process stores them, so that what was observed is on
 * disk either way, and nothing has to wait for the daemon's return.
 */
import { randomUUID } from "node:crypto";
import type {
	Command,
	Report,
	Store,
	StoredRequest,
} from "../../../../pkg/clankers.js";
import type { Database } from "../../config.ts";
import type { Absence, Patience } from "../../rpc/link.ts";
import {
	type Answer,
	CODE,
	type Identity,
	RpcError,
} from "../../rpc/protocol.ts";
import type { Batch, BatchId } from "../open-database.ts";
import {
	type RefusedCommand,
	type Sink,
	SinkError,
	type SinkListener,
} from "../sink.ts";
import { Local } from "./local.ts";
import { oneByOne, type Piece, piecesOf } from "./pieces.ts";
import { Requests } from "./requests.ts";

/** Where the daemon is, and what to write while it is away. */
export interface DaemonOptions {
	readonly socketPath: string;
	/** The database that the daemon is meant to write, as this process reaches it. */
	readonly database: Database;
	/** Our commands are for its schema; an older daemon does not know all of them. */
	readonly store: Store;
	readonly clientVersion: string;
	/** How patiently to connect again and wait for answers; tests are less so. */
	readonly patience?: Patience;
}

/** The batch that the daemon has not acknowledged. */
interface Flight {
	/** What of it is not acknowledged; the first piece is under way. */
	pieces: Piece[];
	/** How the recorder is. */
	readonly report: Report | undefined;
	readonly refused: RefusedCommand[];
	readonly resolve: (refused: RefusedCommand[]) => void;
	readonly reject: (error: unknown) => void;
}

/** Hands batches to the daemon, or stores them. */
export class DaemonSink implements Sink {
	readonly target: string;
	readonly #options: DaemonOptions;
	readonly #requests: Requests;
	/** What writes while the daemon is away. */
	readonly #local: Local;
	readonly #writer: string = randomUUID();
	/** The number of the piece that was sent or stored last. */
	#number = 0;
	#flight: Flight | undefined;
	/** Resolves once the last batch is settled, however. */
	#settled: Promise<unknown> = Promise.resolve();
	#listener: SinkListener | undefined;
	#isFinishing = false;
	/** Why the daemon is away, as it was told. */
	#absence: string | undefined;
	/** Whether the person was shown it. */
	#wasNotified = false;
	#toldOfOtherFile = false;
	/** What tells the daemon's database from another in its place, where it says so. */
	#name: string | undefined;

	constructor(options: DaemonOptions) {
		const { database, socketPath, store } = options;
		this.target = `the daemon on ${socketPath}`;
		this.#options = options;
		this.#local = new Local(database, store);
		this.#requests = new Requests(
			{ ...options, clientName: "opencode-clankers" },
			{
				ready: (daemon) => this.#ready(daemon),
				down: (reason, how) => this.#down(reason, how),
			},
		);
	}

	attend(listener: SinkListener): void {
		this.#listener = listener;
		this.#local.attend(listener);
		this.#requests.open();
	}

	apply(
		commands: readonly Command[],
		report?: Report,
	): RefusedCommand[] | Promise<RefusedCommand[]> {
		if (commands.length === 0 && report === undefined) return [];
		if (!this.#isFinishing) this.#requests.open();
		const isAlone = this.#isFinishing || this.#requests.isAway;
		const pieces = isAlone ? undefined : piecesOf(commands);
		const stored =
			pieces === undefined
				? this.#local.store([{ commands, id: this.#nextId(report) }])
				: this.#handOver(pieces, report);
		if (stored instanceof Promise) this.#settled = stored.catch(() => {});
		return stored;
	}

	finish(): RefusedCommand[] {
		this.#isFinishing = true;
		const flight = this.#flight;
		this.#flight = undefined;
		if (flight === undefined) return this.#local.finish([]);
		return [...flight.refused, ...this.#local.finish(this.#leftOf(flight))];
	}

	async stored(request: StoredRequest): Promise<readonly unknown[]> {
		const rows = await this.#ask(...asCall(request));
		return Array.isArray(rows) ? rows : this.#local.stored(request);
	}

	close(): void {
		// What has no answer fails with it, and so is stored here.
		this.#requests.close();
		this.#local.close();
		this.#isFinishing = false;
		this.#absence = undefined;
	}

	#handOver(
		pieces: Piece[],
		report: Report | undefined,
	): Promise<RefusedCommand[]> {
		return new Promise((resolve, reject) => {
			this.#flight = { pieces, report, refused: [], resolve, reject };
			this.#send(this.#flight);
		});
	}

	#nextId(report: Report | undefined): BatchId {
		this.#number += 1;
		return this.#lastId(report);
	}

	#lastId(report: Report | undefined): BatchId {
		return { writer: this.#writer, number: this.#number, report };
	}

	#send(flight: Flight): void {
		const [piece] = flight.pieces;
		const id = JSON.stringify(this.#nextId(flight.report));
		const database =
			this.#name === undefined
				? ""
				: `"database":${JSON.stringify(this.#name)},`;
		const params = `{"id":${id},${database}"commands":${piece?.json}}`;
		this.#requests.call("batch", params, (answer) =>
			this.#answered(flight, answer),
		);
	}

	#answered(flight: Flight, { error }: Answer): void {
		if (this.#flight !== flight) return;
		if (error?.code === CODE.replaced) {
			this.#flight = undefined;
			this.#name = nameIn(error);
			flight.reject(new SinkError("replaced", this.#replacedWords()));
			return;
		}
		const [piece, ...rest] = flight.pieces;
		if (piece === undefined || (error && !isRefusal(error))) {
			void this.#land(flight);
			if (error && error.code !== 0) this.#requests.retry(error.message);
			return;
		}
		const [command, ...others] = piece.commands;
		if (error !== undefined && others.length > 0)
			// One of them is at fault; the daemon has stored none.
			flight.pieces = [...oneByOne(piece), ...rest];
		else {
			if (error !== undefined && command !== undefined)
				flight.refused.push({ command, reason: error.message });
			flight.pieces = rest;
		}
		if (flight.pieces.length === 0) void this.#land(flight);
		else this.#send(flight);
	}

	/** Settles the batch, with what the daemon has not acknowledged stored here. */
	async #land(flight: Flight): Promise<void> {
		this.#flight = undefined;
		try {
			const stored = await this.#local.store(this.#leftOf(flight));
			flight.resolve([...flight.refused, ...stored]);
		} catch (error) {
			flight.reject(error);
		}
	}

	/** What the daemon has not acknowledged of a batch. */
	#leftOf({ pieces: [sent, ...rest], report }: Flight): Batch[] {
		if (sent === undefined) return [];
		// By the number it was sent with: the daemon may have stored it, or do so yet.
		const left = [{ commands: sent.commands, id: this.#lastId(report) }];
		const commands = rest.flatMap((piece) => piece.commands);
		if (commands.length > 0) left.push({ commands, id: this.#nextId(report) });
		return left;
	}

	/** What the daemon answers once all that was applied before is stored; nothing where it does not. */
	async #ask(method: string, params: object): Promise<unknown> {
		await this.#settled;
		this.#requests.open();
		if (this.#requests.isAway) return undefined;
		const answer = await new Promise<Answer>((resolve) =>
			this.#requests.call(method, JSON.stringify(params), resolve),
		);
		return answer.error === undefined ? answer.result : undefined;
	}

	#ready({ schemaVersion, dbPath, database }: Identity): void {
		const ours = this.#options.store.schemaVersion;
		if (schemaVersion < ours)
			throw new RpcError(
				CODE.protocol,
				`it is older than the plugin (schema ${schemaVersion}, the plugin's is ${ours}): update it`,
			);
		const message = `${this.target} is there, and records again`;
		if (this.#absence !== undefined && !this.#wasNotified)
			this.#listener?.log("info", message);
		this.#listener?.well(message, this.#wasNotified);
		this.#absence = undefined;
		this.#wasNotified = false;
		this.#compareFiles(dbPath);
		this.#noteDatabase(database);
		const written = this.#local.release();
		if (written !== undefined) this.#listener?.ready(written);
	}

	/** A batch under way names the one that was there before, and is refused. */
	#noteDatabase(name: string | undefined): void {
		const last = this.#name;
		this.#name = name;
		const isOther = last !== undefined && name !== undefined && last !== name;
		if (isOther && this.#flight === undefined)
			this.#listener?.replaced(this.#replacedWords());
	}

	#replacedWords(): string {
		return `the database of ${this.target} was removed, or another put in its place: what OpenCode still has is asked for again`;
	}

	/** One that hangs or is too old needs a person's hand; one that is not there may be meant. */
	#down(reason: string, how: Absence): void {
		const { path } = this.#options.database;
		const message = `${this.target} is away, this process records to \`${path}\` itself: ${reason}`;
		if (how !== "away" && this.#absence !== reason) {
			this.#listener?.notify(message);
			this.#wasNotified = true;
		} else if (this.#absence === undefined)
			this.#listener?.log("warn", message);
		this.#absence = reason;
	}

	#compareFiles(dbPath: string): void {
		const { path } = this.#options.database;
		if (dbPath === path || this.#toldOfOtherFile) return;
		this.#toldOfOtherFile = true;
		this.#listener?.log(
			"warn",
			`${this.target} writes \`${dbPath}\`; while it is away, this process writes \`${path}\``,
		);
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

/** Which database the daemon writes, as it says where that is not the one that was named. */
function nameIn({ data }: RpcError): string | undefined {
	const { database } = (data ?? {}) as { database?: unknown };
	return typeof database === "string" ? database : undefined;
}

/** The daemon's method for a request, and its parameters. */
function asCall({ kind, ...params }: StoredRequest): [string, object] {
	const isOfSessions = kind === "storedSessions";
	return [isOfSessions ? "sessions.stored" : "messages.stored", params];
}
