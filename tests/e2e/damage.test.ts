/** A database that is damaged, foreign or put back while OpenCode runs: recording goes on, and nothing that OpenCode has is missing in the end. */

import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Api } from "./harness/api.ts";
import { clankers, type Printed } from "./harness/program.ts";
import { PINNED_RELEASE } from "./harness/releases.ts";
import { say } from "./harness/script.ts";
import { inWorld } from "./harness/world.ts";
import { withDatabase } from "./mirror/database.ts";
import { rulesFor } from "./mirror/expected/rules.ts";
import { Witness } from "./mirror/truth.ts";
import { describeReport, settledMirror } from "./mirror.ts";

const GARBAGE = "This is no database. ".repeat(10_000);

test("a database that is overwritten while OpenCode runs is set aside each time, and filled anew", async () => {
	await inWorld({}, async ({ model, database, serve }) => {
		const { api } = await serve();
		const [one, other] = [await api.createSession(), await api.createSession()];
		for (const prompt of ["First.", "Second.", "Third."])
			model.script(prompt, say(`Answered: ${prompt}`));
		await api.prompt(one.id, "First.");
		await api.prompt(other.id, "First.");
		await expectMirrored(database, api);
		for (const prompt of ["Second.", "Third."]) {
			writeFileSync(database, GARBAGE);
			await api.prompt(one.id, prompt);
			await expectMirrored(database, api);
		}
		expect(besides(database).length).toBe(2);
	});
}, 600_000);

test("another program's database is left as it is, and recording begins once it is gone", async () => {
	await inWorld({}, async ({ model, database, serve }) => {
		mkdirSync(dirname(database), { recursive: true });
		const foreign = new Database(database);
		foreign.run("CREATE TABLE notes (text TEXT)");
		foreign.run("INSERT INTO notes VALUES ('Buy milk.')");
		const { api } = await serve();
		const { id } = await api.createSession();
		model.script("Say hello.", say("Hello."));
		await api.prompt(id, "Say hello.");
		expect(besides(database)).toEqual([]);
		expect(foreign.query("SELECT * FROM notes").values()).toEqual([
			["Buy milk."],
		]);
		foreign.close();
		renameSync(database, `${database}.theirs`);
		await expectMirrored(database, api);
	});
}, 600_000);

test("a backup is put back while OpenCode runs, and has in the end what came since", async () => {
	await inWorld({}, async ({ home, model, database, serve }) => {
		const { api } = await serve();
		const [one, other] = [await api.createSession(), await api.createSession()];
		for (const prompt of ["First.", "Second.", "Third."])
			model.script(prompt, say(`Answered: ${prompt}`));
		await api.prompt(one.id, "First.");
		await expectMirrored(database, api);
		const backup = join(home.root, "backup.db");
		const done = ({ status, output }: Printed): void =>
			expect(status, output).toBe(0);
		done(clankers(home, ["backup", backup]));
		await api.prompt(one.id, "Second.");
		await api.prompt(other.id, "Second.");
		await expectMirrored(database, api);
		done(clankers(home, ["restore", backup, "--yes"]));
		expect(answers(database)).toEqual(["Answered: First."]);
		await api.prompt(other.id, "Third.");
		await expectMirrored(database, api);
		expect(answers(database)).toContain("Answered: Second.");
		const [kept = ""] = besides(database, "replaced");
		expect(answers(join(dirname(database), kept))).not.toContain(
			"Answered: Third.",
		);
	});
}, 600_000);

/** What the model said, as it is stored. */
function answers(database: string): unknown[] {
	const sql =
		"SELECT text_content FROM messages WHERE role = 'assistant' ORDER BY created_at";
	return withDatabase(database, (open) => open.query(sql).values().flat());
}

async function expectMirrored(database: string, api: Api): Promise<void> {
	const rules = rulesFor(PINNED_RELEASE);
	const report = await settledMirror(database, new Witness(), [api], rules);
	expect(describeReport(report)).toBe(
		`${report.checks} of ${report.checks} checks held`,
	);
	expect(report.checks).toBeGreaterThan(10);
}

/** What was set aside for this, by name, without what SQLite keeps beside it. */
function besides(database: string, why = "corrupt"): string[] {
	const name = `${basename(database)}.${why}-`;
	return readdirSync(dirname(database)).filter(
		(file) => file.startsWith(name) && !/-(wal|shm)$/.test(file),
	);
}
