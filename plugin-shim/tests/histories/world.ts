/** All that a history happens in: homes, processes, and one clankers.db. */
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { lock, query } from "../support/query.ts";
import type { Flaw } from "./client.ts";
import { Ledger } from "./ledger.ts";
import { Killed, OpenCode, type Surroundings } from "./opencode.ts";
import { Place } from "./places.ts";
import { makeDatabase, Plugin } from "./plugin.ts";
import { Random } from "./random.ts";
import { Store } from "./store.ts";
import { VirtualTime } from "./virtual-time.ts";
import { Words } from "./words.ts";

/** A simulated process, with or without the plugin. */
export interface Process {
	readonly name: string;
	readonly opencode: OpenCode;
	readonly place: Place;
	readonly plugin: Plugin | undefined;
	/** Whether it has asked its OpenCode for everything and nothing came between. */
	isToBeHeld: boolean;
	/** The sessions that it has changed. */
	readonly changed: Set<string>;
}

export class World implements Surroundings {
	readonly random: Random;
	readonly time: VirtualTime = new VirtualTime();
	readonly words: Words = new Words();
	readonly ledger: Ledger;
	/** What was done, a line each. */
	readonly deeds: string[] = [];
	readonly places: readonly Place[];
	readonly running: Process[] = [];
	/** Copies of OpenCode's database, as they were made. */
	readonly storeCopies: {
		readonly app: Place["app"];
		readonly path: string;
	}[] = [];
	readonly #root: string;
	readonly #database: string;
	#databaseCopies: { readonly path: string; readonly putBack: () => void }[] =
		[];
	#next = 0;

	constructor(root: string, seed: number) {
		this.#root = root;
		this.#database = join(root, "clankers.db");
		this.random = new Random(seed);
		this.ledger = new Ledger(this.#database);
		this.places = [
			new Place(root, "home-1", "opencode"),
			new Place(root, "home-2", "opencode"),
			new Place(root, "home-1", "kilo"),
		];
		makeDatabase(this.#database);
	}

	next(): number {
		this.#next += 1;
		return this.#next;
	}

	/** A path that nothing is at. */
	newPath(name: string): string {
		return join(this.#root, `${name}-${this.next()}`);
	}

	start(
		place: Place,
		directory: string,
		withPlugin: boolean,
		flaw?: Flaw,
	): Process {
		const name = `process ${this.next()}`;
		const changed = new Set<string>();
		const store = new Store(place.database, (sessions, id) => {
			for (const { info } of sessions)
				this.ledger.noteTitle(info.id, info.title, info.time.updated);
			if (id !== undefined) changed.add(id);
		});
		const opencode = new OpenCode(store, directory, this);
		const { dataHome, stateFolder } = place;
		const plugin = withPlugin
			? new Plugin(opencode, {
					dataHome,
					stateFolder,
					database: this.#database,
					storeId: place.storeId(() => `store ${this.next()}`),
					flaw,
					ledger: this.ledger,
					time: this.time,
				})
			: undefined;
		const process = {
			name,
			opencode,
			place,
			plugin,
			isToBeHeld: withPlugin,
			changed,
		};
		this.running.push(process);
		const how = withPlugin
			? `with the plugin${flaw ? `, ${flaw}` : ""}`
			: "without the plugin";
		this.deeds.push(
			`${name} starts at ${place.name} in ${directory} ${how} (${plugin?.storeId ?? "-"})`,
		);
		return process;
	}

	/** Lets a process do something; one that is killed after so many events does not get to its end. */
	async act(
		process: Process,
		deed: string,
		work: (opencode: OpenCode) => Promise<unknown>,
		killedAfter?: number,
	): Promise<void> {
		const { opencode, place, name } = process;
		for (const other of this.running)
			if (other !== process && other.place === place) other.isToBeHeld = false;
		this.deeds.push(`${name} ${deed}`);
		opencode.eventsLeft = killedAfter ?? Number.POSITIVE_INFINITY;
		try {
			await work(opencode);
		} catch (error) {
			if (!(error instanceof Killed)) throw error;
		}
		if (process.plugin === undefined || process.plugin.flaw !== undefined)
			this.#isUnheard(process);
		if (killedAfter !== undefined)
			this.kill(process, ` after ${killedAfter} events`);
	}

	/**
	 * What a process did that no plugin told of, another's plugin on the same
	 * store does not know. It goes on with a session as one that it knows whole.
	 */
	#isUnheard(process: Process): void {
		const isBeside = (other: Process): boolean =>
			other !== process && other.place === process.place;
		if (this.running.some((other) => isBeside(other) && other.plugin))
			for (const id of process.changed) this.ledger.unheard(id);
	}

	kill(process: Process, when = ""): void {
		this.deeds.push(`${process.name} is killed${when}`);
		this.#isUnheard(process);
		process.plugin?.kill();
		this.#gone(process);
	}

	/**
	 * Another program holds clankers.db while a process works and exits: what
	 * that had to store is lost with it. OpenCode has it.
	 */
	async exitLocked(process: Process): Promise<void> {
		const unlock = lock(this.#database);
		try {
			const deed = "begins a session and a turn while clankers.db is locked";
			await this.act(process, deed, async (opencode) => {
				await opencode.turn(await opencode.create());
			});
			this.deeds.push(`${process.name} exits before it is unlocked`);
			process.plugin?.exit();
		} finally {
			unlock();
		}
		process.plugin?.told.clear();
		process.plugin?.forgive(/database is locked/);
		this.#isUnheard(process);
		this.#gone(process);
	}

	/** Ends a process: as some releases do, with a word to the plugin, or as others do, without. */
	stop(process: Process): void {
		const isDisposed = this.random.chance(0.5);
		this.deeds.push(
			`${process.name} ${isDisposed ? "is disposed of" : "exits"}`,
		);
		if (isDisposed) process.plugin?.leave();
		else process.plugin?.exit();
		this.#gone(process);
	}

	/** Ends whatever runs there, so that its files can be handled. */
	stopAllAt(...places: readonly Place[]): void {
		for (const process of [...this.running])
			if (places.includes(process.place))
				if (this.random.chance(0.8)) this.stop(process);
				else this.kill(process);
	}

	backUpDatabase(): void {
		const path = this.newPath("clankers-copy");
		query(this.#database, "PRAGMA wal_checkpoint(TRUNCATE)");
		copyFileSync(this.#database, path);
		this.#databaseCopies.push({ path, putBack: this.ledger.snapshot() });
		this.deeds.push("clankers.db is copied");
	}

	/** Puts one of the copies of clankers.db back, if there is one. */
	putBackDatabase(): void {
		const copy = this.random.pick(this.#databaseCopies);
		if (copy === undefined) return;
		this.stopAllAt(...this.places);
		for (const suffix of ["", "-wal", "-shm"])
			rmSync(`${this.#database}${suffix}`, { force: true });
		copyFileSync(copy.path, this.#database);
		copy.putBack();
		this.deeds.push(
			`clankers.db is put back from copy ${this.#databaseCopies.indexOf(copy) + 1}`,
		);
	}

	/** Lets everything come to rest, and looks whether all is as it has to be. */
	async settle(): Promise<void> {
		await this.time.rest();
		const plugins = this.running.flatMap(({ plugin }) => plugin ?? []);
		this.ledger.settled(plugins.map(({ storeId }) => storeId));
		for (const { told } of plugins) this.ledger.stored(told);
		const asking = this.running.filter(({ isToBeHeld }) => isToBeHeld);
		for (const process of asking) process.isToBeHeld = false;
		const [only] = asking;
		if (asking.length !== 1 || only?.plugin === undefined) return;
		const { opencode, plugin } = only;
		if (plugin.flaw !== undefined) return;
		const isHere = ({ info }: { info: { directory: string } }): boolean =>
			info.directory === opencode.directory;
		const sessions = opencode.store.sessions().filter(isHere);
		this.ledger.answered({ storeId: plugin.storeId, sessions });
	}

	/** What a process told while it ran is stored, unless it was killed; and it had no reason to complain. */
	#gone(process: Process): void {
		this.running.splice(this.running.indexOf(process), 1);
		process.opencode.end();
		if (process.plugin === undefined) return;
		const { told, log } = process.plugin;
		this.ledger.stored(told);
		for (const { level, message } of log)
			if (level === "error" || /catch-up stopped|refused/.test(message))
				this.ledger.faults.push(`${process.name} logs: ${message}`);
	}

	end(): void {
		for (const process of [...this.running]) this.kill(process);
	}
}
