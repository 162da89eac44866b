import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, describe, it } from "node:test";
import type { HostClient } from "../src/hosts/host-log.ts";
import type { Hooks } from "../src/hosts/opencode1.ts";
import { record } from "../src/plugin.ts";
import { type ListeningClient, listeningClient } from "./support/client.ts";
import { TestDaemon } from "./support/daemon.ts";
import {
	assistantMessage,
	sessionCreated,
	sessionIdle,
	sessionUpdated,
	textDelta,
	textPart,
} from "./support/events.ts";
import { poison } from "./support/poison.ts";
import { runAll } from "./support/processes.ts";
import { lock, query, queryMeanwhile } from "./support/query.ts";
import { ScriptedSessions } from "./support/scripted-sessions.ts";
import { newDatabasePath, temporaryFolder } from "./support/temporary.ts";
import { until } from "./support/until.ts";

for (const name of Object.keys(process.env))
	if (name.startsWith("CLANKERS_")) delete process.env[name];

describe("the plugin", () => {
	let dbPath: string;
	let client: ListeningClient;

	beforeEach(() => {
		dbPath = newDatabasePath();
		client = listeningClient();
	});

	const titles = (): unknown[] =>
		queryMeanwhile(dbPath, "SELECT title FROM sessions ORDER BY id").map(
			({ title }) => title,
		);
	const text = (): unknown =>
		queryMeanwhile(dbPath, "SELECT text FROM parts WHERE id = 'prt_1'")[0]?.[
			"text"
		];
	/** Begins a text, as every instance of one project hears it. */
	const beginText = (...instances: Hooks[]): void => {
		for (const event of [
			sessionCreated("ses_1", "one"),
			assistantMessage("ses_1", "msg_1"),
			textPart("ses_1", "msg_1", "prt_1", ""),
		])
			for (const { event: hook } of instances) hook?.({ event });
	};

	it("records a conversation", async () => {
		const hooks = await record({ client }, { dbPath });
		beginText(hooks);
		for (const delta of ["Hello", " ", "world"])
			hooks.event?.({ event: textDelta("ses_1", "msg_1", "prt_1", delta) });
		hooks.event?.({ event: sessionIdle("ses_1") });
		await until("it is stored", () => text() === "Hello world");
		assert.deepEqual(titles(), ["one"]);
		await hooks.dispose?.();
	});

	it("stores what is left when it is disposed", async () => {
		const hooks = await record({ client }, { dbPath });
		hooks.event?.({ event: sessionCreated("ses_1", "one") });
		await hooks.dispose?.();
		assert.deepEqual(titles(), ["one"]);
	});

	it("takes what is told after it was disposed as part of what it knows", async () => {
		const hooks = await record({ client }, { dbPath });
		const whole = (): unknown =>
			query(dbPath, "SELECT whole_at FROM session_own")[0]?.["whole_at"];
		hooks.event?.({ event: sessionCreated("ses_1", "one") });
		hooks.event?.({ event: sessionIdle("ses_1") });
		await hooks.dispose?.();
		const before = whole();
		assert.equal(typeof before, "number");
		hooks.event?.({ event: sessionUpdated("ses_1", "two") });
		await until("it is stored", () => titles()[0] === "two");
		assert.equal(whole(), before);
	});

	it("stores what is left when the process exits at once", async () => {
		const child = join(import.meta.dirname, "support", "record-and-exit.ts");
		const plugin = join(import.meta.dirname, "..", "src", "index.ts");
		const [output] = await runAll([[child, plugin]], {
			CLANKERS_DB_PATH: dbPath,
		});
		assert.equal(output, "");
		assert.deepEqual(titles(), ["last words"]);
	});

	it("records each event once when it is loaded twice, and shares one connection", async () => {
		const first = await record({ client }, { dbPath });
		const second = await record({ client }, { dbPath });
		beginText(first, second);
		// Up to 1.14 both get the identical object …
		const identical = textDelta("ses_1", "msg_1", "prt_1", "once");
		first.event?.({ event: identical });
		second.event?.({ event: identical });
		// … and from 1.17 on a copy each, with the same id.
		for (const { event: hook } of [first, second])
			hook?.({ event: textDelta("ses_1", "msg_1", "prt_1", "!", "evt_1") });
		first.event?.({ event: sessionIdle("ses_1") });
		await until("it is stored", () => text() === "once!");
		await first.dispose?.();
		second.event?.({ event: sessionCreated("ses_2", "two") });
		await second.dispose?.();
		assert.deepEqual(titles(), ["one", "two"]);
	});

	it("records on when it is loaded again without having been disposed", async () => {
		const dead = await record({ client }, { dbPath });
		beginText(dead);
		const living = await record({ client }, { dbPath });
		living.event?.({ event: textDelta("ses_1", "msg_1", "prt_1", "on") });
		living.event?.({ event: sessionCreated("ses_2", "two") });
		await living.dispose?.();
		assert.deepEqual(titles(), ["one", "two"]);
		assert.equal(text(), "on");
	});

	it("records on through an older instance when a newer one was disposed", async () => {
		const older = await record({ client }, { dbPath });
		const newer = await record({ client }, { dbPath });
		await newer.dispose?.();
		older.event?.({ event: sessionCreated("ses_1", "one") });
		await older.dispose?.();
		assert.deepEqual(titles(), ["one"]);
	});

	it("does not even read an event that the core ignores", async () => {
		const hooks = await record({ client }, { dbPath });
		const touchy = (type: string): { type: string } =>
			new Proxy(
				{ type },
				{
					get: (target, key) =>
						key === "type" ? target.type : assert.fail(`read ${String(key)}`),
				},
			);
		for (const type of [
			"lsp.updated",
			"file.watcher.updated",
			"tui.toast.show",
		])
			hooks.event?.({ event: touchy(type) });
		assert.deepEqual(
			client.lines.filter(({ level }) => level !== "info"),
			[],
		);
		await hooks.dispose?.();
	});

	it("answers every event with the same promise, resolved already", async () => {
		const hooks = await record({ client }, { dbPath });
		const answers = [
			hooks.event?.({ event: { type: "lsp.updated" } }),
			hooks.event?.({ event: sessionCreated("ses_1", "one") }),
		];
		assert.equal(answers[0], answers[1]);
		assert.equal(await answers[0], undefined);
		await hooks.dispose?.();
	});

	it("never throws, whatever comes in", async () => {
		const hooks = await record({ client }, { dbPath });
		const cycle: Record<string, unknown> = { type: "session.created" };
		cycle["properties"] = cycle;
		const inputs: unknown[] = [
			...[undefined, null, {}, { event: null }, { event: 7 }],
			...["", "session.created", 7, null].map((type) => ({ event: { type } })),
			{ event: { type: "session.created", properties: null } },
			{ event: { type: "session.created", properties: { info: [] } } },
			{ event: { type: "session.created", id: 9, properties: { info: "x" } } },
			{ event: cycle },
			{
				event: new Proxy({}, { get: () => assert.fail("a hostile event") }),
			},
		];
		const hook = hooks.event as (input: unknown) => Promise<void>;
		for (const input of inputs) await hook(input);
		await hook({ event: sessionCreated("ses_1", "one") });
		await hooks.dispose?.();
		assert.deepEqual(titles(), ["one"]);
		assert.ok(client.lines.some(({ level }) => level === "error"));
	});

	it("is not disturbed by a client that throws", async () => {
		const no = (): never => {
			throw new Error("no client today");
		};
		const broken: unknown[] = [
			undefined,
			{ app: { log: no }, tui: { showToast: no } },
			{ app: { log: async () => no() }, tui: { showToast: async () => no() } },
		];
		for (const [index, client] of broken.entries()) {
			const unlock = lock(dbPathOf(index));
			const hooks = await record(
				{ client: client as HostClient },
				{ dbPath: dbPathOf(index), onDelete: "never" },
			);
			hooks.event?.({ event: sessionCreated("ses_1", "one") });
			hooks.event?.({ event: sessionIdle("ses_1") });
			unlock();
			await hooks.dispose?.();
			assert.equal(query(dbPathOf(index), "SELECT * FROM sessions").length, 1);
		}
	});

	it("loses nothing to a lock, and waits for it outside the hook", async () => {
		const hooks = await record({ client }, { dbPath });
		hooks.event?.({ event: sessionCreated("ses_1", "one") });
		hooks.event?.({ event: sessionIdle("ses_1") });
		await until("the first is stored", () => titles().length === 1);
		const unlock = lock(dbPath);
		const started = performance.now();
		for (let turn = 2; turn < 100; turn++) {
			hooks.event?.({ event: sessionCreated(`ses_${turn}`, "locked") });
			hooks.event?.({ event: sessionIdle(`ses_${turn}`) });
		}
		assert.ok(
			performance.now() - started < 2000,
			"not the five seconds of ninety-eight attempts",
		);
		await until("the person is told", () => client.toasts.length > 0);
		unlock();
		await until("all is stored", () => titles().length === 99);
		await until("they are told that, too", () => client.toasts.length > 1);
		assert.match(client.toasts[0] ?? "", /database is locked/);
		assert.match(client.toasts[1] ?? "", /storing again/);
		assert.equal(client.toasts.length, 2);
		await hooks.dispose?.();
	});

	it("goes on after the core has trapped", async () => {
		const hooks = await record({ client }, { dbPath });
		hooks.event?.({ event: sessionCreated("ses_1", "before") });
		hooks.event?.({ event: sessionIdle("ses_1") });
		poison();
		hooks.event?.({ event: sessionCreated("ses_2", "after") });
		await hooks.dispose?.();
		assert.deepEqual(titles(), ["before", "after"]);
		assert.ok(
			client.lines.some(({ message }) => /core was restarted/.test(message)),
		);
	});

	it("reports settings that it cannot use, and records all the same", async () => {
		const hooks = await record(
			{ client },
			{ dbPath, logLevel: "loud", colour: "red" },
		);
		assert.deepEqual(client.lines, [
			{ level: "warn", message: "unknown option `colour`" },
			{
				level: "warn",
				message:
					"`logLevel`: expected `debug`, `info`, `warn`, `error`, `off`, found `loud`; it is not used",
			},
			{ level: "info", message: `records to \`${dbPath}\`` },
		]);
		hooks.event?.({ event: sessionCreated("ses_1", "one") });
		await hooks.dispose?.();
		assert.deepEqual(titles(), ["one"]);
	});

	it("records through the daemon where that is asked for", async () => {
		const daemon = new TestDaemon(dbPath);
		await daemon.start();
		const { socketPath } = daemon;
		const own = join(dirname(dbPath), "own.db");
		const options = { storage: "daemon", socketPath, dbPath: own };
		const hooks = await record({ client }, options);
		beginText(hooks);
		hooks.event?.({ event: textDelta("ses_1", "msg_1", "prt_1", "Hello") });
		hooks.event?.({ event: sessionIdle("ses_1") });
		await until("the daemon has stored it", () => text() === "Hello");
		await hooks.dispose?.();
		assert.deepEqual(titles(), ["one"]);
		assert.deepEqual(client.toasts, []);
		assert.ok(!existsSync(own));
		await daemon.stop();
	});

	it("tells a daemon of another machine's file what it missed, as far as OpenCode still has it", async () => {
		const daemon = new TestDaemon(dbPath);
		const { socketPath } = daemon;
		const own = join(dirname(dbPath), "own.db");
		const options = { storage: "daemon", socketPath, dbPath: own };
		const sessions = new ScriptedSessions();
		sessions.add("ses_1", "while it was away", ["Hello", "you"]);
		const directory = "/home/user/project";
		const hooks = await record(
			{ client: { ...client, ...sessions.client }, directory },
			options,
		);
		hooks.event?.({ event: sessionCreated("ses_1", "while it was away") });
		hooks.event?.({ event: sessionIdle("ses_1") });
		await until(
			"it is in this process's own file",
			() => queryMeanwhile(own, "SELECT * FROM sessions").length === 1,
		);
		await daemon.start();
		const said = (): string =>
			client.lines.map(({ message }) => message).join("\n");
		await until("it is there", () => /is there, and records/.test(said()));
		// As far as events go, this session is stored whole.
		hooks.event?.({ event: sessionUpdated("ses_1", "while it was away") });
		hooks.event?.({ event: sessionIdle("ses_1") });
		await until("the daemon has it whole", () => {
			const parts = query(dbPath, "SELECT text FROM parts ORDER BY id");
			return parts.map(({ text }) => text).join(" ") === "Hello you";
		});
		assert.deepEqual(titles(), ["while it was away"]);
		assert.match(said(), /is away, this process records to `.*own\.db` itself/);
		assert.match(
			said(),
			/writes `.*clankers\.db`; while it is away, .*own\.db/,
		);
		await hooks.dispose?.();
		await daemon.stop();
	});

	it("records once another release in the process has ended, and asks for what it missed", async () => {
		const shared = globalThis as { [key: symbol]: unknown };
		const key = Symbol.for("opencode-clankers");
		const before = shared[key];
		const old = { isOver: false };
		shared[key] = { protocol: -1, recorders: new Map([["one", old]]) };
		try {
			const sessions = new ScriptedSessions();
			sessions.add("ses_1", "not heard", ["Hello"]);
			const directory = "/home/user/project";
			const speaking = { ...client, ...sessions.client };
			const hooks = await record({ client: speaking, directory }, { dbPath });
			hooks.event?.({ event: sessionCreated("ses_2", "not heard either") });
			old.isOver = true;
			await until("it has caught up", () => titles()[0] === "not heard");
			hooks.event?.({ event: sessionCreated("ses_3", "heard") });
			await hooks.dispose?.();
			assert.deepEqual(titles(), ["not heard", "heard"]);
		} finally {
			shared[key] = before;
		}
	});

	it("prints nothing", async () => {
		const child = join(import.meta.dirname, "support", "record-and-exit.ts");
		const plugin = join(import.meta.dirname, "..", "src", "index.ts");
		const [output] = await runAll([[child, plugin]], {
			CLANKERS_DB_PATH: "relative, and not a path at all",
			CLANKERS_DATA_PATH: "/proc/nowhere",
			XDG_STATE_HOME: temporaryFolder(),
		});
		assert.equal(output, "");
	});
});

const paths = new Map<number, string>();

/** A database for each number, in a folder that exists. */
function dbPathOf(index: number): string {
	const path = paths.get(index) ?? join(newDatabasePath(), "..", "..", "x.db");
	paths.set(index, path);
	return path;
}
