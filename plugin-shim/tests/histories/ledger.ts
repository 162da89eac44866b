/**
 * What clankers.db has to hold, kept beside it: every word that was in it once
 * and that no deletion event named, and what the events named. Held against
 * the database itself, so that a history knows when a word is lost.
 */
import { query, type Row } from "../support/query.ts";
import type { OpenCodeEvent } from "./opencode.ts";
import type { Message, Part, Session } from "./store.ts";
import { wordsIn } from "./words.ts";

/** A row with the words in it. */
interface Held {
	readonly session: string;
	readonly message: string | undefined;
	readonly words: Set<string>;
}

/** What goes with the database when it is replaced by a copy of it. */
interface Lineage {
	/** By row: `session ID` for a title, `part ID` for a text or a tool call. */
	readonly held: Map<string, Held>;
	/** What was named as deleted, `session ID`, `message ID` or `part ID`, and by which stores. */
	readonly deletions: Map<string, Set<string>>;
	/** By message: what the usage ledger says that it took. A step's row takes the place of its message's. */
	readonly usage: Map<string, number[]>;
}

/** A store, as the plugin tells it from others, and what it holds. */
export interface Holder {
	readonly storeId: string;
	readonly sessions: readonly Session[];
}

/** What is in the database now. */
interface Scan {
	readonly rows: Map<string, Held>;
	/** By entity: whether it is deleted or missing. */
	readonly marks: Map<string, { deleted: boolean; missing: boolean }>;
	readonly usage: Map<string, number[]>;
	/** By message: its session. */
	readonly sessions: Map<string, string>;
}

/** Begins what a process is called that told a deletion before it knew which store that was. Until it does, no store undoes it. */
const NOBODY = "no known store";

export class Ledger {
	/** What went wrong, in the order in which it was found. */
	readonly faults: string[] = [];
	/** How often what happened, to see that a test has tested something. */
	readonly counts = { held: 0, named: 0, missing: 0, revived: 0 };
	readonly #path: string;
	#lineage: Lineage = {
		held: new Map(),
		deletions: new Map(),
		usage: new Map(),
	};
	/** Deletions that the store may undo that told them, since it has the row again. */
	readonly #uncertain = new Set<string>();
	/** The titles that a session has had in any store, and from when to when. */
	readonly #titles = new Map<
		string,
		Map<string, { first: number; last: number }>
	>();
	/** Which stores a session was in while a plugin listened there. */
	readonly #keepers = new Map<string, Set<string>>();
	#missing = new Set<string>();
	/** The stores that were listened to lately. */
	readonly #listening = new Set<string>();
	/** Sessions that changed in a way that no plugin can know of. */
	readonly #unheard = new Set<string>();
	/** Messages and parts that were removed while nobody listened: the list of sessions does not show that one is back. */
	readonly #unlisted = new Set<string>();
	#nobodies = 0;
	/** What the plugin calls the stores. */
	readonly #ids = new Map<string, string>();

	constructor(path: string) {
		this.#path = path;
	}

	/** A plugin begins to listen to a store: what the store deleted and holds may come back. */
	listening({ storeId, sessions }: Holder): void {
		this.#listening.add(storeId);
		for (const session of sessions) {
			this.#keep(session.info.id, storeId);
			for (const entity of entitiesOf(session)) this.#doubt(entity, storeId);
		}
	}

	/** A plugin tells a store from others: the same one by the same id, another by another. */
	isTold(storeId: string, found: string | undefined): void {
		for (const [known, id] of this.#ids)
			if ((known === storeId) !== (id === found))
				this.#fault(`${storeId} is told as ${found}, ${known} as ${id}`);
		if (found === undefined) this.#fault(`${storeId} is not told from others`);
		else this.#ids.set(storeId, found);
	}

	/** A session was changed by a process that no plugin listens to, beside one that has a plugin. */
	unheard(session: string): void {
		this.#unheard.add(session);
	}

	/** A message or a part is removed while nobody listens. */
	unlisted(entity: string): void {
		this.#unlisted.add(entity);
	}

	/** A title that a store holds. */
	noteTitle(session: string, title: string, at: number): void {
		const titles = this.#titles.get(session) ?? new Map();
		this.#titles.set(session, titles);
		const known = titles.get(title);
		titles.set(title, {
			first: known?.first ?? at,
			last: Math.max(known?.last ?? at, at),
		});
	}

	/** What a process without a known store is called. */
	nobody(): string {
		this.#nobodies += 1;
		return `${NOBODY}, ${this.#nobodies}`;
	}

	/** A process learns for the first time which store it listens to: what it has named was deleted there. */
	isKnown(nobody: string, storeId: string): void {
		for (const by of this.#lineage.deletions.values())
			if (by.delete(nobody)) by.add(storeId);
	}

	/** A plugin is about to hear an event. What it names is to go, `by` its store or, just started, by nobody that is known. */
	hears(
		{ type, properties }: OpenCodeEvent,
		storeId: string,
		by: string,
	): void {
		const { sessionID, messageID, partID, part, info } = properties;
		if (type === "session.deleted") this.#name(`session ${sessionID}`, by);
		else if (type === "message.removed") this.#name(`message ${messageID}`, by);
		else if (type === "message.part.removed") this.#name(`part ${partID}`, by);
		else {
			this.#keep(sessionID, storeId);
			this.#doubt(`session ${sessionID}`, storeId);
			this.#doubt(`message ${part?.messageID ?? info?.id}`, storeId);
		}
	}

	/** What an event told, as the row it becomes. Nothing where it tells no word. */
	static told({
		type,
		properties: { part, info, sessionID },
	}: OpenCodeEvent): [key: string, held: Held] | undefined {
		if (type === "message.part.updated" && part !== undefined)
			return [`part ${part.id}`, heldOf(part)];
		const title =
			info !== undefined && "title" in info ? info.title : undefined;
		const isTitle = type === "session.created" || type === "session.updated";
		if (!isTitle) return undefined;
		const words = new Set(wordsIn(title));
		return [
			`session ${sessionID}`,
			{ session: sessionID, message: undefined, words },
		];
	}

	/** Looks whether all is there that has to be, and notes what has come. */
	look(): void {
		const scan = this.#scan();
		for (const [key, held] of this.#lineage.held)
			this.#compare(key, held.words, scan.rows.get(key)?.words);
		for (const entity of this.#lineage.deletions.keys())
			if (!this.#uncertain.has(entity)) this.#checkDeleted(entity, scan);
		this.#checkUsage(scan.usage);
		for (const [key, found] of scan.rows) {
			if (this.#isNamed(key, found)) continue;
			const words = key.startsWith("session ")
				? found.words
				: new Set([
						...(this.#lineage.held.get(key)?.words ?? []),
						...found.words,
					]);
			this.#lineage.held.set(key, { ...found, words });
		}
		this.counts.held = Math.max(this.counts.held, this.#lineage.held.size);
	}

	/** What events told has to be there, unless another named it; it is told off then. */
	stored(told: Map<string, Held>): void {
		const { rows } = this.#scan();
		for (const [key, held] of told)
			if (!this.#isNamed(key, held))
				this.#compare(key, held.words, rows.get(key)?.words);
		told.clear();
	}

	/** Looks, when all has come to rest: nothing is missing that no store which was listened to ever had. These still are. */
	settled(listening: readonly string[]): void {
		const scan = this.#scan();
		for (const entity of this.#uncertain) {
			if (scan.marks.get(entity)?.deleted !== false) continue;
			this.#uncertain.delete(entity);
			this.#isAliveAgain(entity, scan);
			this.counts.revived += 1;
		}
		const missing = new Set<string>();
		for (const [entity, mark] of scan.marks) {
			if (!mark.missing) continue;
			missing.add(entity);
			if (this.#missing.has(entity) || !entity.startsWith("session ")) continue;
			this.counts.missing += 1;
			const keepers = this.#keepers.get(entity.slice("session ".length));
			if (![...this.#listening].some((storeId) => keepers?.has(storeId)))
				this.#fault(`${entity} is missing, says a store that never had it`);
		}
		this.#missing = missing;
		this.#listening.clear();
		for (const storeId of listening) this.#listening.add(storeId);
		this.look();
	}

	/**
	 * A deletion is over. The messages of a session are alive again one by one,
	 * as its store answers with them; whoever is killed before that leaves them
	 * deleted, and no other store undoes it.
	 */
	#isAliveAgain(entity: string, scan: Scan): void {
		const { deletions } = this.#lineage;
		const by = deletions.get(entity);
		deletions.delete(entity);
		for (const [message, session] of scan.sessions)
			if (
				by !== undefined &&
				`session ${session}` === entity &&
				scan.marks.get(message)?.deleted &&
				!deletions.has(message)
			)
				deletions.set(message, new Set(by));
	}

	/** Everything that a store answers with is alive, once it was asked for all it has. */
	answered({ storeId, sessions }: Holder): void {
		const scan = this.#scan();
		for (const { info, messages } of sessions) {
			if (!this.#checkAlive(`session ${info.id}`, storeId, scan)) continue;
			const title = new Set(wordsIn(info.title));
			const key = `session ${info.id}`;
			this.#compare(key, title, scan.rows.get(key)?.words);
			if (this.#unheard.has(info.id)) continue;
			for (const message of messages)
				this.#checkMessage(message, storeId, scan);
		}
		this.look();
	}

	/** Remembers what the database holds now, for when this copy of it is put back. */
	snapshot(): () => void {
		this.look();
		const copy = structuredClone(this.#lineage);
		return () => {
			this.#lineage = structuredClone(copy);
			this.#uncertain.clear();
			this.#missing = new Set(this.#missingNow());
			this.look();
		};
	}

	#missingNow(): string[] {
		const marks = [...this.#scan().marks];
		return marks.filter(([, mark]) => mark.missing).map(([entity]) => entity);
	}

	#checkMessage({ info, parts }: Message, storeId: string, scan: Scan): void {
		// The list of sessions does not show that a removed message is back, so
		// nobody asks for it; where it is asked for, it comes.
		const entity = `message ${info.id}`;
		if (this.#isUnlisted(entity)) return;
		if (!this.#checkAlive(entity, storeId, scan)) return;
		for (const part of parts) {
			const key = `part ${part.id}`;
			// Nor a removed part.
			if (this.#isUnlisted(key)) continue;
			const { words } = heldOf(part);
			if (words.size === 0) continue;
			if (part.type === "tool") this.#checkAlive(key, storeId, scan);
			this.#compare(key, words, scan.rows.get(key)?.words);
		}
	}

	#isUnlisted(entity: string): boolean {
		return this.#lineage.deletions.has(entity) || this.#unlisted.has(entity);
	}

	/** Whether the entity is to be there with all that belongs to it. */
	#checkAlive(entity: string, storeId: string, scan: Scan): boolean {
		const by = this.#lineage.deletions.get(entity);
		if (by !== undefined && !(by.size === 1 && by.has(storeId))) return false;
		const mark = scan.marks.get(entity);
		if (mark === undefined) this.#fault(`${entity} is answered and not stored`);
		else if (mark.deleted) this.#fault(`${entity} is answered and deleted`);
		else if (mark.missing) this.#fault(`${entity} is answered and missing`);
		return mark !== undefined;
	}

	#checkDeleted(entity: string, scan: Scan): void {
		if (scan.marks.get(entity)?.deleted === false)
			this.#fault(`${entity} was deleted and is back`);
		for (const [key, { session, message, words }] of scan.rows)
			if (
				words.size > 0 &&
				[`session ${session}`, `message ${message}`, key].includes(entity)
			)
				this.#fault(
					`${entity} was deleted, and ${key} says ${[...words].join(" ")}`,
				);
	}

	/** Whether all words are in a row; a title may have given way to a later one. */
	#compare(
		key: string,
		words: ReadonlySet<string>,
		found: ReadonlySet<string> | undefined,
	): void {
		const lost = [...words].filter((word) => !found?.has(word));
		if (lost.length === 0 || this.#isRenamed(key, words, found)) return;
		this.#fault(`${key} has lost ${lost.join(" ")}`);
	}

	#isRenamed(
		key: string,
		words: ReadonlySet<string>,
		found: ReadonlySet<string> | undefined,
	): boolean {
		const titles = [...(this.#titles.get(key.replace("session ", "")) ?? [])];
		const of = (some: ReadonlySet<string> | undefined) =>
			titles.find(
				([title]) => [...(some ?? [])].join() === wordsIn(title).join(),
			)?.[1];
		const [before, now] = [of(words), of(found)];
		return (
			before !== undefined && now !== undefined && now.last >= before.first
		);
	}

	#checkUsage(usage: Scan["usage"]): void {
		for (const [id, numbers] of this.#lineage.usage) {
			const found = usage.get(id);
			if (
				found === undefined ||
				numbers.some((number, at) => number > (found[at] ?? 0))
			)
				this.#fault(
					`the ledger's ${id} was ${numbers} and is ${found ?? "gone"}`,
				);
		}
		for (const [id, numbers] of usage) this.#lineage.usage.set(id, numbers);
	}

	#name(entity: string, storeId: string): void {
		this.counts.named += 1;
		this.#uncertain.delete(entity);
		const { deletions, held } = this.#lineage;
		deletions.set(entity, (deletions.get(entity) ?? new Set()).add(storeId));
		for (const [key, row] of held)
			if (this.#isNamed(key, row)) held.delete(key);
	}

	/**
	 * The store that deleted it tells of it, or another of a session, which may be gone on with there: whether that
	 * undoes the deletion is seen in the database.
	 */
	#doubt(entity: string, storeId: string): void {
		const by = [...(this.#lineage.deletions.get(entity) ?? [])];
		const isKnown = by.some((store) => !store.startsWith(NOBODY));
		if (by.includes(storeId) || (entity.startsWith("session ") && isKnown))
			this.#uncertain.add(entity);
	}

	#keep(session: string, storeId: string): void {
		this.#keepers.set(
			session,
			(this.#keepers.get(session) ?? new Set()).add(storeId),
		);
	}

	#isNamed(key: string, { session, message }: Held): boolean {
		const { deletions } = this.#lineage;
		return [`session ${session}`, `message ${message}`, key].some((entity) =>
			deletions.has(entity),
		);
	}

	#fault(fault: string): void {
		if (!this.faults.includes(fault)) this.faults.push(fault);
	}

	#scan(): Scan {
		const scan: Scan = {
			rows: new Map(),
			marks: new Map(),
			usage: new Map(),
			sessions: new Map(),
		};
		const mark = (entity: string, row: Row): void => {
			const isSet = (column: string): boolean => (row[column] ?? null) !== null;
			scan.marks.set(entity, {
				deleted: isSet("deleted_at"),
				missing: isSet("missing_since"),
			});
		};
		const part = (row: Row, columns: readonly string[]): void => {
			const words = new Set(columns.flatMap((column) => wordsIn(row[column])));
			const [session, message] = [
				String(row["session_id"]),
				String(row["message_id"]),
			];
			scan.rows.set(`part ${row["id"]}`, { session, message, words });
		};
		for (const row of query(this.#path, "SELECT * FROM sessions")) {
			const session = String(row["id"]);
			mark(`session ${session}`, row);
			const words = new Set(wordsIn(row["title"]));
			scan.rows.set(`session ${session}`, {
				session,
				message: undefined,
				words,
			});
		}
		for (const row of query(this.#path, "SELECT * FROM messages")) {
			mark(`message ${row["id"]}`, row);
			scan.sessions.set(`message ${row["id"]}`, String(row["session_id"]));
		}
		for (const row of query(this.#path, "SELECT * FROM parts")) {
			mark(`part ${row["id"]}`, row);
			part(row, ["text"]);
		}
		for (const row of query(this.#path, "SELECT * FROM tool_calls")) {
			mark(`part ${row["id"]}`, row);
			part(row, ["title", "input", "output", "error"]);
		}
		const sums =
			"sum(prompt_tokens) AS prompt, sum(completion_tokens) AS completion, sum(cost) AS cost";
		for (const row of query(
			this.#path,
			`SELECT message_id, ${sums} FROM usage GROUP BY message_id`,
		))
			scan.usage.set(
				String(row["message_id"]),
				[row["prompt"], row["completion"], row["cost"]].map(Number),
			);
		return scan;
	}
}

function entitiesOf({ info, messages }: Session): string[] {
	const ofMessage = (message: Message): string[] => [
		`message ${message.info.id}`,
		...message.parts.map(({ id }) => `part ${id}`),
	];
	return [`session ${info.id}`, ...messages.flatMap(ofMessage)];
}

function heldOf(part: Part): Held {
	const { text, state } = part as { text?: unknown; state?: ToolState };
	const texts = [
		text,
		JSON.stringify(state?.input ?? {}),
		state?.output,
		state?.title,
		state?.error,
	];
	const words = new Set(texts.flatMap(wordsIn));
	return { session: part.sessionID, message: part.messageID, words };
}

interface ToolState {
	readonly input?: unknown;
	readonly output?: unknown;
	readonly title?: unknown;
	readonly error?: unknown;
}

export type { Held };
