/**
 * What tells one store of OpenCode from another: an id of our own beside it,
 * with the store's inode and creation time. Two homes, a copied one, a store
 * that was put back, or another program of the family are several stores,
 * whatever their paths. In doubt there is no id, and then nothing that OpenCode
 * lacks is called missing.
 */
import { randomUUID } from "node:crypto";
import {
	readdirSync,
	readFileSync,
	readlinkSync,
	realpathSync,
	renameSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import type { Environment } from "../config.ts";

/** The file of ours, in the folder of the store. */
const FILE = ".clankers-stores.json";
/** The links of this process's open files, on Linux. */
const OPEN_FILES = "/proc/self/fd";

/** Where to look for the store. */
export interface StorePlace {
	/** The program: its folders are called so, and its variables begin so. */
	readonly program: string;
	/** It says where OpenCode keeps its data. */
	readonly environment: Environment;
	readonly home?: string;
	/** The folder with this process's open files, where the system has one. */
	readonly openFiles?: string;
	/** Whether its store may be a folder of files, as before 1.2; it may unless said. */
	readonly keepsFiles?: boolean;
	/** Which of the tables in the file are its own, where another engine has some there, too. */
	readonly tables?: string;
}

/** What is noted of one store. */
interface Identity {
	readonly id: string;
	readonly inode: string;
	/** When the file was created, nanoseconds. */
	readonly created: string;
	/** Whether that is told from when it was changed last. */
	readonly isTold: boolean;
}

/** The id of the store that this process's OpenCode works on, or nothing where that is in doubt. */
export function storeId(place: StorePlace): string | undefined {
	try {
		const store = storeOf(place);
		const id = store === undefined ? undefined : idOf(store);
		const { tables } = place;
		return id === undefined || tables === undefined ? id : `${id}/${tables}`;
	} catch {
		// A folder that cannot be read or written.
		return undefined;
	}
}

/** That store's path, or nothing where it is in doubt. */
export function storePath(place: StorePlace): string | undefined {
	try {
		return storeOf(place);
	} catch {
		return undefined;
	}
}

/** The database file, or up to 1.1 the folder of files, that OpenCode works on. */
function storeOf({
	program,
	environment,
	home = homedir(),
	openFiles = OPEN_FILES,
	keepsFiles = true,
}: StorePlace): string | undefined {
	const parent = environment["XDG_DATA_HOME"] || join(home, ".local", "share");
	const data = join(parent, program);
	const named = environment[`${program.toUpperCase()}_DB`];
	if (named === ":memory:") return undefined;
	if (named) return resolve(data, named);
	const folder = realpathSync(data);
	const files = join(folder, "storage");
	const databases = readdirSync(folder).filter((name) => isDatabase(name));
	const open = openIn(folder, openFiles);
	if (open !== undefined) {
		const isOnFiles = keepsFiles && open.length === 0 && exists(files);
		if (isOnFiles) return files;
		return open.length === 1 ? open[0] : undefined;
	}
	// 1.2 took the files over into a database, and left them behind.
	if (databases.length === 0) return keepsFiles ? files : undefined;
	const isAlone = databases.length === 1 && !exists(join(files, "session"));
	return isAlone ? join(folder, databases[0] ?? "") : undefined;
}

/** The databases in the folder that this process has open; nothing where the system does not say. */
function openIn(folder: string, openFiles: string): string[] | undefined {
	const open = new Set<string>();
	let descriptors: string[];
	try {
		descriptors = readdirSync(openFiles);
	} catch {
		return undefined;
	}
	for (const descriptor of descriptors) {
		const file = linkOf(join(openFiles, descriptor));
		if (file === undefined || dirname(file) !== folder) continue;
		// One that was replaced meanwhile: its name says `(deleted)`.
		if (/\.db(-\w+)? \(deleted\)$/.test(file)) throw new Error(file);
		if (isDatabase(basename(file))) open.add(file);
	}
	return [...open];
}

function linkOf(path: string): string | undefined {
	try {
		return readlinkSync(path);
	} catch {
		return undefined;
	}
}

function isDatabase(name: string): boolean {
	return name.endsWith(".db");
}

function exists(path: string): boolean {
	return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** The id that is noted of the store; a new one where it is another than the one noted. */
function idOf(store: string): string | undefined {
	const stat = statSync(store, { bigint: true });
	const inode = String(stat.ino);
	const created = String(stat.birthtimeNs);
	// Some systems give the time of the last change where they know no other.
	const isTold = stat.birthtimeNs > 0n && stat.birthtimeNs !== stat.ctimeNs;
	const file = join(dirname(store), FILE);
	const name = basename(store);
	const noted = read(file);
	const known = noted[name];
	// A number of a file that is gone is given to the next one.
	const isSame =
		known?.inode === inode &&
		(known.created === created || !(known.isTold || isTold));
	if (isSame && known.isTold === isTold) return known.id;
	const id = isSame ? known.id : randomUUID();
	write(file, { ...noted, [name]: { id, inode, created, isTold } });
	// Another process may have written at the same time: what is there counts.
	return read(file)[name]?.id;
}

function read(file: string): Record<string, Identity> {
	let text: string;
	try {
		text = readFileSync(file, "utf8");
	} catch {
		return {};
	}
	try {
		const noted: unknown = JSON.parse(text);
		if (typeof noted !== "object" || noted === null) return {};
		return Object.fromEntries(Object.entries(noted).filter(isIdentity));
	} catch {
		return {};
	}
}

function isIdentity(entry: [string, unknown]): entry is [string, Identity] {
	const { id, inode, created } = (entry[1] ?? {}) as Partial<Identity>;
	return [id, inode, created].every((field) => typeof field === "string");
}

function write(file: string, noted: Record<string, Identity>): void {
	const aside = `${file}.${randomUUID()}`;
	try {
		const text = `${JSON.stringify(noted, null, 2)}\n`;
		writeFileSync(aside, text, { mode: 0o600, flag: "wx" });
		renameSync(aside, file);
	} catch (error) {
		rmSync(aside, { force: true });
		throw error;
	}
}
