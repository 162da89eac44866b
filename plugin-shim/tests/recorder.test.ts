import assert from "node:assert/strict";
import { join } from "node:path";
import { beforeEach, describe, it } from "node:test";
import { loadCore } from "../src/core.ts";
import type { Answer } from "../src/hosts/host.ts";
import { HostLog } from "../src/hosts/host-log.ts";
import { TroubleLog } from "../src/hosts/trouble-log.ts";
import { Recorder } from "../src/recorder.ts";
import type { Instance, Membership } from "../src/registry.ts";
import type { RefusedCommand } from "../src/storage/sink.ts";
import { type ListeningClient, listeningClient } from "./support/client.ts";
import {
	assistantMessage,
	sessionCreated,
	sessionIdle,
	sessionUpdated,
	textDelta,
	textPart,
} from "./support/events.ts";
import { poison } from "./support/poison.ts";
import {
	incompatible,
	replaced,
	ScriptedSink,
	unavailable,
	unsupported,
} from "./support/scripted-sink.ts";
import { temporaryFolder } from "./support/temporary.ts";
import { troubleIn } from "./support/trouble.ts";
import { until } from "./support/until.ts";

const { eventTypes } = loadCore();

/** One that has no project to catch up. */
function instance(client: ListeningClient): Instance {
	return { log: new HostLog(client), host: undefined };
}

describe("the recorder", () => {
	let sink: ScriptedSink;
	let recorder: Recorder;
	let client: ListeningClient;
	let member: Membership;

	beforeEach(() => {
		sink = new ScriptedSink();
		recorder = new Recorder({}, eventTypes.ignored, sink);
		client = listeningClient();
		member = recorder.join(instance(client));
		client.lines.length = 0;
	});

	const titles = (): unknown[] => sink.values("session.upsert", "title");
	const lines = (): string[] => client.lines.map(({ message }) => message);

	it("stores a turn's end before the hook returns", () => {
		member.observe(sessionCreated("ses_1", "one"));
		member.observe(sessionIdle("ses_1"));
		assert.ok(titles().includes("one"));
	});

	it("tells a new database nothing that counts on the old one, and tells the person", async () => {
		member.observe(sessionCreated("ses_1", "one"));
		member.observe(assistantMessage("ses_1", "msg_1"));
		member.observe(textPart("ses_1", "msg_1", "prt_1", ""));
		member.observe(textDelta("ses_1", "msg_1", "prt_1", "Hello "));
		await until("the text's beginning is stored", () =>
			sink.values("part.upsert", "text").includes("Hello "),
		);
		sink.failure = replaced("it was removed");
		member.observe(textDelta("ses_1", "msg_1", "prt_1", "you"));
		member.observe(sessionIdle("ses_1"));
		sink.failure = undefined;
		sink.batches.length = 0;
		await until("all of the text is there", () =>
			sink.values("part.upsert", "text").includes("Hello you"),
		);
		const whole = sink.values("session.upsert", "wholeAt");
		assert.ok(whole.every((at) => typeof at !== "number"));
		assert.deepEqual(client.toasts, [
			"it was removed",
			"storing again to `the scripted sink`",
		]);
	});

	it("stores what is not urgent a little later, many changes as one", async () => {
		member.observe(sessionCreated("ses_1", "one"));
		member.observe(sessionUpdated("ses_1", "two"));
		member.observe(sessionUpdated("ses_1", "three"));
		assert.equal(sink.attempts, 0);
		await until("the session is stored", () => sink.attempts > 0);
		assert.deepEqual(titles(), ["three"]);
	});

	it("stores a growing stream within a second or so", async () => {
		member.observe(sessionCreated("ses_1", "one"));
		member.observe(assistantMessage("ses_1", "msg_1"));
		member.observe(textPart("ses_1", "msg_1", "prt_1", ""));
		member.observe(textDelta("ses_1", "msg_1", "prt_1", "Hello "));
		await until("the text's beginning is stored", () =>
			sink.values("part.upsert", "text").includes("Hello "),
		);
		member.observe(textDelta("ses_1", "msg_1", "prt_1", "you"));
		await until("what came to it is stored, and no more", () =>
			sink.values("part.append", "text").includes("you"),
		);
	});

	it("records an event once that two instances bring", () => {
		member.observe(sessionCreated("ses_1", "one"));
		member.observe(assistantMessage("ses_1", "msg_1"));
		member.observe(textPart("ses_1", "msg_1", "prt_1", ""));
		const identical = textDelta("ses_1", "msg_1", "prt_1", "once");
		member.observe(identical);
		member.observe(identical);
		const [id, text] = ["evt_1", " and once"];
		member.observe(textDelta("ses_1", "msg_1", "prt_1", text, id));
		member.observe(textDelta("ses_1", "msg_1", "prt_1", text, id));
		recorder.end();
		assert.deepEqual(
			sink.values("part.upsert", "text").at(-1),
			"once and once",
		);
	});

	it("keeps what could not be stored, merges it with what follows, and tries again", async () => {
		sink.failure = unavailable("locked");
		member.observe(sessionCreated("ses_1", "one"));
		member.observe(sessionIdle("ses_1"));
		member.observe(sessionCreated("ses_2", "two"));
		member.observe(sessionUpdated("ses_1", "renamed"));
		assert.equal(sink.attempts, 1);
		sink.failure = undefined;
		await until("all is stored", () => sink.batches.length > 0);
		assert.deepEqual(new Set(titles()), new Set(["renamed", "two"]));
	});

	it("holds OpenCode for one attempt only while storing fails", () => {
		sink.failure = unavailable("locked");
		for (let turn = 0; turn < 100; turn++) {
			member.observe(sessionCreated(`ses_${turn}`, "one"));
			member.observe(sessionIdle(`ses_${turn}`));
		}
		assert.equal(sink.attempts, 1);
		sink.failure = undefined;
		recorder.end();
		assert.equal(titles().length, 100);
	});

	it("says at once in the log, and to the person, that storing fails, is over and fails again", async () => {
		sink.failure = unavailable("`/x.db`: database is locked");
		member.observe(sessionCreated("ses_1", "one"));
		member.observe(sessionIdle("ses_1"));
		const message =
			"not stored yet, will be tried again: `/x.db`: database is locked";
		assert.deepEqual(lines(), [message]);
		assert.deepEqual(client.toasts, []);
		await until("a few attempts have failed", () => sink.attempts >= 4);
		assert.deepEqual(client.toasts, [message]);
		sink.failure = undefined;
		await until("it is stored", () => sink.batches.length > 0);
		const over = "storing again to `the scripted sink`";
		assert.deepEqual(lines().at(-1), over);
		assert.deepEqual(client.toasts, [message, over]);
		sink.failure = unavailable("locked");
		member.observe(sessionUpdated("ses_1", "again"));
		member.observe(sessionIdle("ses_1"));
		const attempts = sink.attempts;
		await until("it has failed again", () => sink.attempts >= attempts + 4);
		assert.deepEqual(client.toasts.slice(2), [
			"not stored yet, will be tried again: locked",
		]);
		recorder.end();
	});

	it("treats a failure it does not know like a lock", async () => {
		sink.failure = new TypeError("a bug");
		member.observe(sessionCreated("ses_1", "one"));
		member.observe(sessionIdle("ses_1"));
		sink.failure = undefined;
		await until("it is stored", () => sink.batches.length > 0);
	});

	it("says at once, and once, that a database is not to be written, and stores all of it when it is", async () => {
		sink.failure = incompatible("written by a newer clankers");
		for (let turn = 0; turn < 100; turn++) {
			member.observe(sessionCreated(`ses_${turn}`, "one"));
			member.observe(sessionIdle(`ses_${turn}`));
		}
		assert.equal(sink.attempts, 1);
		const message = "nothing is recorded: written by a newer clankers";
		await until("it was tried again", () => sink.attempts >= 4);
		assert.deepEqual(lines(), [message]);
		assert.deepEqual(client.toasts, [message]);
		sink.failure = undefined;
		await until("all is stored", () => titles().length === 100);
		assert.deepEqual(client.toasts, [
			message,
			"storing again to `the scripted sink`",
		]);
		recorder.end();
	});

	it("says that a lock has become something that lasts", async () => {
		sink.failure = unavailable("locked");
		member.observe(sessionCreated("ses_1", "one"));
		member.observe(sessionIdle("ses_1"));
		await until("a few attempts have failed", () => sink.attempts >= 3);
		sink.failure = incompatible("tables of something else");
		await until("it has failed otherwise", () => client.toasts.length === 2);
		assert.equal(
			client.toasts[1],
			"nothing is recorded: tables of something else",
		);
		recorder.end();
	});

	it("holds so much and no more while nothing can be stored, and has OpenCode asked for the rest", async () => {
		const asked: string[] = [];
		const { log } = instance(client);
		const ask = async (request: { kind: string }): Promise<Answer> => {
			asked.push(request.kind);
			return { outcome: "none" };
		};
		recorder.join({ log, host: { directory: "/home/user/p", log, ask } });
		await until("the directory is compared", () => asked.length > 0);
		asked.length = 0;
		sink.failure = incompatible("tables of something else");
		for (let session = 0; session < 12_000; session++)
			member.observe(sessionCreated(`ses_${session}`, "one"));
		member.observe(sessionIdle("ses_1"));
		await until("it is let go of", () =>
			lines().some((line) => /changes .* are let go of/.test(line)),
		);
		assert.deepEqual(asked, []);
		sink.failure = undefined;
		member.observe(sessionCreated("ses_new", "new"));
		member.observe(sessionIdle("ses_new"));
		await until("something is stored", () => sink.batches.length > 0);
		assert.ok(titles().length < 100, `${titles().length} were held`);
		await until("OpenCode is asked", () => asked.length > 0);
		recorder.end();
	});

	it("holds so many bytes of texts and no more while nothing can be stored, and has OpenCode asked for their sessions", async () => {
		const asked: string[] = [];
		const { log } = instance(client);
		const ask = async (
			request: Readonly<Record<string, unknown>>,
		): Promise<Answer> => {
			asked.push([request["kind"], request["sessionId"]].join(" ").trim());
			return { outcome: "none" };
		};
		const small = new Recorder({ pendingMiB: 1 }, eventTypes.ignored, sink);
		const told = small.join({
			log,
			host: { directory: "/home/user/p", log, ask },
		});
		await until("the directory is compared", () => asked.length > 0);
		asked.length = 0;
		sink.failure = unavailable("locked");
		for (const [session, length] of [
			["ses_1", 700_000],
			["ses_2", 600_000],
			["ses_3", 1000],
		] as const) {
			told.observe(sessionCreated(session, session));
			told.observe(assistantMessage(session, `msg_${session}`));
			const text = "x".repeat(length);
			told.observe(textPart(session, `msg_${session}`, `prt_${session}`, text));
			told.observe(sessionIdle(session));
		}
		await until("it is let go of", () =>
			lines().some((line) =>
				/longest texts of 1 MiB .* are let go of/.test(line),
			),
		);
		sink.failure = undefined;
		told.observe(sessionIdle("ses_3"));
		await until("it is asked for", () => asked.includes("session ses_1"));
		assert.deepEqual(sink.values("part.upsert", "id").toSorted(), [
			"prt_ses_2",
			"prt_ses_3",
		]);
		assert.deepEqual(titles().toSorted(), ["ses_1", "ses_2", "ses_3"]);
		small.end();
	});

	it("stores much in slices, and lets others have their turn between them", async () => {
		for (let at = 0; at < 8; at++) {
			const session = `ses_${at}`;
			member.observe(sessionCreated(session, session));
			member.observe(assistantMessage(session, `msg_${at}`));
			const text = "x".repeat(200_000);
			member.observe(textPart(session, `msg_${at}`, `prt_${at}`, text));
		}
		/** How many batches there were when others had their turn. */
		const seen = new Set<number>();
		let isOver = false;
		const look = (): void => {
			seen.add(sink.batches.length);
			if (!isOver) setImmediate(look);
		};
		setImmediate(look);
		member.observe(sessionIdle("ses_0"));
		const stored = (): number => sink.values("part.upsert", "id").length;
		await until("all is stored", () => stored() === 8);
		await new Promise((resolve) => setImmediate(resolve));
		isOver = true;
		for (const batch of sink.batches)
			assert.ok(JSON.stringify(batch).length < 600_000);
		assert.ok(seen.size >= 3, `${[...seen]}`);
		recorder.end();
	});

	it("stops for good where this process can store nothing, and says so once", () => {
		sink.failure = unsupported("SQLite is too old");
		for (let turn = 0; turn < 100; turn++) {
			member.observe(sessionCreated(`ses_${turn}`, "one"));
			member.observe(sessionIdle(`ses_${turn}`));
		}
		assert.equal(sink.attempts, 1);
		const message = "nothing is recorded: SQLite is too old";
		assert.deepEqual(lines(), [message]);
		assert.deepEqual(client.toasts, [message]);
		sink.failure = undefined;
		recorder.end();
		member.leave();
		assert.equal(sink.attempts, 1);
	});

	describe("for a host without a log", () => {
		let file: string;
		let now: number;
		let own: Membership;

		beforeEach(() => {
			file = join(temporaryFolder(), "x.db.log");
			now = 1_790_000_000_000;
			const log = new HostLog(undefined);
			log.file = new TroubleLog({
				...{ database: "x.db", release: "2.0.15", now: () => now },
				files: { beside: file, shared: `${file}.shared` },
			});
			const ask = async (): Promise<Answer> => ({ outcome: "none" });
			const directory = "/home/user/project";
			own = recorder.join({ log, host: { directory, log, ask } });
		});

		const told = (): string[] =>
			troubleIn(file).map(
				({ level, about, message }) => `${level} ${about}: ${message}`,
			);

		it("says as long as events come that they are not recorded", () => {
			sink.failure = incompatible("written by a newer clankers");
			for (let minute = 0; minute < 25; minute++) {
				own.observe(sessionCreated("ses_1", "one"));
				own.observe(sessionIdle("ses_1"));
				now += 60_000;
			}
			const line =
				"error storage: nothing is recorded: written by a newer clankers";
			assert.deepEqual(told(), [line, line, line]);
		});

		it("says that a daemon hangs, and once it does not", () => {
			const [hangs, is] = ["it has not answered within 10 s", "it is there"];
			for (let time = 0; time < 2; time++) {
				sink.listener?.notify(hangs);
				sink.listener?.well(is, true);
			}
			const both = [`error daemon: ${hangs}`, `info daemon: ${is}`];
			assert.deepEqual(told(), [...both, ...both]);
		});

		it("says what is lost, and that of no rejection, which is a row", () => {
			sink.refused = [
				{
					command: { method: "session.upsert", params: { id: "ses_1" } },
					reason: "constraint failed",
				},
			];
			own.observe({ type: "session.unheard_of" });
			own.observe(sessionCreated("ses_1", "one"));
			own.observe(sessionIdle("ses_1"));
			assert.deepEqual(told(), [
				"error plugin: a `session.upsert` was refused: constraint failed",
			]);
		});

		it("says that the core was restarted, and once OpenCode was asked", async () => {
			own.observe(sessionCreated("ses_1", "one"));
			poison();
			own.observe(sessionUpdated("ses_1", "two"));
			assert.match(
				told().join("\n"),
				/^error events: the core was restarted: /,
			);
			await until("it has asked", () => told().length > 1);
			assert.equal(told().at(-1), "info events: what was missed is here");
		});
	});

	it("logs a command that the storage refuses", () => {
		sink.refused = [
			{
				command: { method: "session.upsert", params: { id: "ses_1" } },
				reason: "constraint failed",
			},
		];
		member.observe(sessionCreated("ses_1", "one"));
		member.observe(sessionIdle("ses_1"));
		assert.deepEqual(lines(), [
			"a `session.upsert` was refused: constraint failed",
		]);
	});

	it("logs each kind of rejection once", () => {
		for (let turn = 0; turn < 3; turn++) {
			member.observe({ type: "session.unheard_of" });
			member.observe(sessionIdle("ses_1"));
		}
		recorder.end();
		const rejections = lines().filter((line) => /unheard_of/.test(line));
		assert.equal(rejections.length, 1);
	});

	it("stores everything and closes when the last instance leaves", () => {
		const other = recorder.join(instance(listeningClient()));
		member.observe(sessionCreated("ses_1", "one"));
		member.leave();
		assert.deepEqual(titles(), ["one"]);
		assert.equal(sink.closed, 0);
		member.observe(sessionCreated("ses_2", "two"));
		other.leave();
		other.leave();
		assert.deepEqual(titles(), ["one", "two"]);
		assert.equal(sink.closed, 1);
	});

	it("gives way to a later release once all is stored, whoever has not left", async () => {
		member.observe(sessionCreated("ses_1", "one"));
		sink.failure = unavailable("locked");
		recorder.stepDown();
		assert.equal(recorder.isOver, false);
		sink.failure = undefined;
		sink.waits = true;
		recorder.stepDown();
		member.observe(sessionUpdated("ses_1", "two"));
		assert.equal(recorder.isOver, false);
		await sink.land();
		assert.equal(recorder.isOver, false);
		await sink.land();
		assert.equal(recorder.isOver, true);
		assert.deepEqual(titles(), ["one", "two"]);
		assert.ok(sink.closed > 0);
		const { attempts } = sink;
		member.observe(sessionUpdated("ses_1", "of the later release"));
		member.missed();
		await member.finish();
		await member.leave();
		recorder.end();
		assert.equal(recorder.isOver, true);
		assert.equal(sink.attempts, attempts);
	});

	it("is over once the last instance has left and all is stored, and only then", () => {
		assert.equal(recorder.isOver, false);
		member.observe(sessionCreated("ses_1", "one"));
		sink.failure = unavailable("locked");
		member.leave();
		assert.equal(recorder.isOver, false);
		sink.failure = undefined;
		recorder.join(instance(client)).leave();
		assert.equal(recorder.isOver, true);
		member.observe(sessionCreated("ses_2", "two"));
		assert.equal(recorder.isOver, false);
	});

	it("asks for what an instance missed, and another host once its own is gone", async () => {
		const asked: string[] = [];
		const join = (name: string): Membership => {
			const log = new HostLog(undefined);
			const ask = async (): Promise<Answer> => {
				asked.push(name);
				return { outcome: "failed" };
			};
			const directory = "/home/user/project";
			return recorder.join({ log, host: { directory, log, ask } });
		};
		const first = join("first");
		await until("its directory is compared", () => asked.length === 1);
		const second = join("second");
		await until("the same host is asked again", () => asked.length === 2);
		first.leave();
		second.missed();
		await until("it is compared once more", () => asked.length === 3);
		assert.deepEqual(asked, ["first", "first", "second"]);
		second.leave();
		second.missed();
	});

	it("records on when an event comes after the last instance has left", () => {
		member.leave();
		member.observe(sessionCreated("ses_1", "late"));
		member.observe(sessionIdle("ses_1"));
		assert.ok(titles().includes("late"));
	});

	it("keeps what it could not store when the last instance left", async () => {
		sink.failure = unavailable("locked");
		member.observe(sessionCreated("ses_1", "one"));
		member.leave();
		assert.equal(sink.closed, 0);
		sink.failure = undefined;
		await until("it is stored", () => sink.batches.length > 0);
		assert.deepEqual(titles(), ["one"]);
	});

	it("speaks through the newest instance that is left", () => {
		const second = listeningClient();
		const other = recorder.join(instance(second));
		second.lines.length = 0;
		other.leave();
		sink.failure = incompatible("too new");
		member.observe(sessionCreated("ses_1", "one"));
		member.observe(sessionIdle("ses_1"));
		assert.equal(client.toasts.length, 1);
		assert.equal(second.toasts.length, 0);
	});

	it("tries a few times at the process's end, and then lets go", () => {
		sink.failure = unavailable("locked");
		member.observe(sessionCreated("ses_1", "one"));
		recorder.end();
		assert.equal(sink.attempts, 5);
		assert.equal(sink.closed, 1);
	});

	describe("while a batch waits for another process", () => {
		beforeEach(() => {
			sink.waits = true;
			member.observe(sessionCreated("ses_1", "one"));
			member.observe(sessionIdle("ses_1"));
			assert.ok(sink.isWaiting);
		});

		it("stores a turn's end that comes meanwhile right after it", async () => {
			member.observe(sessionCreated("ses_2", "two"));
			member.observe(sessionIdle("ses_2"));
			assert.deepEqual(titles(), []);
			await sink.land();
			assert.deepEqual(titles(), ["one"]);
			await sink.land();
			assert.deepEqual(titles(), ["one", "two"]);
			assert.ok(!sink.isWaiting);
		});

		it("lets what is not urgent wait as long as ever", async () => {
			member.observe(sessionCreated("ses_3", "three"));
			await sink.land();
			assert.ok(!sink.isWaiting);
			await until("the timer has come", () => sink.isWaiting);
			await sink.land();
			assert.deepEqual(titles(), ["one", "three"]);
		});

		it("tries it again, merged with what follows, when it was not stored", async () => {
			member.observe(sessionUpdated("ses_1", "renamed"));
			sink.failure = unavailable("locked");
			await sink.land();
			assert.match(lines().at(-1) ?? "", /not stored yet.*locked/);
			sink.failure = undefined;
			await until("it is tried again", () => sink.isWaiting);
			await sink.land();
			assert.deepEqual(titles(), ["renamed"]);
			assert.match(lines().at(-1) ?? "", /storing again/);
		});

		it("stores it, and what has come since, before the process ends", async () => {
			member.observe(sessionCreated("ses_2", "two"));
			recorder.end();
			assert.deepEqual(titles(), ["one", "two"]);
			assert.equal(sink.closed, 1);
			await sink.land();
			assert.equal(sink.batches.length, 2);
		});

		it("tries it again with the rest when it cannot be stored at the process's end at first", () => {
			member.observe(sessionUpdated("ses_1", "renamed"));
			let failures = 2;
			Object.defineProperty(sink, "failure", {
				get: () => (failures-- > 0 ? unavailable("locked") : undefined),
			});
			recorder.end();
			assert.deepEqual(titles(), ["renamed"]);
		});

		it("closes once it is stored, with what has come since, when the last instance left", async () => {
			member.leave();
			member.observe(sessionCreated("ses_2", "late"));
			assert.equal(sink.closed, 0);
			await sink.land();
			assert.equal(sink.closed, 0);
			await sink.land();
			assert.deepEqual(titles(), ["one", "late"]);
			assert.equal(sink.closed, 1);
		});

		it("logs what was refused of it", async () => {
			const command = { method: "session.upsert", params: { id: "ses_1" } };
			sink.refused = [{ command, reason: "no" } as RefusedCommand];
			await sink.land();
			assert.deepEqual(lines(), ["a `session.upsert` was refused: no"]);
		});
	});
});
