/** The mirror check on a served session, and that it sees what it should see. */

import { Database } from "bun:sqlite";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject, MessageWithParts } from "./harness/api.ts";
import { PINNED_RELEASE } from "./harness/releases.ts";
import { inWorld } from "./harness/world.ts";
import { UNCLAIMED } from "./mirror/columns.ts";
import type { Report } from "./mirror/compare.ts";
import {
	columnsOf,
	dropTriggers,
	TABLES,
	withDatabase,
} from "./mirror/database.ts";
import type { Part } from "./mirror/expected/message.ts";
import type { Rules } from "./mirror/expected/rules.ts";
import { expectedRows } from "./mirror/expected.ts";
import type { Truth } from "./mirror/truth.ts";
import { checkMirror, describeReport, settledMirror } from "./mirror.ts";
import { unauthorized } from "./scenario/failures.ts";
import { SERVED } from "./scenario/index.ts";
import { openStage, play } from "./scenario/play.ts";
import { permission, todos } from "./scenario/turns.ts";

/** A statement that changes nothing. */
const NOTHING = "SELECT 1";

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
}, 600_000);

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

test.each(Object.keys(TABLES))(
	"every column of %s is compared, or says why not",
	(table) => {
		const there = withDatabase(undamaged, (database) =>
			columnsOf(database, table),
		);
		const claimed = new Set(
			expectedRows(truth, RULES)
				.filter((row) => row.table === table)
				.flatMap(({ cells }) => Object.keys(cells)),
		);
		const excused = Object.keys(UNCLAIMED[table] ?? {});
		expect(excused.filter((column) => claimed.has(column))).toEqual([]);
		expect(there.toSorted()).toEqual([...claimed, ...excused].toSorted());
	},
);

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

/** What OpenCode has no more: one of the sessions that it has, told by an event or not. */
function without(title: string, isTold: boolean): Truth {
	const gone = truth.sessions.filter(({ session }) => session.title === title);
	const [there] = gone;
	if (!there) throw new Error(`there is no session "${title}"`);
	const told = {
		type: "session.deleted",
		properties: { info: { id: there.session.id } },
	};
	return {
		...truth,
		sessions: truth.sessions.filter((session) => session !== there),
		gone: [...truth.gone, there],
		told: isTold ? [...truth.told, told] : truth.told,
	};
}

const MARKED =
	"UPDATE sessions SET missing_since = 1795000000000 WHERE title = 'Tools that work'";

test("what is gone untold is marked, and keeps every word", () => {
	const untold = without("Tools that work", false);
	expect(blamedIn(untold, MARKED, "keep the triggers")).toEqual([]);
	const unmarked = blamedIn(untold, NOTHING);
	expect(new Set(unmarked.map(columnOf))).toEqual(new Set(["missing_since"]));
	expect(new Set(unmarked.map(tableOf))).toEqual(
		new Set(["sessions", "messages", "tool_calls"]),
	);
	const erased = blamedIn(
		untold,
		`${MARKED}; UPDATE messages SET text_content = '' WHERE text_content = 'Written.'`,
		"keep the triggers",
	);
	expect(erased.map(columnOf)).toEqual(["text_content"]);
});

test("what an event told to be gone is erased, and a mark is not enough", () => {
	const told = without("Tools that work", true);
	const blamed = blamedIn(told, MARKED, "keep the triggers");
	expect(new Set(blamed.map(columnOf))).toContain("deleted_at");
	expect(new Set(blamed.map(columnOf))).toContain("text_content");
});

test("what no event told to be gone is not erased", () => {
	const blamed = blamedIn({ ...truth, told: [] }, NOTHING);
	const erased = blamed.filter((cell) => cell.endsWith(" deleted_at"));
	expect(new Set(erased.map(tableOf))).toEqual(
		new Set(["sessions", "messages", "tool_calls"]),
	);
});

test.each([
	["with a mark", "keep", []],
	["without a mark", "none", ["missing_since"]],
	["erased", "erase", ["text", "missing_since"]],
])(
	"a part that its message has no more, untold, is looked for: %s",
	(_, fate, blamed) => {
		const id = sampleOf("parts", "type = 'text' AND text = 'Written.'");
		const untold = changed((part) => (part.id === id ? undefined : part));
		const sql = {
			keep: `UPDATE parts SET missing_since = 1795000000000 WHERE id = '${id}'`,
			none: NOTHING,
			erase: `UPDATE parts SET text = NULL WHERE id = '${id}'`,
		}[fate];
		const cells = blamedIn(untold, String(sql)).filter((cell) =>
			cell.startsWith("parts "),
		);
		expect(cells.map(columnOf)).toEqual(blamed);
	},
);

/** The truth with every part of every message as `change` makes it; one that was there and is not is a removed one. */
function changed(
	change: (part: Part, message: MessageWithParts["info"]) => Part | undefined,
): Truth {
	const removedParts: Truth["removedParts"][number][] = [];
	const sessions = truth.sessions.map((there) => ({
		...there,
		messages: there.messages.map(({ info, parts }) => {
			const kept = parts.flatMap((part) => {
				const left = change(part, info);
				if (left === undefined) removedParts.push({ part, info });
				return left ?? [];
			});
			return { info: { ...info }, parts: kept };
		}),
	}));
	return { ...truth, sessions, removedParts };
}

/** The truth in which OpenCode kept only so much of the text "Written.", and no end of it. */
function cutOff(text: string, time: object): Truth {
	return changed((part) =>
		part.type === "text" && part.text === "Written."
			? ({ ...part, text, time } as Part)
			: part,
	);
}

test("of a text that was cut off, more may be stored than OpenCode kept", () => {
	const start = 1_795_000_000_000;
	const open = blamedIn(cutOff("Wri", { start }), NOTHING);
	// The end that was stored is not what OpenCode says here; the words may be.
	expect(open.map(columnOf)).toEqual(["started_at", "ended_at"]);
});

test("of a text that has ended, nothing more may be stored", () => {
	const ended = { start: 1_795_000_000_000, end: 1_795_000_000_001 };
	expect(blamedIn(cutOff("Wri", ended), NOTHING).map(columnOf)).toEqual([
		"text_content",
		"text",
		"started_at",
		"ended_at",
	]);
});

test("a text that was cut off begins as OpenCode kept it", () => {
	const other = cutOff("Other", { start: 1_795_000_000_000 });
	const columns = blamedIn(other, NOTHING).map(columnOf);
	expect(columns).toContain("text");
	expect(columns).toContain("text_content");
});

test("the last words of a message that never ended may be more than OpenCode kept", () => {
	const unfinished = cutOff("Writ", { start: 1, end: 2 });
	for (const { messages } of unfinished.sessions)
		for (const { info, parts } of messages)
			if (parts.some(({ text }) => text === "Writ")) {
				const { created } = info.time as JsonObject;
				Object.assign(info, { time: { created: created ?? null } });
			}
	const columns = blamedIn(unfinished, NOTHING).map(columnOf);
	expect(columns).not.toContain("text");
	expect(columns).not.toContain("text_content");
	expect(columns).toContain("completed_at");
});

function tableOf(cell: string): string {
	return cell.split(" ")[0] ?? "";
}

function columnOf(cell: string): string {
	return cell.split(" ").at(-1) ?? "";
}

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
	return blamedIn(truth, sql);
}

/** Which cells the check blames where OpenCode answers so, after these statements. */
function blamedIn(
	answered: Truth,
	sql: string,
	triggers: "keep the triggers" | "the change alone" = "the change alone",
): string[] {
	const damaged = join(folder, "damaged.db");
	copyFileSync(undamaged, damaged);
	const database = new Database(damaged);
	database.run("PRAGMA synchronous = OFF");
	database.run("PRAGMA foreign_keys = OFF");
	// The change is to this cell alone, and to none that would follow it.
	if (triggers === "the change alone") dropTriggers(database);
	const { changes } = database.run(sql);
	database.close();
	if (sql !== NOTHING) expect(changes).toBeGreaterThan(0);
	return checkMirror(damaged, answered, RULES).differences.map(
		({ table, id, column }) => `${table} ${id} ${column}`,
	);
}
