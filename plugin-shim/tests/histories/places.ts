/** OpenCode's data folders on disk, and what a person does with them while nothing runs there. */
import {
	copyFileSync,
	cpSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	utimesSync,
	writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

/** Where the history notes which store a folder holds. It goes where the folder goes, as the plugin's own note does. */
const NOTE = ".history-store.json";

/** A home's data folder of OpenCode or Kilo. */
export class Place {
	readonly name: string;
	/** What `XDG_DATA_HOME` says there. */
	readonly dataHome: string;
	readonly app: "opencode" | "kilo";

	constructor(root: string, home: string, app: "opencode" | "kilo") {
		this.name = `${home}/${app}`;
		this.dataHome = join(root, home, "share");
		this.app = app;
	}

	get folder(): string {
		return join(this.dataHome, this.app);
	}

	get database(): string {
		return join(this.folder, `${this.app}.db`);
	}

	get stateFolder(): string {
		return join(dirname(this.dataHome), "state", this.app);
	}

	get exists(): boolean {
		return existsSync(this.database);
	}

	/**
	 * Which store is here, as the plugin tells it: its own note of it, unless
	 * that is of another file. `makeId` is called where there is no such note.
	 */
	storeId(makeId: () => string): string {
		const { ino, birthtimeNs } = statSync(this.database, { bigint: true });
		const file = `${ino} ${birthtimeNs}`;
		const path = join(this.folder, NOTE);
		if (existsSync(path)) {
			const note = JSON.parse(readFileSync(path, "utf8")) as Note;
			if (note.file === file) return note.id;
		}
		const note: Note = { id: makeId(), file };
		writeFileSync(path, JSON.stringify(note));
		return note.id;
	}

	/** Takes away whatever is beside OpenCode's own file. */
	deleteNotes(): void {
		for (const name of readdirSync(this.folder))
			if (name !== basename(this.database)) rmSync(join(this.folder, name));
	}

	/** Puts a copy of another home's data folder here. */
	copyFrom(other: Place): void {
		rmSync(this.folder, { recursive: true, force: true });
		mkdirSync(dirname(this.folder), { recursive: true });
		cpSync(other.folder, this.folder, { recursive: true });
		changeUntilTold(this.database);
	}

	/** Exchanges the two data folders. */
	swapWith(other: Place): void {
		const aside = `${this.folder}.aside`;
		renameSync(this.folder, aside);
		renameSync(other.folder, this.folder);
		renameSync(aside, other.folder);
	}

	/** Whether a folder of it is away. */
	get isAway(): boolean {
		return existsSync(this.#away);
	}

	get #away(): string {
		return `${this.folder}.away`;
	}

	/** What was away before is lost. */
	moveAway(): void {
		rmSync(this.#away, { recursive: true, force: true });
		renameSync(this.folder, this.#away);
	}

	/** What was moved away comes back; what is here meanwhile is away then. */
	moveBack(): void {
		const aside = `${this.folder}.aside`;
		if (existsSync(this.folder)) renameSync(this.folder, aside);
		renameSync(this.#away, this.folder);
		if (existsSync(aside)) renameSync(aside, this.#away);
	}

	backUp(to: string): void {
		copyFileSync(this.database, to);
	}

	/** Puts a copy in the file's place: another file under its name. */
	restoreByRename(from: string): void {
		copyFileSync(from, `${this.database}.new`);
		changeUntilTold(`${this.database}.new`);
		renameSync(`${this.database}.new`, this.database);
	}

	/** Writes a copy over the file: the same file with what it held then. */
	restoreInPlace(from: string): void {
		writeFileSync(this.database, readFileSync(from));
	}
}

/**
 * Changes a new file until its creation is told from its last change: here all
 * happens within a tick of the clock, and a real database is written to later.
 */
export function changeUntilTold(path: string): void {
	const isTold = (): boolean => {
		const { birthtimeNs, ctimeNs } = statSync(path, { bigint: true });
		return birthtimeNs !== ctimeNs;
	};
	while (!isTold()) utimesSync(path, new Date(), new Date());
}

interface Note {
	readonly id: string;
	/** The file that it is about. */
	readonly file: string;
}
