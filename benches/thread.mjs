// How long OpenCode's thread stands still while a batch is stored: by itself, and
// by a thread that writes, by turns in one run:
// `make wasm && scripts/with-tools.sh bun benches/thread.mjs`, or `node` for `bun`.
// Read the ratios. "held" is the longest time between two turns of the loop.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadCore } from "../plugin-shim/src/core.ts";
import { SqliteSink } from "../plugin-shim/src/storage/sqlite.ts";
import { ThreadSink } from "../plugin-shim/src/storage/thread/thread-sink.ts";

const { store } = loadCore();
const ROUNDS = 15;
const MIB = 1024 * 1024;

const session = (id) => ({ method: "session.upsert", params: { id, title: "a title" } });
const message = (id, role) => ({ method: "message.upsert", params: { id, sessionId: "ses_1", role } });
const part = (id, messageId, text) => ({
	method: "part.upsert",
	params: { id, messageId, sessionId: "ses_1", type: "text", text },
});

/** What is stored at the end of a turn: a prompt, an answer and its text. */
const turn = (round) => [
	session("ses_1"),
	message(`msg_${round}`, "user"),
	message(`msg_${round}a`, "assistant"),
	part(`prt_${round}`, `msg_${round}a`, "some words of an answer ".repeat(40)),
];
/** One text of so many MiB. */
const long = (mib) => (round) => [
	session("ses_1"),
	message(`msg_${round}`, "assistant"),
	part(`prt_${round}`, `msg_${round}`, "x".repeat(mib * MIB)),
];
/** A prompt that is taken back: its words are erased, and the log is emptied. */
const erasing = (round) => [
	...long(4)(round),
	{ method: "message.delete", params: { id: `msg_${round}`, sessionId: "ses_1", deletedAt: 1 } },
];

/** The longest time between two turns of the loop, until the work is done. */
async function held(work) {
	let isOver = false;
	let longest = 0;
	let last = performance.now();
	const look = () => {
		const now = performance.now();
		longest = Math.max(longest, now - last);
		last = now;
		if (!isOver) setImmediate(look);
	};
	setImmediate(look);
	await new Promise((resolve) => setImmediate(resolve));
	longest = 0;
	last = performance.now();
	await work();
	await new Promise((resolve) => setImmediate(resolve));
	isOver = true;
	return longest;
}

const median = (all) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)];
const ms = (value) => `${value.toFixed(2)} ms`;

for (const [name, batch] of [
	["the end of a turn", turn],
	["a text of 1 MiB", long(1)],
	["a text of 10 MiB", long(10)],
	["a text of 4 MiB, erased", erasing],
]) {
	const folder = mkdtempSync(join(tmpdir(), "clankers-bench-"));
	const sinks = [SqliteSink, ThreadSink].map(
		(Sink, at) => new Sink({ path: join(folder, `${at}.db`), inOwnFolder: false }, store),
	);
	const took = sinks.map(() => []);
	for (let round = -2; round < ROUNDS; round++)
		for (const [at, sink] of sinks.entries()) {
			const time = await held(() => sink.apply(batch(round + 2)));
			if (round >= 0) took[at].push(time);
		}
	for (const sink of sinks) sink.close();
	const [here, thread] = took.map(median);
	console.log(`${name}: held ${ms(here)} by itself, ${ms(thread)} with a thread, x ${(thread / here).toFixed(3)}`);
	rmSync(folder, { recursive: true, force: true });
}
