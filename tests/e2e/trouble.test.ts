/** What goes wrong with the database never reaches the person in OpenCode. */

import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { runTurn } from "./harness/opencode.ts";
import { pluginByPath, removeDatabase } from "./harness/plugin.ts";
import { PINNED_RELEASE } from "./harness/releases.ts";
import { say } from "./harness/script.ts";
import { inWorld } from "./harness/world.ts";
import { rulesFor } from "./mirror/expected/rules.ts";
import { Witness } from "./mirror/truth.ts";
import { describeReport, settledMirror } from "./mirror.ts";

const RULES = rulesFor(PINNED_RELEASE);

test("a locked database holds nobody up, and what was observed is stored once it is free", async () => {
	await inWorld({}, async ({ model, database, serve }) => {
		const { api } = await serve();
		const session = await api.createSession();
		model.script("Before the lock.", say("Stored at once."));
		model.script("During the lock.", say("Stored later."));
		await api.prompt(session.id, "Before the lock.");
		const unlocked = await timed(() =>
			api.prompt(session.id, "Before the lock."),
		);
		const holder = new Database(database);
		holder.run("BEGIN EXCLUSIVE");
		const locked = await timed(() =>
			api.prompt(session.id, "During the lock."),
		);
		// Each attempt waits 50 ms at most; a turn that waited for the lock would hang.
		expect(locked).toBeLessThan(unlocked + 2000);
		holder.run("ROLLBACK");
		holder.close();
		const report = await settledMirror(database, new Witness(), [api], RULES);
		expect(describeReport(report)).toBe(
			`${report.checks} of ${report.checks} checks held`,
		);
	});
}, 600_000);

test("what could not be stored before the process left is made up by the next one", async () => {
	await inWorld({}, async ({ home, model, database, serve }) => {
		model.script("Before the lock.", say("Stored at once."));
		model.script("During the lock.", say("Not stored."));
		await runTurn(home, "Before the lock.");
		const holder = new Database(database);
		holder.run("BEGIN EXCLUSIVE");
		const { code, output } = await runTurn(home, "During the lock.");
		expect(code).toBe(0);
		expect(output).toContain("Not stored.");
		holder.run("ROLLBACK");
		holder.close();
		const { api } = await serve();
		await api.sessions();
		const report = await settledMirror(database, new Witness(), [api], RULES);
		expect(describeReport(report)).toBe(
			`${report.checks} of ${report.checks} checks held`,
		);
	});
}, 600_000);

test("a database that is removed while OpenCode runs is filled with all that was recorded", async () => {
	await inWorld({}, async ({ model, database, serve }) => {
		const { api } = await serve();
		const [one, other] = [await api.createSession(), await api.createSession()];
		model.script("Before it.", say("Stored in the first one."));
		model.script("After it.", say("Stored in the second one."));
		await api.prompt(one.id, "Before it.");
		await api.prompt(other.id, "Before it.");
		removeDatabase(database);
		await api.prompt(one.id, "After it.");
		const report = await settledMirror(database, new Witness(), [api], RULES);
		expect(describeReport(report)).toBe(
			`${report.checks} of ${report.checks} checks held`,
		);
	});
}, 600_000);

test("a database from a newer version is left untouched, and OpenCode works", async () => {
	await inWorld({}, async ({ home, model, database }) => {
		mkdirSync(dirname(database), { recursive: true });
		const newer = new Database(database);
		newer.run("CREATE TABLE from_the_future (id TEXT)");
		newer.run("PRAGMA user_version = 999");
		newer.close();
		const before = readFileSync(database);
		model.script("Say hello.", say("Hello."));
		const { code, output } = await runTurn(home, "Say hello.");
		expect(code).toBe(0);
		expect(output).toContain("Hello.");
		expect(readFileSync(database).equals(before)).toBe(true);
	});
}, 600_000);

test("a person's OpenCode says the same with the plugin and without", async () => {
	const hello = async (plugins: readonly unknown[]): Promise<string> =>
		await inWorld({ plugins }, async ({ home, model }) => {
			model.script("Say hello.", say("Hello."));
			const { code, output } = await runTurn(home, "Say hello.");
			expect(code).toBe(0);
			return output;
		});
	expect(await hello([pluginByPath()])).toBe(await hello([]));
}, 600_000);

test("only the person may read the database", async () => {
	await inWorld({}, async ({ home, model, database }) => {
		model.script("Say hello.", say("Hello."));
		await runTurn(home, "Say hello.");
		expect(statSync(dirname(database)).mode & 0o777).toBe(0o700);
		expect(statSync(database).mode & 0o777).toBe(0o600);
	});
}, 600_000);

async function timed(work: () => Promise<unknown>): Promise<number> {
	const begun = performance.now();
	await work();
	return performance.now() - begun;
}
