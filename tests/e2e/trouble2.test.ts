/** OpenCode 2 gives a plugin no log: what goes wrong with the database is told by `clankers`, until it is over, and OpenCode notices nothing. */

import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import {
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Daemon } from "./harness/daemon.ts";
import type { Home } from "./harness/home.ts";
import { PACKAGE, pluginByFolder, removeDatabase } from "./harness/plugin.ts";
import { until } from "./harness/poll.ts";
import { type Check, clankers, diagnosed } from "./harness/program.ts";
import { Registry } from "./harness/registry.ts";
import { say } from "./harness/script.ts";
import { READY, Terminal } from "./harness/terminal.ts";
import { expectSame } from "./opencode2/mirrored.ts";
import { startService } from "./opencode2/service.ts";
import { inWorld2, type World2 } from "./opencode2/world.ts";

const PLUGINS = { plugins: [pluginByFolder()] };
const { name, version } = JSON.parse(
	readFileSync(join(PACKAGE, "package.json"), "utf8"),
) as { name: string; version: string };
const NAME = `${name}@${version}`;

test(
	"a database of a newer version is left untouched, which `clankers` says until there is another",
	() =>
		inWorld2(PLUGINS, async (world) => {
			const { database, home } = world;
			writeNewer(database);
			const before = readFileSync(database);
			await hello(world);
			await until("it to be told", () => trouble(world).length > 0);
			expect(readFileSync(database).equals(before)).toBe(true);
			const [told] = trouble(world);
			expect(told?.level).toBe("broken");
			expect(told?.found).toMatch(
				/^OpenCode 2\.0\.15, .*: nothing is recorded: .* written by a newer clankers/,
			);
			rmSync(database);
			await isOver(world);
			expect(clankers(home, ["status"]).output).not.toContain("trouble");
			await expectSame(world, 20);
		}),
	600_000,
);

test(
	"a folder that cannot be written is told by each command that reads, and is over once it can",
	() =>
		inWorld2(PLUGINS, async (world) => {
			const { database, home } = world;
			// A file where the folder should be: not even root can write there.
			writeFileSync(dirname(database), "");
			await hello(world);
			await until("it to be told", () => trouble(world).length > 0);
			expect(trouble(world)[0]?.found).toContain("not stored yet");
			for (const command of ["status", "sessions", "stats"])
				expect(clankers(home, [command]).output).toMatch(
					/OpenCode 2\.0\.15, .*: not stored yet, will be tried again/,
				);
			rmSync(dirname(database));
			await isOver(world);
			for (const command of ["status", "sessions", "stats"])
				expect(clankers(home, [command]).output).not.toMatch(/trouble|doctor/);
			await expectSame(world, 20);
		}),
	600_000,
);

test(
	"a locked database is told while it is, and holds nobody up",
	() =>
		inWorld2(PLUGINS, async (world) => {
			const { database } = world;
			await hello(world);
			const holder = await until("the database", () => {
				const db = new Database(database, { create: false, readwrite: true });
				db.run("BEGIN EXCLUSIVE");
				return db;
			});
			await hello(world);
			await until("it to be told", () => trouble(world).some(isLasting));
			expect(trouble(world)[0]?.found).toContain("database is locked");
			holder.run("ROLLBACK");
			holder.close();
			await isOver(world);
			await expectSame(world, 40);
		}),
	600_000,
);

test(
	"a database that is removed while OpenCode runs is filled with all that was recorded",
	() =>
		inWorld2(PLUGINS, async (world) => {
			const { database } = world;
			await hello(world);
			await hello(world);
			await expectSame(world, 40);
			removeDatabase(database);
			await hello(world);
			await until("it to be told", () =>
				trouble(world).some(({ found }) => found.includes("it was removed")),
			);
			await expectSame(world, 60);
		}),
	600_000,
);

test(
	"a database that is overwritten while OpenCode runs is told once, set aside and filled anew",
	() =>
		inWorld2(PLUGINS, async (world) => {
			const { database } = world;
			await hello(world);
			await expectSame(world, 20);
			writeFileSync(database, "This is no database. ".repeat(10_000));
			await hello(world);
			await until("it to be told", () =>
				trouble(world).some(({ found }) => found.includes("it was damaged")),
			);
			await isOver(world);
			await expectSame(world, 40);
		}),
	600_000,
);

test("a daemon that hangs is told, and it is over when it answers", async () => {
	const folder = mkdtempSync(join(tmpdir(), "clankers-daemon-"));
	const socket = join(folder, "d.sock");
	const env = { CLANKERS_SOCKET_PATH: socket };
	try {
		await inWorld2({ ...PLUGINS, env }, async (world) => {
			const daemon = new Daemon(world.database, socket);
			try {
				await daemon.start();
				await hello(world);
				await expectSame(world, 20);
				daemon.suspend();
				await hello(world);
				await until("it to be told", () =>
					trouble(world).some(({ found }) =>
						found.includes("it has not answered within 10 s"),
					),
				);
				daemon.resume();
				await isOver(world);
				await expectSame(world, 40);
			} finally {
				await daemon.kill();
			}
		});
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}, 600_000);

/** How a person installs it, each with its form of the part for the screen. */
const FORMS: readonly {
	readonly form: string;
	readonly plugins: readonly unknown[];
	readonly prepare?: (home: Home) => void;
}[] = [
	{ form: "a folder that the configuration names", ...PLUGINS },
	{
		form: "the folder in the person's plugin folder",
		plugins: [],
		prepare: (home) => {
			const done = clankers(home, ["install"]);
			expect(done.status, done.output).toBe(0);
		},
	},
	{ form: "the package by its name", plugins: [NAME] },
];

test.each(FORMS)(
	"a person at the screen is shown that nothing is recorded: $form",
	async ({ plugins, prepare }) => {
		const registry = await Registry.start();
		try {
			if (plugins.includes(NAME)) registry.publish(PACKAGE);
			const env = { npm_config_registry: registry.url };
			const options = { plugins, prepare, env, start: startService };
			await inWorld2(options, async ({ database, home, model }) => {
				writeNewer(database);
				model.script("Say hello.", say("Hello, person."));
				const terminal = new Terminal(home);
				try {
					await terminal.shows(READY);
					await terminal.sends("Say hello.");
					await terminal.shows("Hello, person.");
					await terminal.shows("nothing is recorded");
					expect(terminal.printed).not.toContain("lugin failed");
				} finally {
					// An open one would start the service again.
					terminal.close();
				}
			});
		} finally {
			registry.stop();
		}
	},
	600_000,
);

/** A database of a schema that the plugin does not know. */
function writeNewer(database: string): void {
	mkdirSync(dirname(database), { recursive: true });
	const newer = new Database(database);
	newer.run("CREATE TABLE from_the_future (id TEXT)");
	newer.run("PRAGMA user_version = 999");
	newer.close();
}

/** A turn that OpenCode ends as if nothing were wrong. */
async function hello({ api, model, witness }: World2): Promise<void> {
	model.script("Say hello.", say("Hello."));
	const { id } = await api.createSession({ title: "Hello" });
	await api.prompt(id, "Say hello.");
	expect(JSON.stringify(await api.messages(id))).toContain("Hello.");
	await witness.see(api, id);
}

/** All that was told of is over, what was put off meanwhile too. */
async function isOver(world: World2): Promise<void> {
	await until("it to be over", () => {
		const told = trouble(world);
		return told.length > 0 && !told.some(isLasting);
	});
}

function trouble({ home }: World2): readonly Check[] {
	return diagnosed(home, "trouble");
}

function isLasting({ level }: Check): boolean {
	return level !== "good";
}
