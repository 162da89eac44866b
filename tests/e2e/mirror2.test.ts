/** The mirror check for OpenCode 2, on what was recorded: that its ids are those of the events, and that it finds a fault. */

import { Database } from "bun:sqlite";
import { afterAll, expect, test } from "bun:test";
import {
	copyFileSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OPENCODE_2_RELEASE } from "./harness/releases.ts";
import type { Claim } from "./mirror/claim.ts";
import { describe as inWords } from "./mirror/compare.ts";
import { columnsOf, dropTriggers } from "./mirror/database.ts";
import type { ExpectedRow } from "./mirror/expected/row.ts";
import { object } from "./mirror/expected/values.ts";
import { expectedRows2 } from "./mirror2/expected.ts";
import {
	addTodo,
	oneOfEach,
	openToSpoil,
	plant,
	spoilable,
} from "./mirror2/faults.ts";
import { TABLES, UNCLAIMED } from "./mirror2/tables.ts";
import type { Answers2, Truth2 } from "./mirror2/truth.ts";
import { checkMirror2 } from "./mirror2.ts";
import type { Event2 } from "./opencode2/bus.ts";
import { SCENARIOS } from "./opencode2/scenarios/index.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const RECORDINGS = join(ROOT, "tests/fixtures/opencode2", OPENCODE_2_RELEASE);
const MIGRATIONS = join(ROOT, "src/store/migrations");
const RULES = { release: OPENCODE_2_RELEASE };
const NAMES = SCENARIOS.map(({ name }) => name);

const scratch = mkdtempSync(join(tmpdir(), "clankers-mirror2-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Heard extends Event2 {
	readonly durable?: { readonly seq: number };
}

function heard(scenario: string): Heard[] {
	return readFileSync(join(RECORDINGS, `${scenario}.jsonl`), "utf8")
		.split("\n")
		.filter(Boolean)
		.map((line) => (JSON.parse(line) as { event: Heard }).event);
}

function truthOf(scenario: string): Truth2 {
	const file = join(RECORDINGS, `${scenario}.truth.json`);
	const answers = JSON.parse(readFileSync(file, "utf8")) as Answers2;
	return { ...answers, told: heard(scenario) };
}

/** A value that a claim accepts, by what it says of itself. */
function sampleOf({ expected, holds }: Claim): string | number | null {
	const candidates: (string | number | null)[] = [expected, Date.now(), null];
	candidates.push(Number.parseFloat(expected));
	try {
		candidates.push(JSON.parse(expected) as string | number | null);
	} catch {
		// Words for people.
	}
	const found = candidates.find((candidate) => holds(candidate));
	if (found === undefined) throw new Error(`nothing is ${expected}`);
	return found;
}

/** An empty database of the newest schema, without what clankers works out by itself from one row for another. */
const EMPTY = join(scratch, "empty.db");
const empty = new Database(EMPTY, { create: true });
empty.run("PRAGMA synchronous = OFF");
for (const file of readdirSync(MIGRATIONS).sort())
	if (file.endsWith(".sql"))
		empty.run(readFileSync(join(MIGRATIONS, file), "utf8"));
dropTriggers(empty);
empty.close();

let databases = 0;

/** A database that holds exactly these rows. */
function databaseOf(rows: readonly ExpectedRow[]): string {
	databases += 1;
	const path = join(scratch, `${databases}.db`);
	copyFileSync(EMPTY, path);
	const database = openToSpoil(path);
	database.transaction(() => {
		for (const row of rows) {
			if (row.optional) continue;
			const cells: Record<string, string | number | null> = keyOf(row);
			for (const [column, claim] of Object.entries(row.cells))
				cells[column] = sampleOf(claim);
			const columns = Object.keys(cells);
			database
				.query(
					`INSERT INTO ${row.table} (${columns.join(", ")})
					VALUES (${columns.map(() => "?").join(", ")})`,
				)
				.run(...Object.values(cells));
		}
	})();
	database.close();
	return path;
}

/** The columns of which a row's key is made. */
function keyOf({ table, id }: ExpectedRow): Record<string, string | number> {
	if (table !== "session_errors") return { id };
	const [message = "", name = "", attempt] = id.split(" ");
	return attempt === undefined
		? { id, message_id: message, name }
		: { id, message_id: message, name: "", attempt: Number(attempt) };
}

function rowsById(truth: Truth2): Map<string, ExpectedRow> {
	const rows = expectedRows2(truth, RULES);
	const found = new Map(rows.map((row) => [`${row.table} ${row.id}`, row]));
	// Two rows of one id are one in the database.
	expect(found.size).toBe(rows.length);
	return found;
}

test("every recording is of a scenario, and every scenario is recorded", () => {
	const recorded = readdirSync(RECORDINGS)
		.filter((file) => file.endsWith(".jsonl"))
		.map((file) => file.slice(0, -".jsonl".length));
	expect(recorded.sort()).toEqual([...NAMES].sort());
});

test.each(NAMES)("%s: what the check asks for, a database can hold", (name) => {
	const truth = truthOf(name);
	const path = databaseOf([...rowsById(truth).values()]);
	const { checks, differences } = checkMirror2(path, truth, RULES);
	expect(differences.map(inWords)).toEqual([]);
	expect(checks).toBeGreaterThan(50);
});

test.each(NAMES)("%s: events and answers give the same ids", (name) => {
	const truth = truthOf(name);
	const rows = rowsById(truth);
	const gone = new Set(truth.gone.map(({ session }) => session.id));
	const isKept = ({ data }: Heard): boolean =>
		!gone.has(String(data.sessionID));
	let compared = 0;
	for (const event of heard(name).filter(isKept)) {
		const { data } = event;
		const message = String(data.assistantMessageID);
		const place = `${message}:${itemOf(event)}`;
		switch (event.type) {
			case "session.text.ended":
			case "session.reasoning.ended": {
				const part = rows.get(`parts ${place}`);
				// A committed revert took it away.
				if (!part?.optional)
					expect(part?.cells.text?.holds(String(data.text)), place).toBe(true);
				break;
			}
			case "session.tool.called":
				expect(rows.has(`tool_calls ${place}`), place).toBe(true);
				break;
			case "session.step.ended": {
				const { cost } = rows.get(`usage ${message}`)?.cells ?? {};
				expect(cost?.holds(Number(data.cost)), message).toBe(true);
				break;
			}
			default:
				continue;
		}
		compared += 1;
	}
	if (gone.size === 0 && name !== "unauthorized")
		expect(compared).toBeGreaterThan(0);
});

/** The item that an event is about, as its id has it. */
function itemOf({ type, data }: Heard): string {
	if (type.startsWith("session.tool.")) return `tool:${data.id}`;
	const kind = type.startsWith("session.text.") ? "text" : "reasoning";
	return `${kind}:${data.ordinal}`;
}

test("a message's place is the number of the event that made it", () => {
	let compared = 0;
	for (const name of NAMES) {
		if (name === "imported") continue; // An import numbers its messages anew.
		const { seqs } = truthOf(name);
		const made = new Set<string>();
		// What is delivered of a compaction is its order: the message comes when it starts.
		const orders = heard(name)
			.filter(({ data }) => object(data.item).type === "compaction")
			.map(({ data }) => data.inboxID);
		for (const event of heard(name)) {
			const id = messageMadeBy(event);
			const seq = seqs[id];
			if (event.type === "session.inbox.delivered" && orders.includes(id))
				continue;
			// A retry begins the same message again.
			if (seq === undefined || made.has(id)) continue;
			made.add(id);
			expect(event.durable?.seq, `${name} ${event.type} ${id}`).toBe(seq);
			compared += 1;
		}
	}
	expect(compared).toBeGreaterThan(300);
});

function messageMadeBy({ id, type, data }: Heard): string {
	const own = id.replace("evt_", "msg_");
	switch (type) {
		case "session.inbox.delivered":
			return String(data.inboxID);
		case "session.step.started":
			return String(data.assistantMessageID);
		case "session.compaction.started":
			return String(data.inputID ?? own);
		default:
			return own;
	}
}

test("the ledger's rows add up to OpenCode's own totals, and only titles leave a rest", () => {
	const rests: string[] = [];
	for (const name of NAMES)
		for (const row of rowsById(truthOf(name)).values())
			if (row.table === "usage" && row.id.endsWith(" overhead")) {
				const rest = Number.parseFloat(row.cells.cost?.expected ?? "");
				expect(rest).toBeGreaterThan(-1e-9);
				if (!row.optional) rests.push(name);
			}
	expect([...new Set(rests)]).toEqual(["plain-turn", "runs", "titled"]);
});

test("a planted fault is found in every table", () => {
	const found = new Set<string>();
	for (const name of NAMES) {
		const truth = truthOf(name);
		const rows = [...rowsById(truth).values()].filter((row) => !row.optional);
		for (const [table, row] of oneOfEach(rows)) {
			if (found.has(table)) continue;
			found.add(table);
			const path = databaseOf(rows);
			const columns = spoilable(row);
			expect(columns.length).toBeGreaterThan(0);
			for (const column of columns) {
				plant(path, row, column);
				const { differences } = checkMirror2(path, truth, RULES);
				expect(
					differences.some(
						(difference) =>
							difference.table === table && difference.column === column,
					),
					`${table}.${column}`,
				).toBe(true);
			}
		}
	}
	const mirrored = Object.keys(TABLES);
	const empty = ["todos", "rejections"];
	expect([...found].sort()).toEqual(
		mirrored.filter((table) => !empty.includes(table)).sort(),
	);
});

test("a row too few and a row too many are found", () => {
	const truth = truthOf("tools");
	const rows = [...rowsById(truth).values()];
	const path = databaseOf(rows.slice(1));
	addTodo(path);
	const { differences } = checkMirror2(path, truth, RULES);
	expect(differences.map(({ table, found }) => `${table}: ${found}`)).toEqual([
		`${rows[0]?.table}: none`,
		"todos: a row",
	]);
});

test("every column of the mirrored tables is claimed, or there is a reason", () => {
	const claimed = new Map<string, Set<string>>();
	for (const name of NAMES)
		for (const { table, cells } of rowsById(truthOf(name)).values())
			claimed.set(
				table,
				new Set([...(claimed.get(table) ?? []), ...Object.keys(cells)]),
			);
	const database = new Database(EMPTY);
	for (const table of Object.keys(TABLES)) {
		const columns = columnsOf(database, table);
		const excused = Object.keys(UNCLAIMED[table] ?? {});
		const seen = [...(claimed.get(table) ?? []), ...excused];
		expect(
			columns.filter((column) => !seen.includes(column)),
			table,
		).toEqual([]);
	}
	database.close();
});
