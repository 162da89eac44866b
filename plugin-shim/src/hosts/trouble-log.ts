/**
 * What goes wrong, in a file of clankers' own, for a host that gives its plugins
 * no log. The database is no place for it: most of it is that the database
 * cannot be written. `clankers` reads the file (`cli/src/plugin/trouble.rs`).
 *
 * A line is one JSON object. One at level `info` says that what the lines before
 * it said about the same matter is over. Nothing here waits or throws.
 */
import {
	appendFileSync,
	lstatSync,
	readFileSync,
	writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import type { TroubleFiles } from "../config.ts";
import { makeFolder } from "../storage/files.ts";
import { VERSION } from "../version.ts";

/** What trouble is about. Only that of a plugin's own defect is never over. */
export type Matter =
	| "storage"
	| "daemon"
	| "events"
	| "stream"
	| "settings"
	| "plugin";

/** Whose trouble it is, and where it is written. */
export interface TroubleLogOptions {
	/** The database, by its path. */
	readonly database: string;
	readonly files: TroubleFiles;
	/** The host's release, where it is known. */
	readonly release: string | undefined;
	/** Unix milliseconds. */
	readonly now?: () => number;
}

/** A file that is longer loses its older half. */
const LONGEST_FILE = 64 * 1024;
/** One that is this long, or no plain file, is not ours: it is neither read nor written. */
const NOT_OURS = 8 * LONGEST_FILE;
const LONGEST_MESSAGE = 500;
/** How soon the same is written again while it lasts, and the file is looked at for what others wrote. */
const AGAIN_MS = 10 * 60_000;
/** A line from later than that was written while the clock was ahead. */
const AHEAD_MS = 60_000;
/** Different messages about one matter, until it is over. */
const MOST_MESSAGES = 20;

const FILE_MODE = 0o600;
/** This process; its number may have been another's before. */
const PROCESS = {
	pid: process.pid,
	started: Math.round(performance.timeOrigin),
};

/** The trouble of one database in this process. */
export class TroubleLog {
	readonly #options: TroubleLogOptions;
	readonly #now: () => number;
	/** When each message was written last, by what it is about. */
	readonly #told = new Map<Matter, Map<string, number>>();
	/** When the files were looked at. */
	readonly #looked = new Map<Matter, number>();

	constructor(options: TroubleLogOptions) {
		this.#options = options;
		this.#now = options.now ?? Date.now;
	}

	/** Something is wrong. While it lasts it may be told as often as it shows. */
	add(about: Matter, level: "warn" | "error", message: string): void {
		const now = this.#now();
		const told = this.#told.get(about) ?? new Map<string, number>();
		this.#told.set(about, told);
		const key = `${level} ${message}`;
		const last = told.get(key);
		if (last === undefined ? told.size >= MOST_MESSAGES : isSoon(now, last))
			return;
		told.set(key, now);
		this.#write(about, level, message, now);
	}

	/** All is well with this. Written where a line says otherwise, this process's or another's. */
	over(about: Matter, message: string): void {
		const now = this.#now();
		const isOurs = this.#told.delete(about);
		const looked = this.#looked.get(about);
		if (!isOurs && looked !== undefined && isSoon(now, looked)) return;
		this.#looked.set(about, now);
		const { database, files } = this.#options;
		const lines = toldOf(about, database, files);
		// The clock may have been put back meanwhile.
		const open = [lastUpTo(now, lines), lines.at(-1)]
			.filter((line) => line !== undefined)
			.filter((line) => line.level !== "info");
		if (open.length === 0) return;
		const at = Math.max(now, ...open.map((line) => line.at));
		this.#write(about, "info", message, at);
	}

	#write(
		about: Matter,
		level: "info" | "warn" | "error",
		message: string,
		at: number,
	): void {
		const { database, files, release } = this.#options;
		const line = JSON.stringify({
			...{ at, level, about, database },
			...{ message: shortened(message), ...PROCESS },
			...{ release, plugin: VERSION },
		});
		if (!append(files.beside, line)) append(files.shared, line);
	}
}

/** What is read of a line. */
export interface Line {
	readonly at: number;
	readonly level: unknown;
	readonly about: unknown;
	readonly database: unknown;
	readonly message: unknown;
}

/** Whether it is too soon after then; the clock may have been put back meanwhile. */
function isSoon(now: number, then: number): boolean {
	return now >= then && now < then + AGAIN_MS;
}

/** As much of a message as is written, without half a character. */
function shortened(message: string): string {
	return message.slice(0, LONGEST_MESSAGE).replace(/\p{Surrogate}/gu, "");
}

/** What was said of a matter up to now, by whatever process, the latest last. `now` is Unix milliseconds. */
export function toldUpTo(
	now: number,
	about: Matter,
	database: string,
	files: TroubleFiles,
): Line[] {
	const lines = toldOf(about, database, files);
	return lines.filter((line) => line.at <= now + AHEAD_MS);
}

function lastUpTo(now: number, lines: readonly Line[]): Line | undefined {
	return lines.findLast((line) => line.at <= now + AHEAD_MS);
}

/** All that was said of a matter, in the order of its times. */
function toldOf(about: Matter, database: string, files: TroubleFiles): Line[] {
	const elsewhere = linesOf(files.shared);
	const lines = [
		...linesOf(files.beside),
		...elsewhere.filter((line) => line.database === database),
	].filter((line) => line.about === about);
	return lines.toSorted((a, b) => a.at - b.at);
}

/** Whether it could be written. */
function append(file: string, line: string): boolean {
	try {
		makeFolder(dirname(file));
		const length = lengthOf(file);
		if (length === undefined) return false;
		if (length >= LONGEST_FILE) halve(file);
		// A full disk may have cut the line before it short.
		appendFileSync(file, `\n${line}\n`, { mode: FILE_MODE });
		return true;
	} catch {
		return false;
	}
}

/** How long it is, none where it is not there yet; nothing where it is not ours: a pipe would block, and a link may lead to what is somebody else's. */
function lengthOf(file: string): number | undefined {
	const stat = lstatSync(file, { throwIfNoEntry: false });
	if (stat === undefined) return 0;
	return stat.isFile() && stat.size < NOT_OURS ? stat.size : undefined;
}

function halve(file: string): void {
	const half = readFileSync(file, "utf8").slice(-LONGEST_FILE / 2);
	writeFileSync(file, half.slice(half.indexOf("\n")));
}

function linesOf(file: string): Line[] {
	try {
		if (lengthOf(file) === undefined) return [];
		return readFileSync(file, "utf8").split("\n").flatMap(read);
	} catch {
		return [];
	}
}

/** Nothing of a line that is none. */
function read(text: string): Line[] {
	try {
		const line = JSON.parse(text) as Line | null;
		return typeof line?.at === "number" ? [line] : [];
	} catch {
		return [];
	}
}

const logs = new Map<string, TroubleLog>();

/** The one of a database, in this process. */
export function troubleLogOf(options: TroubleLogOptions): TroubleLog {
	const known = logs.get(options.database);
	if (known !== undefined) return known;
	const made = new TroubleLog(options);
	logs.set(options.database, made);
	return made;
}
