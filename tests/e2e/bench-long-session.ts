/**
 * What catching up on one long session costs the others in a real OpenCode 1.x:
 * `scripts/with-tools.sh bun tests/e2e/bench-long-session.ts [RELEASE] [PLUGIN…]`.
 * Each plugin is a built `clankers.js`; the one of this tree is tried anyway, and
 * none at all. Read the ratios to "no plugin".
 */
import { Database } from "bun:sqlite";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { databaseOf, pluginFile, removeDatabase } from "./harness/plugin.ts";
import { PINNED_RELEASE } from "./harness/releases.ts";
import { say } from "./harness/script.ts";
import { inWorld, type World } from "./harness/world.ts";
import { withDatabase } from "./mirror/database.ts";

const MESSAGES = 300;
const LENGTH = 185_000;
/** How long it is looked at, milliseconds: longer than the catching up takes. */
const WATCHED_MS = 15_000;

const [release = PINNED_RELEASE, ...others] = process.argv.slice(2);

interface Watched {
	/** The longest that a small request took, milliseconds. */
	readonly longest: number;
	/** How many turns there were. */
	readonly turns: number;
	/** The most memory that the process had, MiB. */
	readonly peak: number;
	/** How many messages clankers stored. */
	readonly stored: number;
}

await inWorld({ release, plugins: [] }, async (world) => {
	const { home, model } = world;
	model.script("Say hello.", say("Hello."));
	const before = await world.serve();
	const { id } = await before.api.createSession({ title: "The long one" });
	await before.api.prompt(id, "Say hello.");
	await before.stop();
	lengthen(join(home.store, "opencode.db"), id);
	const nothing = await watch(world, undefined);
	print("no plugin", nothing, nothing);
	for (const plugin of [pluginFile(), ...others])
		print(plugin, await watch(world, plugin), nothing);
});

/** Repeats the session's answer with a long text. */
function lengthen(path: string, id: string): void {
	const db = new Database(path);
	db.run(
		`WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${MESSAGES})
		INSERT INTO message (id, session_id, time_created, time_updated, data)
		SELECT printf('%s%04d', message.id, n), session_id, time_created + n, time_updated + n, data
		FROM message, n WHERE session_id = ?1 AND data ->> 'role' = 'assistant'`,
		[id],
	);
	db.run(
		`INSERT INTO part (id, message_id, session_id, time_created, time_updated, data)
		SELECT replace(message.id, 'msg_', 'prt_'), message.id, message.session_id, message.time_created, message.time_updated,
			json_object('type', 'text', 'text', replace(hex(zeroblob(${LENGTH / 2})), '00', 'w '))
		FROM message WHERE session_id = ?1 AND NOT EXISTS (SELECT 1 FROM part WHERE message_id = message.id)`,
		[id],
	);
	db.close();
}

/** Small requests, one after the other, and turns meanwhile. */
async function watch(
	{ home, serve }: World,
	plugin: string | undefined,
): Promise<Watched> {
	home.configure(plugin === undefined ? [] : [`file://${plugin}`]);
	const server = await serve();
	const other = await server.api.createSession({ title: "A short one" });
	const began = performance.now();
	let longest = 0;
	const asking = repeat(began, async () => {
		const asked = performance.now();
		await server.api.session(other.id);
		longest = Math.max(longest, performance.now() - asked);
		await Bun.sleep(5);
	});
	const turns = await repeat(began, () =>
		server.api.prompt(other.id, "Say hello."),
	);
	await asking;
	const peak = peakOf(server.pid);
	await server.stop();
	const database = databaseOf(home);
	const stored =
		plugin === undefined
			? 0
			: withDatabase(database, (db) => {
					const count = "SELECT count(*) AS n FROM messages";
					return (db.query(count).get() as { n: number }).n;
				});
	if (plugin !== undefined) removeDatabase(database);
	return { longest, turns, peak, stored };
}

async function repeat(
	began: number,
	work: () => Promise<unknown>,
): Promise<number> {
	let times = 0;
	for (; performance.now() - began < WATCHED_MS; times++) await work();
	return times;
}

function peakOf(pid: number): number {
	const status = readFileSync(`/proc/${pid}/status`, "utf8");
	const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(status) ?? [];
	return Number(kilobytes) / 1024;
}

function print(what: string, found: Watched, nothing: Watched): void {
	const { longest, turns, peak, stored } = found;
	const ratio = (one: number, other: number) => (one / other).toFixed(2);
	console.log(
		`${what}: ${stored} messages stored, ${turns} turns (a turn takes × ${ratio(nothing.turns, turns)}), ` +
			`longest request ${longest.toFixed(0)} ms (× ${ratio(longest, nothing.longest)}), ${peak.toFixed(0)} MiB (× ${ratio(peak, nothing.peak)})`,
	);
}
