/**
 * OpenCode 1 and OpenCode 2 on one home: what is deleted or taken back on one of them is erased, whatever the other
 * goes on having; and what is said on the other afterwards is recorded.
 */

import { expect, test } from "bun:test";
import { House } from "./takeover/house.ts";
import { type Kept, Sessions, turn } from "./takeover/undone.ts";

const DELETED_ON_2 = "Deleted on the new one";
const DELETED_ON_1 = "Deleted on the old one";
const GONE_ON = "Deleted on the old one, and gone on with on the new one";
const COMMITTED = "Taken back on the new one";
const CLEARED = "Staged on the new one, and cleared";
const SAID_ELSE = "Staged on the new one, and something else is said";
const REVERTED = "Taken back on the old one";
const ALL = [
	...[DELETED_ON_2, DELETED_ON_1],
	...[COMMITTED, CLEARED, SAID_ELSE, REVERTED],
];

test(
	"what is undone on one of two releases is undone, and no more than that",
	() =>
		House.open("both", async (house) => {
			const sessions = new Sessions(house);
			const both = (title: string): string[] => [
				...turn("first", title),
				...turn("second", title),
			];
			const alive = (title: string, words: string[], steps = 2): Kept => {
				return { title, isDeleted: false, words, steps };
			};
			const gone: Kept = { title: null, isDeleted: true, words: [], steps: 2 };
			const expected = new Map<string, Kept>();
			const expectAll = async (): Promise<void> => {
				for (const [title, kept] of expected)
					await sessions.becomes(title, kept);
			};

			const one = await house.serveOne();
			for (const title of ALL) {
				await sessions.begin(one.api, title, ["first", "second"]);
				expected.set(title, alive(title, both(title)));
			}
			// OpenCode 1 deletes the count of a session's events with it, which both have: of a longer one
			// OpenCode 2 gives places again that are taken, and its next prompt never begins.
			await sessions.begin(one.api, GONE_ON, ["first"]);
			expected.set(GONE_ON, alive(GONE_ON, turn("first", GONE_ON), 1));
			await expectAll();
			await house.stop(one);

			// All of them are taken over; one is gone on with at once, which starts the plugin.
			const two = await house.serveTwo();
			await sessions.prompt(two.api, COMMITTED, "third");
			await two.api.remove(sessions.id(DELETED_ON_2));
			expected.set(DELETED_ON_2, gone);
			await sessions.stage(two.api, COMMITTED);
			await two.api.commitRevert(sessions.id(COMMITTED));
			const first = turn("first", COMMITTED);
			expected.set(COMMITTED, alive(COMMITTED, first, 3));
			await sessions.stage(two.api, CLEARED);
			await two.api.clearRevert(sessions.id(CLEARED));
			await sessions.stage(two.api, SAID_ELSE);
			await expectAll();
			await sessions.prompt(two.api, SAID_ELSE, "other");
			expected.set(
				SAID_ELSE,
				alive(
					SAID_ELSE,
					[...turn("first", SAID_ELSE), ...turn("other", SAID_ELSE)],
					3,
				),
			);
			await expectAll();
			await house.stop(two);

			// OpenCode 1 still has all of it, and is asked for all of it.
			const back = await house.serveOne();
			expect(await sessions.has(back.api, DELETED_ON_2)).toBe(true);
			await sessions.prompt(back.api, REVERTED, "third");
			await sessions.revert(back.api, REVERTED);
			await sessions.prompt(back.api, REVERTED, "other");
			const since = [...turn("first", REVERTED), ...turn("other", REVERTED)];
			expected.set(REVERTED, alive(REVERTED, since, 4));
			for (const title of [DELETED_ON_1, GONE_ON]) {
				await back.api.remove(sessions.id(title));
				expected.set(title, gone);
			}
			expected.set(GONE_ON, { ...gone, steps: 1 });
			await expectAll();
			await house.stop(back);

			// And so has OpenCode 2 what was undone on the other.
			const again = await house.serveTwo();
			expect(await sessions.has(again.api, DELETED_ON_1)).toBe(true);
			for (const title of [GONE_ON, REVERTED])
				await sessions.prompt(again.api, title, "last");
			expected.set(GONE_ON, alive(GONE_ON, turn("last", GONE_ON), 2));
			expected.set(
				REVERTED,
				alive(REVERTED, [...since, ...turn("last", REVERTED)], 5),
			);
			await expectAll();
			await house.stop(again);

			// Neither a last look nor an import brings anything back.
			const last = await house.serveOne();
			await sessions.prompt(last.api, CLEARED, "last");
			const words = [...both(CLEARED), ...turn("last", CLEARED)];
			expected.set(CLEARED, alive(CLEARED, words, 3));
			await expectAll();
			await house.stop(last);
			house.import(house.database);
			await expectAll();
		}),
	600_000,
);
