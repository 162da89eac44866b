/**
 * A damaged database is put out of the way, whole, under a name that says when.
 * `clankers` does the same (`cli/src/store/aside.rs`), and the two may find the
 * damage at the same moment: who makes the claim beside the file moves it.
 */
import {
	closeSync,
	openSync,
	readdirSync,
	realpathSync,
	renameSync,
	rmSync,
	statSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileIdentity } from "./files.ts";

/** Moving three files takes no time: a claim that is older was left behind. */
const CLAIM_MS = 10_000;
/** So many in an hour, and the disk is at fault: each further one would be damaged, too. */
const MOST_IN_AN_HOUR = 5;
const HOUR_MS = 3_600_000;
const FILE_MODE = 0o600;

/**
 * Moves the file and what SQLite keeps beside it. Answers its new path, or
 * nothing where another file is there by now. Throws where it cannot be moved.
 */
export function setAside(
	path: string,
	identity: string,
	now: number = Date.now(),
): string | undefined {
	if (fileIdentity(path) !== identity) return undefined;
	const file = realpathSync(path);
	return claimed(`${file}.claim`, now, () => {
		if (fileIdentity(file) !== identity) return undefined;
		const aside = freeName(file, now);
		// The file goes last: SQLite would take a log that is left for the next one's.
		moveCompanions(file, aside);
		try {
			renameSync(file, aside);
		} catch (error) {
			moveCompanions(aside, file);
			throw error;
		}
		return aside;
	});
}

function claimed<Result>(
	claim: string,
	now: number,
	work: () => Result,
): Result {
	const stat = statSync(claim, { throwIfNoEntry: false });
	if (stat && Math.abs(now - stat.mtimeMs) > CLAIM_MS) rmSync(claim);
	make(claim);
	try {
		return work();
	} finally {
		rmSync(claim, { force: true });
	}
}

function make(claim: string): void {
	try {
		closeSync(openSync(claim, "wx", FILE_MODE));
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
		throw new Error("another process is moving it");
	}
}

/** What it is to be called; nobody else makes one while we have the claim. */
function freeName(file: string, now: number): string {
	const named = (at: number): string => {
		const date = new Date(at).toISOString().slice(0, 19).replaceAll(":", "-");
		return `${basename(file)}.corrupt-${date}`;
	};
	const [oldest, wanted] = [named(now - HOUR_MS), named(now)];
	const names = readdirSync(dirname(file));
	const recent = names.filter(
		(name) => isOf(basename(file), name) && name > oldest,
	);
	if (recent.length >= MOST_IN_AN_HOUR)
		throw new Error(
			`${recent.length} were set aside within an hour, so that the disk may be failing`,
		);
	const taken = new Set(names);
	let free = wanted;
	for (let count = 2; taken.has(free); count++) free = `${wanted}-${count}`;
	return join(dirname(file), free);
}

function isOf(file: string, name: string): boolean {
	return name.startsWith(`${file}.corrupt-`) && !/-(wal|shm)$/.test(name);
}

function moveCompanions(from: string, to: string): void {
	for (const ending of ["-wal", "-shm"])
		if (statSync(from + ending, { throwIfNoEntry: false }))
			renameSync(from + ending, to + ending);
}
