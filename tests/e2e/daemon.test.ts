/** OpenCode with the daemon in place of the in-process database, which comes and goes. */

import { afterEach, beforeEach, expect, test } from "bun:test";
import {
	existsSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Api } from "./harness/api.ts";
import { Daemon } from "./harness/daemon.ts";
import { runTurn } from "./harness/opencode.ts";
import { removeDatabase } from "./harness/plugin.ts";
import { until } from "./harness/poll.ts";
import { clankers } from "./harness/program.ts";
import { PINNED_RELEASE } from "./harness/releases.ts";
import { say, think } from "./harness/script.ts";
import { inWorld, type World } from "./harness/world.ts";
import { withDatabase } from "./mirror/database.ts";
import { Witness } from "./mirror/truth.ts";
import { describeReport, settledMirror } from "./mirror.ts";
import { SERVED } from "./scenario/index.ts";
import { openStage, play } from "./scenario/play.ts";
import type { Stage, Step } from "./scenario/step.ts";

const GARBAGE = "This is no database. ".repeat(10_000);
const RELEASES = ["1.0.61", PINNED_RELEASE];
let folder: string;
let socket: string;

beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "clankers-daemon-"));
	socket = join(folder, "d.sock");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A world whose OpenCode records for a daemon. */
function inDaemonsWorld(
	release: string,
	scene: (world: World, daemon: Daemon) => Promise<void>,
): Promise<void> {
	const env = { CLANKERS_SOCKET_PATH: socket };
	return inWorld({ release, env }, async (world) => {
		const daemon = new Daemon(world.database, socket);
		try {
			await scene(world, daemon);
		} finally {
			await daemon.kill();
		}
	});
}

test.each(RELEASES)(
	"a served session is mirrored by a daemon that is started late, killed and away: %s",
	async (release) => {
		await inDaemonsWorld(release, async (world, daemon) => {
			const { home, model, database } = world;
			const server = await world.serve();
			const stage = await openStage(home, model, server);
			const [late, killed, away, ...rest] = SERVED;

			const parts = (): number => count(database, "parts");
			await played(stage, late);
			await until("OpenCode to store it itself", () => parts() > 0);
			await daemon.start();

			const before = parts();
			const playing = played(stage, killed);
			await until("the next turn to be under way", () => parts() > before);
			await daemon.kill();
			await playing;
			await daemon.start();

			await daemon.stop();
			await played(stage, away);
			await daemon.start();

			for (const step of rest) await played(stage, step);
			const rules = { release, tombstones: "all" } as const;
			const projects = [stage.api, stage.elsewhere];
			const report = await settledMirror(
				database,
				stage.witness,
				projects,
				rules,
			);
			expect(describeReport(report)).toBe(
				`${report.checks} of ${report.checks} checks held`,
			);
			expect(server.output()).not.toContain("clankers");
		});
	},
	600_000,
);

test.each(RELEASES)(
	"each `opencode run` is recorded, whether the daemon is there, killed or away: %s",
	async (release) => {
		await inDaemonsWorld(release, async (world, daemon) => {
			const { home, model, database } = world;
			model.script("Say hello.", think("A greeting.", "Hello."));
			model.script("Say it again.", say("Hello again."));
			model.script("And once more.", say("Hello once more."));
			const turn = async (prompt: string, ...args: string[]): Promise<void> => {
				const { code, output } = await runTurn(home, prompt, args);
				expect(output).not.toContain("clankers");
				expect(code).toBe(0);
			};

			const parts = (): number => count(database, "parts");
			await turn("Say hello.");
			const [away, there] = [parts(), () => parts() - away];
			expect(away).toBeGreaterThan(0);
			await daemon.start();
			await turn("Say it again.", "-c");
			// What it had sent when it exited.
			await until("the turn to be stored", () => there() > 0);
			const both = parts();
			await daemon.kill();
			await turn("And once more.", "-c");
			expect(parts()).toBeGreaterThan(both);

			// Asked of an OpenCode without the plugin: nothing is mended any more.
			const server = await world.serveWithoutPlugin();
			const report = await settledMirror(
				database,
				new Witness(),
				[server.api],
				{ release, tombstones: "all" },
			);
			expect(describeReport(report)).toBe(
				`${report.checks} of ${report.checks} checks held`,
			);
		});
	},
	600_000,
);

test.each([
	["is removed", removeDatabase],
	["is overwritten", (file: string) => writeFileSync(file, GARBAGE)],
] as const)(
	"the daemon's database %s while OpenCode runs: the new one has all of it",
	(_, spoil) =>
		inDaemonsWorld(PINNED_RELEASE, async (world, daemon) => {
			const { model, database } = world;
			await daemon.start();
			const { api } = await world.serve();
			const [one, other] = [
				await api.createSession(),
				await api.createSession(),
			];
			model.script("Before it.", say("Stored in the first one."));
			model.script("After it.", say("Stored in the second one."));
			await api.prompt(one.id, "Before it.");
			await api.prompt(other.id, "Before it.");
			await until("it to be stored", () => count(database, "messages") === 4);
			spoil(database);
			await api.prompt(one.id, "After it.");
			await expectMirrored(world, api);
		}),
	600_000,
);

test(
	"a backup is put back while OpenCode and the daemon run, and has in the end what came since",
	() =>
		inDaemonsWorld(PINNED_RELEASE, async (world, daemon) => {
			const { home, model, database } = world;
			await daemon.start();
			const { api } = await world.serve();
			const { id } = await api.createSession();
			for (const prompt of ["First.", "Second.", "Third."])
				model.script(prompt, say(`Answered: ${prompt}`));
			const backup = join(home.root, "backup.db");
			await api.prompt(id, "First.");
			await expectMirrored(world, api);
			expect(clankers(home, ["backup", backup]).status).toBe(0);
			await api.prompt(id, "Second.");
			await expectMirrored(world, api);
			expect(clankers(home, ["restore", backup, "--yes"]).status).toBe(0);
			expect(count(database, "messages")).toBe(2);
			await api.prompt(id, "Third.");
			await expectMirrored(world, api);
			expect(count(database, "messages")).toBe(6);
		}),
	600_000,
);

test(
	"a daemon that hangs is told in OpenCode's log, and that it is back",
	() =>
		inDaemonsWorld(PINNED_RELEASE, async (world, daemon) => {
			const { home, model } = world;
			await daemon.start();
			const { api } = await world.serve();
			const { id } = await api.createSession();
			model.script("First.", say("To the daemon."));
			model.script("Second.", say("While it hangs."));
			await api.prompt(id, "First.");
			await expectMirrored(world, api);
			daemon.suspend();
			await api.prompt(id, "Second.");
			const isLogged = (words: string): boolean =>
				readFileSync(join(home.store, "log", "opencode.log"), "utf8").includes(
					words,
				);
			await until("it to be told", () =>
				isLogged("it has not answered within 10 s"),
			);
			daemon.resume();
			await until("it to be over", () =>
				isLogged("is there, and records again"),
			);
			await expectMirrored(world, api);
		}),
	600_000,
);

async function expectMirrored({ database }: World, api: Api): Promise<void> {
	const rules = { release: PINNED_RELEASE, tombstones: "all" } as const;
	const report = await settledMirror(database, new Witness(), [api], rules);
	expect(describeReport(report)).toBe(
		`${report.checks} of ${report.checks} checks held`,
	);
}

async function played(stage: Stage, step: Step | undefined): Promise<void> {
	if (step === undefined) throw new Error("there is no such step");
	const { result, detail } = await play(stage, step);
	if (result !== "done") throw new Error(`${step.name}: ${detail}`);
}

function count(database: string, table: string): number {
	if (!existsSync(database)) return 0;
	return withDatabase(database, (open) => {
		const is = `SELECT 1 FROM sqlite_master WHERE name = '${table}'`;
		if (!open.query(is).get()) return 0;
		const counted = open.query(`SELECT count(*) AS n FROM ${table}`).get();
		return (counted as { n: number }).n;
	});
}
