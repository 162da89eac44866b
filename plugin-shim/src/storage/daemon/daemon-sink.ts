/**
 * The daemon sink: while the daemon answers, batches go to it. While it does
 * not, the in-process sink stores them, so that what was observed is on disk
 * either way, and nothing has to wait for the daemon's return.
 */
import { randomUUID } from "node:crypto";
import type {
	Command,
	Store,
	StoredRequest,
} from "../../../../pkg/clankers.js";
import type { Database } from "../../config.ts";
import { describe } from "../../hosts/host-log.ts";
import type { Absence, Patience } from "../../rpc/link.ts";
import {
	type Answer,
	CODE,
	type Identity,
	RpcError,
} from "../../rpc/protocol.ts";
import {
	type RefusedCommand,
	type Sink,
	SinkError,
	type SinkListener,
} from "../sink.ts";
import { SqliteSink } from "../sqlite.ts";
import { oneByOne, type Piece, piecesOf } from "./pieces.ts";
import { Requests } from "./requests.ts";

/** Attempts to store the batch under way at the process's end, each at most a busy timeout long: two seconds in all. */
const LAST_ATTEMPTS = 40;

/** How many of the sessions that were written without the daemon are remembered. */
const MOST_REMEMBERED = 1000;

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
	readonly #local: SqliteSink;
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
	/** Whether this process wrote or read the file itself since the daemon was last there. */
	#wasAlone = false;
	/** The sessions that it wrote of, the latest last. */
	readonly #writtenAlone = new Set<string>();
	#toldOfOtherFile = false;
	/** What tells the daemon's database from another in its place, where it says so. */
	#name: string | undefined;

	constructor(options: DaemonOptions) {
		const { database, socketPath, store } = options;
		this.target = `the daemon on ${socketPath}`;
		this.#options = options;
		this.#local = new SqliteSink(database, store);
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
		this.#requests.open();
	}

	apply(
		commands: readonly Command[],
	): RefusedCommand[] | Promise<RefusedCommand[]> {
		if (commands.length === 0) return [];
		if (!this.#isFinishing) this.#requests.open();
		const isAlone = this.#isFinishing || this.#requests.isAway;
		const pieces = isAlone ? undefined : piecesOf(commands);
		if (pieces === undefined) return this.#applyHere(commands, this.#next());
		return this.#handOver(pieces);
	}

	finish(): RefusedCommand[] {
		this.#isFinishing = true;
		const flight = this.#flight;
		if (flight === undefined) return [];
		for (let attempt = 1; ; attempt++)
			try {
				return this.#takeOver(flight);
			} catch (error) {
				// The daemon may be storing this very batch, and hold the lock.
				if (attempt >= LAST_ATTEMPTS || isReplaced(error)) throw error;
			}
	}

	async stored(request: StoredRequest): Promise<readonly unknown[]> {
		const rows = await this.#ask(...asCall(request));
		return Array.isArray(rows)
			? rows
			: this.#here((local) => local.stored(request));
	}

	close(): void {
		// What has no answer fails with it, and so is stored here.
		this.#requests.close();
		this.#local.close();
		this.#isFinishing = false;
		this.#absence = undefined;
	}

	#handOver(pieces: Piece[]): Promise<RefusedCommand[]> {
		const stored = new Promise<RefusedCommand[]>((resolve, reject) => {
			this.#flight = { pieces, refused: [], resolve, reject };
			this.#send(this.#flight);
		});
		this.#settled = stored.catch(() => {});
		return stored;
	}

	#next(): number {
		this.#number += 1;
		return this.#number;
	}

	#send(flight: Flight): void {
		const [piece] = flight.pieces;
		const id = { writer: this.#writer, number: this.#next() };
		const database =
			this.#name === undefined
				? ""
				: `"database":${JSON.stringify(this.#name)},`;
		const params = `{"id":${JSON.stringify(id)},${database}"commands":${piece?.json}}`;
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
			this.#land(flight);
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
		if (flight.pieces.length === 0) this.#land(flight);
		else this.#send(flight);
	}

	/** Settles the batch, with what the daemon has not acknowledged stored here. */
	#land(flight: Flight): void {
		try {
			flight.resolve(this.#takeOver(flight));
		} catch (error) {
			flight.reject(error);
		}
	}

	#takeOver({ pieces, refused }: Flight): RefusedCommand[] {
		this.#flight = undefined;
		const [sent, ...rest] = pieces;
		if (sent === undefined) return refused;
		// By the number it was sent with: the daemon may have stored it, or do so yet.
		const all = [...refused, ...this.#applyHere(sent.commands, this.#number)];
		const others = rest.flatMap(({ commands }) => commands);
		if (others.length > 0) all.push(...this.#applyHere(others, this.#next()));
		return all;
	}

	#applyHere(commands: readonly Command[], number: number): RefusedCommand[] {
		const id = { writer: this.#writer, number };
		for (const command of commands) this.#remember(sessionOf(command));
		return this.#here((local) => local.apply(commands, id));
	}

	#remember(sessionId: string | undefined): void {
		if (sessionId === undefined) return;
		this.#writtenAlone.delete(sessionId);
		this.#writtenAlone.add(sessionId);
		const [oldest] = this.#writtenAlone;
		if (this.#writtenAlone.size > MOST_REMEMBERED && oldest !== undefined)
			this.#writtenAlone.delete(oldest);
	}

	#here<Result>(work: (local: SqliteSink) => Result): Result {
		this.#wasAlone = true;
		try {
			return work(this.#local);
		} catch (error) {
			if (isReplaced(error)) throw error;
			// Whatever is wrong with the file, the daemon may be back in a moment.
			throw new SinkError("unavailable", describe(error), error);
		}
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
		if (!this.#wasAlone) return;
		const written = [...this.#writtenAlone];
		this.#wasAlone = false;
		this.#writtenAlone.clear();
		this.#local.close();
		this.#listener?.ready(written);
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

/** The session that a command is about, where it says so. */
function sessionOf({ method, params }: Command): string | undefined {
	if (method === "session.upsert" || method === "session.delete")
		return params.id;
	return ("sessionId" in params && params.sessionId) || undefined;
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

function isReplaced(error: unknown): boolean {
	return error instanceof SinkError && error.kind === "replaced";
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
