/** What a recorder counts since its process began, and tells with each batch. */
import type { Command, Counts, Report } from "../../pkg/clankers.js";
import type { Dialect } from "./core.ts";
import { VERSION } from "./version.ts";

/** The longest error that is kept, in UTF-16 units. */
const LONGEST_ERROR = 200;
/** So much of an error is looked at: what it names may be as long as it likes. */
const MOST_READ = 1000;
/** Names in our own quotes; whatever has a slash, up to the next colon, since a path may have spaces; other quoted names. Most are paths, and a path is content. */
const NAMES = [/`[^`]*`/g, /\S*[/\\][^:]*/g, /'[^']*'|"[^"]*"/g];
/** Half a character, which is no text for the daemon. */
const HALVES = /\p{Surrogate}/gu;

/** The totals that grow with what the core and its batches tell. */
type Totals = Pick<
	Report,
	"refused" | "commands" | "drains" | "asked" | "answered" | "failed"
>;

const NOTHING: Totals = {
	refused: 0,
	commands: 0,
	drains: 0,
	asked: 0,
	answered: 0,
	failed: 0,
};

/** One recorder's counters. */
export class Counters {
	readonly #dialect: Dialect;
	readonly #startedAt: number;
	#seen = 0;
	#ignored = 0;
	/** As they are stored, but for what catch-up did since. */
	#totals = NOTHING;
	/** What was told last, stored or not. */
	#told: Report | undefined;
	/** What is stored of it. */
	#stored: Report | undefined;
	#lastError: string | undefined;
	#lastErrorAt: number | undefined;
	#caughtUpAt: number | undefined;
	#behindSince: number | undefined;

	/** `startedAt`: Unix milliseconds. */
	constructor(dialect: Dialect, startedAt: number) {
		this.#dialect = dialect;
		this.#startedAt = startedAt;
	}

	/** An event came, be it of a type that is never recorded. */
	saw(isIgnored: boolean): void {
		this.#seen += 1;
		if (isIgnored) this.#ignored += 1;
	}

	/** Something went wrong. */
	wentWrong(why: string, now: number): void {
		let told = why.slice(0, MOST_READ);
		for (const names of NAMES) told = told.replace(names, "…");
		this.#lastError = told.slice(0, LONGEST_ERROR).replace(HALVES, "\uFFFD");
		this.#lastErrorAt = now;
	}

	/** Something is missing that OpenCode is asked for. */
	isBehind(now: number): void {
		this.#behindSince ??= now;
	}

	/** Catch-up came to its end; `isWhole`: with everything answered. */
	caughtUp(isWhole: boolean, now: number): void {
		if (!isWhole) {
			this.isBehind(now);
			return;
		}
		this.#caughtUpAt = now;
		this.#behindSince = undefined;
	}

	/** Whether what is stored says otherwise of whether something is missing. */
	get isNews(): boolean {
		const stored = this.#stored?.behindSince;
		return (stored === undefined) !== (this.#behindSince === undefined);
	}

	/** What goes with a batch: how things are once it is stored. */
	report(batch: readonly Command[], counts: Counts, now: number): Report {
		const { asked, answered, failed } = counts;
		this.#totals = {
			...this.#totals,
			asked: this.#totals.asked + asked,
			answered: this.#totals.answered + answered,
			failed: this.#totals.failed + failed,
		};
		this.#told = {
			version: VERSION,
			dialect: this.#dialect,
			pid: process.pid,
			startedAt: this.#startedAt,
			reportedAt: now,
			seen: this.#seen,
			ignored: this.#ignored,
			waiting: counts.waiting,
			...this.#totals,
			refused: this.#totals.refused + refusedIn(batch),
			commands: this.#totals.commands + batch.length,
			drains: this.#totals.drains + 1,
			...(this.#lastError !== undefined && { lastError: this.#lastError }),
			...(this.#lastErrorAt !== undefined && {
				lastErrorAt: this.#lastErrorAt,
			}),
			...(this.#caughtUpAt !== undefined && { caughtUpAt: this.#caughtUpAt }),
			...(this.#behindSince !== undefined && {
				behindSince: this.#behindSince,
			}),
		};
		return this.#told;
	}

	/** The batch that was told of last is stored. */
	stored(): void {
		const told = this.#told;
		if (told === undefined) return;
		const { refused, commands, drains } = told;
		this.#totals = { ...this.#totals, refused, commands, drains };
		this.#stored = told;
	}
}

/** How many events, or fields of them, the commands say were refused. */
function refusedIn(batch: readonly Command[]): number {
	let refused = 0;
	for (const { method, params } of batch)
		if (method === "rejection.record") refused += params.count;
	return refused;
}
