/**
 * Catch-up: makes the requests that the core has, in the background, one at a
 * time, and gives it what comes of them. What to ask and what an answer means
 * is the core's decision; this only asks.
 */
import type { Core, Request, StoredRequest } from "../../pkg/clankers.js";
import { type Answer, FAILED, found, type Host } from "./hosts/host.ts";
import { describe } from "./hosts/host-log.ts";

/** What catch-up needs of the core; each call survives a trap. */
export type CatchUpCore = Pick<
	Core,
	| "compare"
	| "fetch"
	| "fetchWanted"
	| "hurry"
	| "leave"
	| "nextRequest"
	| "answer"
	| "compareAgainIn"
>;

/** What catch-up works with. */
export interface CatchUpOptions {
	readonly core: CatchUpCore;
	/** What is stored, with everything observed before. Rejects where that cannot be told. */
	stored(request: StoredRequest): Promise<readonly unknown[]>;
	/** Something changed and is to be drained, as urgently as that. */
	changed(urgency: number): void;
	/** It came to a stop before its end. */
	halted(message: string): void;
	/** It did so once more. */
	stillHalted(message: string): void;
	/** It came to its end; `isWhole`: everything that it asked for was answered. */
	ended(isWhole: boolean): void;
	/** Waits without keeping the process alive. */
	pause(milliseconds: number): Promise<void>;
	/** Unix milliseconds. */
	now(): number;
}

/** After the host has started, and after a session has come to rest. */
const SETTLE_MS = 500;
/** Before each session, each further page of its messages, and each message that is asked for by itself, so that a long history never fills a turn. */
const BREATH_MS = 20;
/** How many sessions of a list the core takes at a time. */
const SLICE = 250;
/** How long a host that is about to go is still asked. At the end of a `run` OpenCode 2 waits for a clean-up 2.7 seconds, and 1.x without end. */
const LAST_MS = 1000;

/** Catches up on the project directories of all hosts. */
export class CatchUp {
	readonly #options: CatchUpOptions;
	readonly #hosts = new Map<string, Host>();
	#isRunning = false;
	#ended = false;
	/** The directories whose hosts are about to go: as long as there are any, nothing pauses. */
	readonly #finishing = new Set<string>();
	/** Ends the pause that there is. */
	#wake: (() => void) | undefined;
	/** Called with the next answer, and when there is none any more. */
	readonly #answered: (() => void)[] = [];
	/** Whether all is to be compared again in a while. */
	#later = false;
	/** Whether something was asked for in vain, and not all has been compared since. */
	#isBehind = false;
	/** Whether it was told that what is stored cannot be told. */
	#isPutOff = false;

	constructor(options: CatchUpOptions) {
		this.#options = options;
	}

	/** Compares all sessions of this host's directory, in the background. */
	join(host: Host): void {
		this.#finishing.delete(host.directory);
		if (!this.#hosts.has(host.directory)) this.#hosts.set(host.directory, host);
		this.compare(host);
	}

	/** Compares all sessions of a host's directory once more. */
	compare({ directory }: Host): void {
		if (!this.#hosts.has(directory)) return;
		this.#options.core.compare(directory);
		this.#start();
	}

	/** Asks this host from now on: the one of its directory that was asked is gone. */
	handOver(host: Host): void {
		this.#hosts.set(host.directory, host);
	}

	/** Asks nothing more of this directory's host. */
	leave(directory: string): void {
		this.#hosts.delete(directory);
		this.#options.core.leave(directory);
	}

	/** Compares the sessions of all hosts, and fetches these whatever the comparison says. */
	compareAll(sessionIds: readonly string[] = []): void {
		const { core } = this.#options;
		for (const directory of this.#hosts.keys()) {
			core.compare(directory);
			if (sessionIds.length > 0) core.fetch(directory, [...sessionIds]);
		}
		this.#start();
	}

	/** What is stored can be told again: compares what was put off. */
	resume(): void {
		if (this.#isPutOff) this.compareAll();
	}

	/** Fetches what events of this directory left incomplete. */
	fetchWanted(directory: string): void {
		if (!this.#hosts.has(directory)) return;
		if (this.#options.core.fetchWanted(directory)) this.#start();
	}

	/**
	 * A directory's host is about to go: asks it at once for what events left
	 * incomplete. Comes back when that is answered, or after a second.
	 */
	async finish(directory: string): Promise<void> {
		const { core, pause } = this.#options;
		const isLeft = (): boolean =>
			!this.#ended && this.#finishing.has(directory) && core.hurry(directory);
		if (this.#hosts.has(directory)) this.#finishing.add(directory);
		if (isLeft()) {
			this.#wake?.();
			let isLate = false;
			const late = pause(LAST_MS).then(() => {
				isLate = true;
			});
			do {
				const answered = new Promise<void>((resolve) => {
					this.#answered.push(resolve);
				});
				this.#start();
				await Promise.race([answered, late]);
			} while (!isLate && isLeft());
		}
		this.#finishing.delete(directory);
	}

	/** Asks for nothing more. */
	end(): void {
		this.#ended = true;
	}

	#start(): void {
		if (this.#isRunning || this.#ended) return;
		this.#isRunning = true;
		this.#run()
			.catch((error: unknown) =>
				this.#options.halted(`catch-up stopped: ${describe(error)}`),
			)
			.finally(() => {
				this.#isRunning = false;
				this.#wakeWaiting();
			});
	}

	/** Waits; where a host is about to go, only until others have had their turn. */
	async #pause(milliseconds: number): Promise<void> {
		const { pause } = this.#options;
		if (this.#finishing.size > 0) return pause(0);
		const woken = new Promise<void>((resolve) => {
			this.#wake = resolve;
		});
		await Promise.race([pause(milliseconds), woken]);
	}

	#wakeWaiting(): void {
		for (const wake of this.#answered.splice(0)) wake();
	}

	async #run(): Promise<void> {
		const { core, changed, now } = this.#options;
		await this.#pause(SETTLE_MS);
		let isWhole = true;
		let isAsked = false;
		const compared = new Set<string>();
		for (;;) {
			const request = this.#ended ? undefined : core.nextRequest(now());
			if (request === undefined) break;
			await this.#pause(breathBefore(request));
			const answer = await this.#answer(request);
			if (this.#ended) return;
			isAsked = true;
			if (answer.outcome === "failed") isWhole = false;
			else if (request.kind === "sessions") compared.add(request.directory);
			let value = answer.outcome === "found" ? answer.value : undefined;
			if (request.kind === "sessions") value = await this.#begin(value);
			if (this.#ended) return;
			changed(core.answer(answer.outcome, value, now()));
			this.#wakeWaiting();
		}
		// What is asked in a hurry is not all that there is to ask.
		const isHurried = this.#finishing.size > 0;
		if (isAsked && !isHurried && !this.#ended) this.#tell(isWhole, compared);
		// Renames and deletions may be among the events that are missing then.
		const wait = core.compareAgainIn();
		if (wait !== undefined) this.#compareLater(wait);
	}

	/** What is behind is caught up on once all directories were compared and everything answered. */
	#tell(isWhole: boolean, compared: ReadonlySet<string>): void {
		const isAll = [...this.#hosts.keys()].every((one) => compared.has(one));
		if (isWhole && this.#isBehind && !isAll) return;
		this.#isBehind = !isWhole;
		this.#options.ended(isWhole);
	}

	/** Gives the core the beginning of a long list, slice by slice, and comes back with the last one. */
	async #begin(list: unknown): Promise<unknown> {
		if (!Array.isArray(list)) return list;
		const { core, changed, now } = this.#options;
		let at = 0;
		for (; at + SLICE < list.length && !this.#ended; at += SLICE) {
			changed(core.answer("beginning", list.slice(at, at + SLICE), now()));
			await this.#pause(0);
		}
		return at === 0 ? list : list.slice(at);
	}

	#compareLater(wait: number): void {
		if (this.#later || this.#ended) return;
		this.#later = true;
		this.#options.pause(wait).then(() => {
			this.#later = false;
			this.compareAll();
		});
	}

	async #answer(request: Request): Promise<Answer> {
		switch (request.kind) {
			case "storedSessions":
			case "storedMessages":
				return this.#stored(request);
			default: {
				const host = this.#hosts.get(request.directory);
				return host ? host.ask(request) : FAILED;
			}
		}
	}

	async #stored(request: StoredRequest): Promise<Answer> {
		try {
			const value = await this.#options.stored(request);
			this.#isPutOff = false;
			return found(value);
		} catch (error) {
			const message = `catch-up is put off: ${describe(error)}`;
			if (this.#isPutOff) this.#options.stillHalted(message);
			else this.#options.halted(message);
			this.#isPutOff = true;
			return FAILED;
		}
	}
}

function breathBefore(request: Request): number {
	const { kind } = request;
	const isLater = kind === "messages" && request.page !== null;
	return isLater || kind === "storedMessages" || kind === "message"
		? BREATH_MS
		: 0;
}
