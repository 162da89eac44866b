/**
 * A session's messages, as OpenCode 1.x answers with them: page by page from the
 * newest back where the release has pages (1.3.2 to 1.18.34: a `limit`, and the
 * name of the next page in `X-Next-Cursor`), and otherwise all of them at once.
 * OpenCode reads, writes out and reads in each page on the thread that everything
 * else waits for, so that a page is kept small in what it weighs.
 */

/** What a page weighs about, in characters; one message may weigh more. */
const PAGE_WEIGHT = 256 * 1024;

/** How many messages the first page has, of which nobody knows what they weigh. */
const FIRST_LIMIT = 4;

/** How many a page has at most. */
const MOST = 100;

/** How many times as many as the page before: the messages before it may weigh more. */
const GROWTH = 4;

/** What begins the name of a page that OpenCode gave. */
const NAMED = "cursor:";

/** What begins the name of one that is made here; how many messages are left follows, since no two pages have one name. */
const REST = "rest:";

/** What OpenCode's client answers with. */
export interface Messages {
	readonly data?: unknown;
	readonly response?: {
		readonly headers?: { get?(name: string): string | null };
	};
}

/** What is asked of it: all of them, or so many before that one. */
export interface PageQuery {
	readonly limit?: number;
	readonly before?: string;
}

/** A page, as a request `messages` is answered. */
export interface MessagePage {
	readonly items: readonly unknown[];
	readonly next: string | null;
}

/** The pages of one host's sessions, one session at a time. */
export class MessagePages {
	/** Whether the release has pages, once that is known. */
	#hasPages: boolean | undefined;
	#limit = FIRST_LIMIT;
	/** All that was answered at once, of which pages are made here. */
	#rest: readonly unknown[] = [];

	/** The first page, or the one of this name; nothing where OpenCode does not answer with messages. */
	async page(
		page: string | null,
		ask: (query: PageQuery) => Promise<Messages | undefined>,
	): Promise<MessagePage | undefined> {
		if (page?.startsWith(REST)) return this.#slice(this.#rest);
		if (page !== null)
			return this.#asked(await ask(this.#query(page.slice(NAMED.length))));
		this.#limit = FIRST_LIMIT;
		if (this.#hasPages !== false) {
			const first = await this.#asked(await ask(this.#query()));
			const isAll = first?.next !== null || first.items.length !== FIRST_LIMIT;
			if (isAll || this.#hasPages) return first;
		}
		const all = itemsOf(await ask({}));
		// More than were asked for, and no name for the rest: it has no pages.
		if (all !== undefined && all.length > FIRST_LIMIT) this.#hasPages = false;
		return all && this.#slice(all);
	}

	#query(before?: string): PageQuery {
		const limit = this.#limit;
		return before === undefined ? { limit } : { limit, before };
	}

	#asked(answer: Messages | undefined): MessagePage | undefined {
		const items = itemsOf(answer);
		if (items === undefined) return undefined;
		const cursor = answer?.response?.headers?.get?.("x-next-cursor");
		if (cursor) this.#hasPages = true;
		// One that knows no limit answers with all of them.
		if (items.length > this.#limit) return this.#slice(items);
		this.#grow(items);
		return { items, next: cursor ? `${NAMED}${cursor}` : null };
	}

	/** A page of what was answered at once. */
	#slice(all: readonly unknown[]): MessagePage {
		const items = all.slice(0, this.#limit);
		this.#rest = all.slice(this.#limit);
		this.#grow(items);
		const left = this.#rest.length;
		return { items, next: left > 0 ? `${REST}${left}` : null };
	}

	/** The next page has as many as would weigh enough, if they are like these. */
	#grow(items: readonly unknown[]): void {
		const each = weightOf(items) / Math.max(items.length, 1);
		const fitting = Math.floor(PAGE_WEIGHT / Math.max(each, 1));
		const most = Math.min(MOST, this.#limit * GROWTH);
		this.#limit = Math.max(1, Math.min(fitting, most));
	}
}

function itemsOf(answer: Messages | undefined): unknown[] | undefined {
	return Array.isArray(answer?.data) ? answer.data : undefined;
}

/** About how many characters a document has: those of its texts, and a few for everything else. */
function weightOf(document: unknown): number {
	let weight = 0;
	const left = [document];
	while (left.length > 0) {
		const one = left.pop();
		weight += typeof one === "string" ? one.length : 8;
		if (typeof one === "object" && one !== null)
			for (const inner of Object.values(one)) left.push(inner);
	}
	return weight;
}
