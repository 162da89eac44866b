/** The mirror check on a served session, and that it sees what it should see. */

import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PINNED_RELEASE } from "./harness/releases.ts";
import { inWorld } from "./harness/world.ts";
import type { Report } from "./mirror/compare.ts";
import { TABLES, withDatabase } from "./mirror/database.ts";
import { expectedRows, type Rules } from "./mirror/expected.ts";
import type { Truth } from "./mirror/truth.ts";
import { checkMirror, describeReport, settledMirror } from "./mirror.ts";
import { unauthorized } from "./scenario/failures.ts";
import { SERVED } from "./scenario/index.ts";
import { openStage, play } from "./scenario/play.ts";
import { permission, todos } from "./scenario/turns.ts";

const RULES: Rules = { release: PINNED_RELEASE, tombstones: "all" };
const folder = mkdtempSync(join(tmpdir(), "clankers-mirror-"));
const undamaged = join(folder, "undamaged.db");
let truth: Truth;
let served: Report;

beforeAll(async () => {
	await inWorld({}, async ({ home, model, database, serve }) => {
		const server = await serve();
		const stage = await openStage(home, model, server);
		for (const step of [...SERVED, todos, permission, unauthorized]) {
			const { result, detail } = await play(stage, step);
			if (result !== "done") throw new Error(`${step.name}: ${detail}`);
		}
		const projects = [stage.api, stage.elsewhere];
		served = await settledMirror(database, stage.witness, projects, RULES);
		truth = await stage.witness.truth(...projects);
		new Database(database).run(`VACUUM INTO '${undamaged}'`);
	});
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a served session is mirrored, whatever is done to it", () => {
	expect(describeReport(served)).toBe(
		`${served.checks} of ${served.checks} checks held`,
	);
	const { rejections: _, ...mirrored } = TABLES;
	for (const table of Object.keys(mirrored))
		expect(served.rows[table]).toBeGreaterThan(0);
});

/** Rows of every kind: each claimed column of each is damaged in turn. */
const SAMPLES: readonly (readonly [table: string, kind: string])[] = [
	["sessions", "parent_id IS NULL AND deleted_at IS NULL"],
	["sessions", "parent_id IS NOT NULL AND deleted_at IS NULL"],
	["sessions", "deleted_at IS NOT NULL"],
	["messages", "role = 'user' AND deleted_at IS NULL"],
	["messages", "role = 'assistant' AND deleted_at IS NULL"],
	["messages", "deleted_at IS NOT NULL"],
	["parts", "type = 'text' AND text IS NOT NULL"],
	["parts", "type = 'reasoning'"],
	["parts", "type = 'step-finish' AND data IS NOT NULL"],
	["tool_calls", "status = 'completed' AND deleted_at IS NULL"],
	["tool_calls", "status = 'error' AND deleted_at IS NULL"],
	["tool_calls", "deleted_at IS NOT NULL"],
	["usage", "true"],
	["todos", "position = 1"],
	["permissions", "reply = 'always'"],
	["session_errors", "name = 'APIError'"],
];

test.each(SAMPLES)("a damaged column is seen: %s where %s", (table, kind) => {
	const id = sampleOf(table, kind);
	const expected = expectedRows(truth, RULES).find(
		(row) => row.table === table && row.id === id,
	);
	const columns = Object.keys(expected?.cells ?? {});
	expect(columns.length).toBeGreaterThan(1);
	for (const column of columns)
		expect(
			blamedAfter(
				`UPDATE ${table} SET ${column} = 'damaged' WHERE ${TABLES[table]} = '${id}'`,
			),
		).toEqual([`${table} ${id} ${column}`]);
});

test.each(SAMPLES)("a missing row is seen: %s where %s", (table, kind) => {
	const id = sampleOf(table, kind);
	expect(
		blamedAfter(`DELETE FROM ${table} WHERE ${TABLES[table]} = '${id}'`),
	).toEqual([`${table} ${id} (row)`]);
});

test.each([
	["sessions", "(id) VALUES ('surplus')", "surplus"],
	[
		"messages",
		"(id, session_id) SELECT 'surplus', min(id) FROM sessions",
		"surplus",
	],
	[
		"parts",
		"(id, message_id) SELECT 'surplus', min(id) FROM messages",
		"surplus",
	],
	[
		"tool_calls",
		"(id, message_id) SELECT 'surplus', min(id) FROM messages",
		"surplus",
	],
	["usage", "(id) VALUES ('surplus')", "surplus"],
	["permissions", "(id) VALUES ('surplus')", "surplus"],
	["todos", "(session_id, position) VALUES ('surplus', 0)", "surplus 0"],
	[
		"session_errors",
		"(id, message_id, name) VALUES ('surplus', 'surplus', 'Error')",
		"surplus Error",
	],
	[
		"rejections",
		"(event_type, code, path) VALUES ('surplus', 'code', 'path')",
		"surplus code path",
	],
])("a surplus row is seen: %s", (table, row, id) => {
	expect(blamedAfter(`INSERT INTO ${table} ${row}`)).toEqual([
		`${table} ${id} (row)`,
	]);
});

test.each(["0.000001", "-0.000001"])(
	"a cost that is off by %s is seen",
	(by) => {
		const id = sampleOf("usage", "true");
		expect(
			blamedAfter(`UPDATE usage SET cost = cost + ${by} WHERE id = '${id}'`),
		).toEqual([`usage ${id} cost`]);
	},
);

function sampleOf(table: string, kind: string): string {
	return withDatabase(undamaged, (database) => {
		const [row] = database
			.query<{ id: string | null }, []>(
				`SELECT min(${TABLES[table]}) AS id FROM ${table} WHERE ${kind}`,
			)
			.all();
		if (!row?.id) throw new Error(`there is no row in ${table} where ${kind}`);
		return row.id;
	});
}

/** Which cells the check blames after one change. */
function blamedAfter(sql: string): string[] {
	const damaged = join(folder, "damaged.db");
	copyFileSync(undamaged, damaged);
	const database = new Database(damaged);
	database.run("PRAGMA foreign_keys = OFF");
	const { changes } = database.run(sql);
	database.close();
	expect(changes).toBe(1);
	return checkMirror(damaged, truth, RULES).differences.map(
		({ table, id, column }) => `${table} ${id} ${column}`,
	);
}
