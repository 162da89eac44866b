import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
	MessagePages,
	type Messages,
	type PageQuery,
} from "../../src/hosts/message-pages.ts";
import { pageOf } from "../support/pages.ts";

/** So many messages, each with a text of this length. */
function messages(count: number, length = 10) {
	return Array.from({ length: count }, (_, at) => ({
		info: { id: `msg_${String(at).padStart(4, "0")}` },
		parts: [{ type: "text", text: "x".repeat(length) }],
	}));
}

type All = ReturnType<typeof messages>;

/** The pages of a session, and what was asked for them. */
async function read(
	pages: MessagePages,
	answer: (query: PageQuery) => Messages | undefined,
) {
	const asked: PageQuery[] = [];
	const sizes: number[] = [];
	const ids: string[] = [];
	const names = new Set<string | null>();
	let page: string | null = null;
	do {
		// Catch-up takes a name that comes again for a circle.
		assert.ok(!names.has(page));
		names.add(page);
		const found = await pages.page(page, async (query) => {
			asked.push(query);
			return answer(query);
		});
		assert.ok(found);
		sizes.push(found.items.length);
		ids.push(...(found.items as All).map(({ info }) => info.id));
		page = found.next;
	} while (page !== null);
	return { asked, sizes, ids: ids.sort() };
}

const ids = (all: All): string[] => all.map(({ info }) => info.id);

describe("a session's messages", () => {
	it("come by pages that grow with what fits into one", async () => {
		const all = messages(300);
		const pages = new MessagePages();
		const found = await read(pages, (query) => pageOf(all, query));
		assert.deepEqual(found.ids, ids(all));
		assert.deepEqual(found.sizes, [4, 16, 64, 100, 100, 16]);
		assert.equal(found.asked.length, found.sizes.length);
	});

	it("come one by one where they are long", async () => {
		const all = messages(20, 400_000);
		const found = await read(new MessagePages(), (query) => pageOf(all, query));
		assert.deepEqual(found.ids, ids(all));
		assert.deepEqual(found.sizes, [4, ...Array(16).fill(1)]);
	});

	it("are asked for once more by a release of which nobody knows whether it has pages", async () => {
		const four = messages(4);
		const pages = new MessagePages();
		const doubtful = await read(pages, (query) => pageOf(four, query));
		assert.deepEqual(doubtful.ids, ids(four));
		assert.deepEqual(doubtful.asked, [{ limit: 4 }, {}]);
		await read(pages, (query) => pageOf(messages(5), query));
		const sure = await read(pages, (query) => pageOf(four, query));
		assert.deepEqual(sure.ids, ids(four));
		assert.deepEqual(sure.asked, [{ limit: 4 }]);
	});

	it("are all asked for, once that is known, where a release has a limit and no pages", async () => {
		const all = messages(30);
		const pages = new MessagePages();
		const unpaged = ({ limit }: PageQuery): Messages => ({
			data: limit === undefined ? all : all.slice(-limit),
		});
		const first = await read(pages, unpaged);
		assert.deepEqual(first.ids, ids(all));
		assert.deepEqual(first.asked, [{ limit: 4 }, {}]);
		const second = await read(pages, unpaged);
		assert.deepEqual(second.ids, ids(all));
		assert.deepEqual(second.asked, [{}]);
		assert.ok(second.sizes.length > 1);
	});

	it("are taken as they come where a release knows no limit", async () => {
		const all = messages(30);
		const found = await read(new MessagePages(), () => ({ data: all }));
		assert.deepEqual(found.ids, ids(all));
		assert.deepEqual(found.asked, [{ limit: 4 }]);
	});

	it("are none where OpenCode does not answer with messages", async () => {
		const refused = { data: undefined, response: {} };
		for (const answer of [undefined, refused, { data: "no" }])
			assert.equal(
				await new MessagePages().page(null, async () => answer),
				undefined,
			);
	});

	it("of an empty session are none", async () => {
		const found = await read(new MessagePages(), (query) => pageOf([], query));
		assert.deepEqual(found, { asked: [{ limit: 4 }], sizes: [0], ids: [] });
	});
});
