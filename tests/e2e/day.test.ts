/** A day of a served OpenCode 2: every kind of conversation in one home, and one check of all that is stored. */

import { expect, test } from "bun:test";
import { copyFileSync } from "node:fs";
import type { Charge } from "./harness/model.ts";
import { pluginByFolder } from "./harness/plugin.ts";
import { dropTriggers, withDatabase } from "./mirror/database.ts";
import { expectedRows2 } from "./mirror2/expected.ts";
import {
	addRejection,
	addTodo,
	oneOfEach,
	openToSpoil,
	plant,
	spoilable,
	take,
} from "./mirror2/faults.ts";
import { TABLES } from "./mirror2/tables.ts";
import type { Truth2 } from "./mirror2/truth.ts";
import { checkMirror2 } from "./mirror2.ts";
import { homeForAll, nameOf, planDay, playHour } from "./opencode2/day.ts";
import { expectMirrored, RULES } from "./opencode2/mirrored.ts";
import { inWorld2, type World2 } from "./opencode2/world.ts";

const SEED = Number(process.env.E2E_DAY_SEED ?? 1);
/** How many scenarios, or `all`: what `make long` plays, on days of other seeds. */
const MANY = process.env.E2E_DAY_SCENARIOS ?? "18";

/** What the day must at least have compared. */
const CHECKS = 2500;
/** An answer whose reason to stop OpenCode does not know: the provider says what it cost, and OpenCode keeps none of it. */
const DROPPED: readonly string[] = ["Odd it is"];

test(`the day of E2E_DAY_SEED=${SEED} is mirrored, and its ledger is the provider's bill`, async () => {
	const options = { ...homeForAll(), plugins: [pluginByFolder()] };
	await inWorld2(options, async (world) => {
		const plan = planDay(SEED, MANY === "all" ? undefined : Number(MANY));
		for (const hour of plan)
			await playHour(world, hour).catch((cause) => {
				throw new Error(`${nameOf(hour)} failed`, { cause });
			});
		const report = await expectMirrored(world, CHECKS);
		console.log(
			`day ${SEED}: ${plan.map(nameOf).join(", ")}\n` +
				`${report.checks} checks, no difference`,
		);
		compareWithBill(world);
		const { api, database, told, witness } = world;
		findsFaults(database, { ...(await witness.answers(api)), told });
	});
}, 900_000);

/** The ledger's sum is what the provider told; what no stream told is named. */
function compareWithBill({ model, database }: World2): void {
	const isLost = ({ words, isTold }: Charge): boolean =>
		!isTold || DROPPED.includes(words);
	const lost = model.charges.filter(isLost);
	const billed = sum(model.charges) - sum(lost);
	const ledger = withDatabase(
		database,
		(open) =>
			open
				.query<{ cost: number }, []>(
					"SELECT sum(cost) AS cost FROM usage WHERE NOT inherited",
				)
				.get()?.cost,
	);
	const names = lost.map(({ words }) => JSON.stringify(words));
	console.log(
		`$${billed.toFixed(6)} told, $${ledger?.toFixed(6)} in the ledger; ` +
			`$${sum(lost).toFixed(6)} never told, of ${names.join(", ")}`,
	);
	expect(ledger).toBeCloseTo(billed, 9);
	expect(billed).toBeGreaterThan(0.1);
	expect(lost.length).toBeGreaterThan(0);
}

function sum(charges: readonly Charge[]): number {
	return charges.reduce((total, { cost }) => total + cost, 0);
}

/** A wrong value in any column, a row too few and a row too many are found in every table of the day. */
function findsFaults(database: string, truth: Truth2): void {
	const clean = `${database}.clean`;
	withDatabase(database, (open) => open.query("VACUUM INTO ?").run(clean));
	const opened = openToSpoil(clean);
	dropTriggers(opened);
	opened.close();
	expect(checkMirror2(clean, truth, RULES).differences).toEqual([]);
	const rows = oneOfEach(expectedRows2(truth, RULES));
	const left = Object.keys(TABLES).filter((table) => !rows.has(table));
	expect(left.sort()).toEqual(["rejections", "todos"]);
	const faults = [...rows.values()].flatMap((row) => [
		...spoilable(row).map((column) => ({
			place: `${row.table} ${column}`,
			plant: (path: string) => plant(path, row, column),
		})),
		{
			place: `${row.table} (row)`,
			plant: (path: string) => take(path, row),
		},
	]);
	faults.push(
		{ place: "todos (row)", plant: addTodo },
		{ place: "rejections (row)", plant: addRejection },
	);
	const spoilt = `${database}.spoilt`;
	for (const { place, plant } of faults) {
		copyFileSync(clean, spoilt);
		plant(spoilt);
		const { differences } = checkMirror2(spoilt, truth, RULES);
		const places = differences.map(({ table, column }) => `${table} ${column}`);
		expect(places).toEqual([place]);
	}
	console.log(`${faults.length} planted faults, each found`);
}
