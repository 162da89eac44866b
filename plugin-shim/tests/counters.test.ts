/** What a recorder says of itself with each batch. */
import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import type { Report } from "../../pkg/clankers.js";
import { loadCore } from "../src/core.ts";
import { Counters } from "../src/counters.ts";
import { pauseAfter, systemClock } from "../src/drain-timer.ts";
import type { Answer, HostRequest } from "../src/hosts/host.ts";
import { HostLog } from "../src/hosts/host-log.ts";
import { Recorder } from "../src/recorder.ts";
import type { Membership } from "../src/registry.ts";
import type { RefusedCommand } from "../src/storage/sink.ts";
import { listeningClient } from "./support/client.ts";
import { sessionUpsert } from "./support/commands.ts";
import { sessionCreated, sessionIdle } from "./support/events.ts";
import { poison } from "./support/poison.ts";
import { ScriptedSink, unavailable } from "./support/scripted-sink.ts";
import { until } from "./support/until.ts";

const { eventTypes } = loadCore();
const [IGNORED = ""] = eventTypes.ignored;
const DIRECTORY = "/home/user/project";

describe("a recorder's report", () => {
	let sink: ScriptedSink;
	let recorder: Recorder;
	let member: Membership;
	let now: number;
	/** How long it wanted to wait for things. */
	let waits: number[];

	beforeEach(() => {
		sink = new ScriptedSink();
		now = 1000;
		waits = [];
		recorder = new Recorder({ dialect: "kilo" }, eventTypes.ignored, sink, {
			now: () => now,
			clock: {
				...systemClock,
				after: (milliseconds, callback) => {
					waits.push(milliseconds);
					return systemClock.after(milliseconds, callback);
				},
			},
		});
	});

	/** A project whose host answers a request so, and the word that there is none where it says nothing. */
	function join(answer: (request: HostRequest) => Answer | undefined): void {
		const log = new HostLog(undefined);
		const ask = async (request: HostRequest): Promise<Answer> =>
			answer(request) ?? { outcome: "none" };
		member = recorder.join({ log, host: { directory: DIRECTORY, log, ask } });
	}

	const report = (): Report => sink.report ?? assert.fail("nothing was told");
	const turn = (id: string): void => {
		member.observe(sessionCreated(id, "one"));
		member.observe(sessionIdle(id));
	};

	describe("of a project that nobody can be asked about", () => {
		beforeEach(() => {
			member = recorder.join({ log: new HostLog(undefined), host: undefined });
		});

		it("counts each event once, and how many are never recorded", () => {
			const again = recorder.join({
				log: new HostLog(undefined),
				host: undefined,
			});
			const idle = sessionIdle("ses_1");
			now = 2000;
			for (const event of [
				{ type: IGNORED },
				sessionCreated("ses_1", "one"),
				idle,
			]) {
				again.observe(event);
				member.observe(event);
			}
			const { seen, ignored: never, startedAt, reportedAt, dialect } = report();
			assert.deepEqual([seen, never], [3, 1]);
			assert.deepEqual([startedAt, reportedAt, dialect], [1000, 2000, "kilo"]);
			assert.equal(report().pid, process.pid);
		});

		it("counts what is stored, once it is", () => {
			sink.failure = unavailable("locked");
			turn("ses_1");
			sink.failure = undefined;
			recorder.end();
			const stored = sink.batches.flat().length;
			assert.ok(stored > 0);
			assert.deepEqual([report().commands, report().drains], [stored, 1]);
			turn("ses_2");
			assert.equal(report().commands, sink.batches.flat().length);
			assert.equal(report().drains, sink.batches.length);
			assert.equal(report().waiting, 0);
		});

		it("counts what was refused as the rows say it", () => {
			for (let time = 0; time < 3; time++)
				member.observe({ type: "session.unheard_of" });
			turn("ses_1");
			member.observe({ type: "session.unheard_of" });
			recorder.end();
			const rows = sink.values("rejection.record", "count").map(Number);
			assert.equal(
				report().refused,
				rows.reduce((sum, count) => sum + count),
			);
			assert.equal(report().refused, 4);
		});

		it("says how many commands are left for later batches", () => {
			sink.waits = true;
			turn("ses_0");
			const long = "x".repeat(400 * 1024);
			for (const id of ["ses_1", "ses_2", "ses_3"])
				member.observe(sessionCreated(id, long));
			const waiting: number[] = [];
			const { apply } = sink;
			sink.apply = (commands, told) => {
				waiting.push(told?.waiting ?? Number.NaN);
				return apply.call(sink, commands, told);
			};
			recorder.end();
			assert.deepEqual(waiting, [2, 1, 0]);
		});

		it("says what went wrong last, in few words and without a path", () => {
			sink.failure = unavailable(
				`\`/home/user/my data/x.db\`: open '/home/o'brien/my client/x.db': disk 'c' ${"x".repeat(500)}`,
			);
			now = 5000;
			turn("ses_1");
			now = 6000;
			sink.failure = undefined;
			recorder.end();
			assert.match(report().lastError ?? "", /^…: open …: disk … x+$/);
			assert.equal(report().lastError?.length, 200);
			assert.equal(report().lastErrorAt, 5000);
			sink.listener?.notify("the daemon on `/run/user/7/x.sock` hangs");
			turn("ses_2");
			assert.equal(report().lastError, "the daemon on … hangs");
			assert.equal(report().lastErrorAt, 6000);
		});

		it("takes no longer over a long error, and leaves no half of a character", () => {
			const counters = new Counters("opencode1", 0);
			const told = (why: string): string | undefined => {
				counters.wentWrong(why, 0);
				return counters.report([], counts, 0).lastError;
			};
			const counts = { waiting: 0, asked: 0, answered: 0, failed: 0 };
			const begun = performance.now();
			assert.equal(told("x".repeat(10_000_000)), "x".repeat(200));
			// Quadratic, it would be hours.
			assert.ok(performance.now() - begun < 5000);
			const cut = told(`${"x".repeat(199)}\u{1f600}`);
			assert.equal(cut, `${"x".repeat(199)}\uFFFD`);
		});

		it("says that a command was refused, and that the core was restarted", () => {
			const command = sessionUpsert("ses_1", "one");
			sink.refused = [{ command, reason: "no" } satisfies RefusedCommand];
			turn("ses_1");
			turn("ses_2");
			assert.equal(report().lastError, "a command was refused: no");
			assert.equal(report().behindSince, undefined);
			sink.refused = [];
			poison();
			now = 7000;
			turn("ses_3");
			assert.equal(report().lastError, "the core was restarted");
			assert.equal(report().behindSince, 7000);
		});
	});

	it("counts what is never recorded once, whether each directory hears its own or all of them", () => {
		for (const [dialect, times] of [
			["opencode1", 2],
			["opencode2", 1],
		] as const) {
			recorder = new Recorder({ dialect }, eventTypes.ignored, sink);
			const members = ["/home/user/a", "/home/user/b"].map((directory) => {
				const log = new HostLog(undefined);
				const ask = async (): Promise<Answer> => ({ outcome: "none" });
				return recorder.join({ log, host: { directory, log, ask } });
			});
			for (const one of members) one.observe({ type: IGNORED });
			members[0]?.observe({ type: "session.unheard_of" });
			recorder.end();
			assert.deepEqual([report().ignored, report().seen], [times, times + 1]);
		}
	});

	it("counts the sessions that catch-up asked for, whole or not", async () => {
		const info = (id: string): object => ({
			...{ id, projectID: "p", directory: DIRECTORY, title: id },
			time: { created: 1, updated: 2 },
		});
		join((request) => {
			if (request.kind === "sessions")
				return { outcome: "found", value: [info("ses_1"), info("ses_2")] };
			if (request.kind === "session")
				return { outcome: "found", value: info(request.sessionId) };
			if (request.kind !== "messages") return undefined;
			return request.sessionId === "ses_1"
				? { outcome: "found", value: { items: [] } }
				: { outcome: "failed" };
		});
		await until("it tells that something is missing", () =>
			Boolean(sink.report?.behindSince),
		);
		const { asked, answered, failed, caughtUpAt } = report();
		assert.deepEqual([asked, answered, failed], [2, 1, 1]);
		assert.equal(caughtUpAt, undefined);
	});

	it("complains of nothing where nothing but its report cannot be stored, and does not try again", async () => {
		const client = listeningClient();
		const log = new HostLog(client);
		const ask = async (): Promise<Answer> => ({ outcome: "failed" });
		sink.failure = unavailable("locked");
		member = recorder.join({ log, host: { directory: DIRECTORY, log, ask } });
		await until("it has tried to tell it", () => sink.attempts > 0);
		assert.equal(sink.attempts, 1);
		assert.ok(!waits.includes(pauseAfter(1)));
		assert.equal(client.lines.length, 1, "where it records to");
		sink.failure = undefined;
		turn("ses_1");
		assert.equal(report().behindSince, 1000);
	});

	it("stores what came meanwhile where nothing but its report could not be stored", async () => {
		let answers: Answer | Promise<Answer> = { outcome: "failed" };
		const log = new HostLog(undefined);
		const ask = async (): Promise<Answer> => answers;
		sink.waits = true;
		member = recorder.join({ log, host: { directory: DIRECTORY, log, ask } });
		await until("it tells it", () => sink.isWaiting);
		answers = new Promise(() => {});
		turn("ses_1");
		sink.failure = unavailable("locked");
		const landed = sink.land();
		sink.failure = undefined;
		sink.waits = false;
		await landed;
		await until("it is stored", () => sink.batches.flat().length > 0);
	});

	it("is over where it was left meanwhile", async () => {
		sink.waits = true;
		join(() => ({ outcome: "failed" }));
		await until("it tells it", () => sink.isWaiting);
		sink.failure = unavailable("locked");
		const left = member.leave();
		await sink.land();
		await left;
		assert.equal(recorder.isOver, true);
		assert.equal(sink.closed, 1);
	});

	it("tells at once that catch-up fails and that it is well again, and no more than that", async () => {
		let outcome: "failed" | "none" = "failed";
		join(() => ({ outcome }));
		await until("it tells that something is missing", () =>
			Boolean(sink.report?.behindSince),
		);
		assert.deepEqual(sink.batches, [[]]);
		member.missed();
		outcome = "none";
		now = 8000;
		await until("it tells that it is not", () => sink.batches.length > 1);
		assert.equal(report().behindSince, undefined);
		assert.equal(report().caughtUpAt, 8000);
		member.missed();
		turn("ses_1");
		assert.equal(report().behindSince, 8000);
		await until("all is well", () => report().behindSince === undefined);
		const empty = sink.batches.filter((batch) => batch.length === 0);
		assert.equal(empty.length, 3);
	});
});
