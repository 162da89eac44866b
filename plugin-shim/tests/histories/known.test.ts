/** Histories that lost something once, or nearly: each short, and always the same. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { query } from "../support/query.ts";
import type { Place } from "./places.ts";
import { type Process, World } from "./world.ts";

const DIRECTORY = "/home/user/project";

describe("known histories", () => {
	let root: string;
	let world: World;
	let one: Place;
	let other: Place;
	let kilo: Place;

	beforeEach(() => {
		root = mkdtempSync(join(tmpdir(), "clankers-history-"));
		world = new World(root, 1);
		[one, other, kilo] = world.places as [Place, Place, Place];
	});

	afterEach(() => {
		world.end();
		rmSync(root, { recursive: true });
	});

	/** Starts a process with the plugin, lets it work, and stops it. Nothing may be lost. */
	async function run(
		place: Place,
		work: (process: Process) => Promise<unknown> = async () => {},
		withPlugin = true,
	): Promise<void> {
		const process = world.start(place, DIRECTORY, withPlugin);
		await world.settle();
		await world.act(process, "works", () => work(process));
		await world.settle();
		world.stop(process);
		assert.deepEqual(world.ledger.faults, []);
	}

	/** Begins a session with a turn in it; its id is in `sessions` then. */
	const sessions: string[] = [];
	async function newSession({ opencode }: Process): Promise<void> {
		const id = await opencode.create();
		await opencode.turn(id);
		sessions.push(id);
	}

	const lastSession = (): string => sessions.at(-1) ?? "";

	function marksOf(session: string): { deleted: boolean; missing: boolean } {
		const path = join(root, "clankers.db");
		const [row] = query(path, `SELECT * FROM sessions WHERE id = '${session}'`);
		const isSet = (column: string): boolean => (row?.[column] ?? null) !== null;
		return { deleted: isSet("deleted_at"), missing: isSet("missing_since") };
	}

	const ALIVE = { deleted: false, missing: false };
	const DELETED = { deleted: true, missing: false };
	const MISSING = { deleted: false, missing: true };

	it("a process exits while clankers.db is locked: the next one brings in what it could not store", async () => {
		await run(one, newSession);
		const before = lastSession();
		const process = world.start(one, DIRECTORY, true);
		await world.settle();
		await world.exitLocked(process);
		const stored = (): unknown[] =>
			query(join(root, "clankers.db"), "SELECT id FROM sessions").map(
				({ id }) => id,
			);
		assert.deepEqual(stored(), [before]);
		await run(one);
		assert.equal(stored().length, 2);
		const ledger = "SELECT count(*) AS n FROM usage";
		assert.equal(query(join(root, "clankers.db"), ledger)[0]?.["n"], 2);
	});

	it("two containers have the same paths, by turns", async () => {
		await run(one, newSession);
		await run(other, newSession);
		for (let turn = 0; turn < 3; turn++) {
			one.swapWith(other);
			await run(one, newSession);
		}
	});

	it("two homes work on one project", async () => {
		for (const place of [one, other, one, other]) await run(place, newSession);
		for (const id of sessions.slice(-4)) assert.deepEqual(marksOf(id), ALIVE);
	});

	it("OpenCode and Kilo work on one project", async () => {
		for (const place of [one, kilo, one, kilo]) await run(place, newSession);
		for (const id of sessions.slice(-4)) assert.deepEqual(marksOf(id), ALIVE);
	});

	for (const [how, restore] of Object.entries({
		"as another file": (copy: string) => one.restoreByRename(copy),
		"over the file that is there": (copy: string) => one.restoreInPlace(copy),
	}))
		it(`an older copy of OpenCode's database is put back, ${how}`, async () => {
			await run(one, newSession);
			const copy = world.newPath("copy");
			one.backUp(copy);
			await run(one, newSession);
			restore(copy);
			await run(one, newSession);
			await run(one);
		});

	it("a session that was deleted stays so where a copy from before is put back as another file", async () => {
		await run(one, newSession);
		const deleted = lastSession();
		await run(one, newSession);
		const copy = world.newPath("copy");
		one.backUp(copy);
		await run(one, ({ opencode }) => opencode.deleteSession(deleted));
		one.restoreByRename(copy);
		await run(one, newSession);
		assert.deepEqual(marksOf(deleted), DELETED);
	});

	it("a session that was deleted is alive again where the same store has it again", async () => {
		await run(one, newSession);
		const deleted = lastSession();
		const copy = world.newPath("copy");
		one.backUp(copy);
		await run(one, ({ opencode }) => opencode.deleteSession(deleted));
		assert.deepEqual(marksOf(deleted), DELETED);
		one.restoreInPlace(copy);
		await run(one);
		assert.deepEqual(marksOf(deleted), ALIVE);
	});

	it("a session that was deleted before its store was known is alive again where that has it again", async () => {
		await run(one, newSession);
		const deleted = lastSession();
		const copy = world.newPath("copy");
		one.backUp(copy);
		const process = world.start(one, DIRECTORY, true);
		await world.act(process, "deletes at once", (opencode) =>
			opencode.deleteSession(deleted),
		);
		await world.settle();
		assert.deepEqual(marksOf(deleted), DELETED);
		world.stop(process);
		one.restoreInPlace(copy);
		await run(one);
		assert.deepEqual(marksOf(deleted), ALIVE);
	});

	it("a session that is alive again without its messages gets them from its own store alone", async () => {
		await run(one, newSession);
		const deleted = lastSession();
		other.copyFrom(one);
		const copy = world.newPath("copy");
		one.backUp(copy);
		await run(one, ({ opencode }) => opencode.deleteSession(deleted));
		one.restoreInPlace(copy);
		const process = world.start(one, DIRECTORY, true, "answers no messages");
		await world.settle();
		world.kill(process);
		assert.deepEqual(marksOf(deleted), ALIVE);
		const alive = (): unknown =>
			query(
				join(root, "clankers.db"),
				`SELECT count(*) AS n FROM messages WHERE session_id = '${deleted}' AND deleted_at IS NULL`,
			)[0]?.["n"];
		await run(other);
		assert.equal(alive(), 0);
		await run(one);
		assert.equal(alive(), 2);
	});

	it("a session is missing that was deleted while no plugin listened, and loses nothing", async () => {
		await run(one, newSession);
		await run(one, newSession);
		const deleted = lastSession();
		await run(one, ({ opencode }) => opencode.deleteSession(deleted), false);
		await run(one);
		assert.deepEqual(marksOf(deleted), MISSING);
	});

	it("a session that was missing is alive again where it is there again", async () => {
		await run(one, newSession);
		await run(one, newSession);
		const deleted = lastSession();
		const copy = world.newPath("copy");
		one.backUp(copy);
		await run(one, ({ opencode }) => opencode.deleteSession(deleted), false);
		await run(one);
		one.restoreInPlace(copy);
		await run(one);
		assert.deepEqual(marksOf(deleted), ALIVE);
	});

	it("an older clankers.db is put back: what OpenCode still has comes back", async () => {
		await run(one, newSession);
		world.backUpDatabase();
		await run(one, newSession);
		await run(other, newSession);
		world.putBackDatabase();
		await run(other);
		await run(one);
		for (const id of sessions.slice(-3)) assert.deepEqual(marksOf(id), ALIVE);
	});

	it("a data folder is copied to another home, and both go on", async () => {
		await run(one, newSession);
		other.copyFrom(one);
		const shared = lastSession();
		await run(other, ({ opencode }) => opencode.turn(shared));
		await run(one, ({ opencode }) => opencode.turn(shared));
		await run(other);
		await run(one);
	});

	it("a copied home went on while nobody listened, before the first one did", async () => {
		await run(one, newSession);
		other.copyFrom(one);
		const shared = lastSession();
		const turn = ({ opencode }: Process) => opencode.turn(shared);
		await run(other, turn, false);
		await run(one, turn);
		await run(other);
		const messages = `SELECT count(*) AS n FROM messages WHERE session_id = '${shared}'`;
		assert.equal(query(join(root, "clankers.db"), messages)[0]?.["n"], 6);
		await run(one);
	});
});
