/**
 * OpenCode 1 and OpenCode 2 on one home, in turn and at once: each message, part, tool call and step is stored once,
 * whoever tells it.
 */

import { expect, test } from "bun:test";
import { describeReport } from "./mirror.ts";
import { LAST_WORDS, WHOLE, wentBack } from "./takeover/history.ts";
import { House, type Recorded } from "./takeover/house.ts";
import { checkRows, differences, spentIn } from "./takeover/rows.ts";
import { type Truth, truthOf } from "./takeover/truth.ts";

/** Where the plugin is: at first, and from OpenCode 1's coming back on. */
interface Course {
	readonly first: Recorded;
	readonly later: Recorded;
}

const BOTH: Course = { first: "both", later: "both" };
/** Each is a day of both releases: all of them where the environment says so. */
const COURSES: readonly Course[] =
	process.env.E2E_SCENARIO === "all"
		? [
				{ first: "1.x", later: "1.x" },
				{ first: "2.x", later: "2.x" },
				{ first: "2.x", later: "both" },
				BOTH,
			]
		: [BOTH];

test.each(COURSES)(
	"a home that goes back and forth, the plugin on $first, then on $later: events, catch-up and imports make the same rows",
	async ({ first, later }) => {
		await House.open(first, async (house) => {
			const { database } = house;
			const [each, last] = [house.path("each.db"), house.path("last.db")];
			for (const phase of WHOLE) {
				if (phase === wentBack) house.moveTo(later);
				await phase(house);
				house.import(each);
			}
			const truth = await truthOf(house);
			house.import(last);
			if (later === "both") expectEveryRow(database, truth);
			house.import(database);
			for (const path of [each, last, database]) expectEveryRow(path, truth);
			expect(differences(last, each)).toEqual([]);
			// Of what was said by whoever was killed, only those know who heard it.
			expect(differences(last, database).map(withoutId).sort()).toEqual(
				first === "2.x" ? [] : [...HEARD_ALONE],
			);

			// What was taken back before anybody asked is in no answer; whoever was told of it knows what it cost.
			const { bill } = house.model;
			expect(truth.cost).toBeLessThan(bill);
			expect(spentIn(last)).toBeCloseTo(truth.cost, 9);
			expect(spentIn(each)).toBeCloseTo(truth.cost, 9);
			const heard = first === "2.x" ? truth.cost : bill;
			expect(spentIn(database)).toBeCloseTo(heard, 9);
		});
	},
	600_000,
);

/** The differences that a killed OpenCode 1 leaves. */
const HEARD_ALONE: readonly string[] = [
	`messages text_content: , ${LAST_WORDS}`,
	`parts text: , ${LAST_WORDS}`,
];

function withoutId(difference: string): string {
	return difference.replace(/ (msg|prt)_\w+/, "");
}

function expectEveryRow(database: string, truth: Truth): void {
	const report = checkRows(database, truth);
	expect(describeReport(report)).toBe(
		`${report.checks} of ${report.checks} checks held`,
	);
}
