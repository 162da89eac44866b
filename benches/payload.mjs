// What one long text costs OpenCode's thread, and what it costs the thread that
// writes, beside a plain insert of the same text, in one run:
// `make wasm && scripts/with-tools.sh bun benches/payload.mjs`.
// Read the ratios: of each MiB to a MiB of half the length, and to the insert.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Core } from "../pkg/clankers.js";
import { loadCore } from "../plugin-shim/src/core.ts";
import { connect } from "../plugin-shim/src/storage/connection.ts";
import { SqliteSink } from "../plugin-shim/src/storage/sqlite.ts";
import { assistantMessage, sessionCreated, textPart } from "../plugin-shim/tests/support/events.ts";

const { store } = loadCore();
const MIB = 1024 * 1024;
const ROUNDS = 5;
const KINDS = { letters: "some words of it ", controls: "\u0001\u0002\n\t", accents: "äöü€ " };

const timed = (work) => {
	const start = performance.now();
	const result = work();
	return [performance.now() - start, result];
};
const median = (all) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)];

/** Milliseconds: to read and drain, to hand over, to store, and to insert the text alone. */
function cost(kind, mib) {
	const folder = mkdtempSync(join(tmpdir(), "clankers-bench-"));
	const sink = new SqliteSink({ path: join(folder, "clankers.db"), inOwnFolder: false }, store);
	const plain = connect(join(folder, "plain.db"));
	plain.exec("PRAGMA journal_mode = WAL; CREATE TABLE texts (text)");
	const insert = plain.prepare("INSERT INTO texts VALUES (?1)");
	const all = { read: [], hand: [], stored: [], plain: [] };
	for (let round = 0; round < ROUNDS; round++) {
		const core = new Core({});
		const unit = KINDS[kind];
		const text = unit.repeat(Math.ceil((mib * MIB) / Buffer.byteLength(unit)));
		for (const event of [sessionCreated("ses_1", "one"), assistantMessage("ses_1", `msg_${round}`)])
			core.observe(event, 1);
		sink.apply(core.drain());
		core.settle(true);
		const event = textPart("ses_1", `msg_${round}`, `prt_${round}`, text);
		const [read, batch] = timed(() => {
			core.observe(event, 1);
			return core.drain();
		});
		all.read.push(read);
		all.hand.push(timed(() => structuredClone(batch))[0]);
		all.stored.push(timed(() => sink.apply(batch))[0]);
		all.plain.push(timed(() => insert.run(text))[0]);
		core.free();
	}
	sink.close();
	plain.close();
	rmSync(folder, { recursive: true, force: true });
	return Object.fromEntries(Object.entries(all).map(([name, times]) => [name, median(times)]));
}

for (const kind of Object.keys(KINDS)) {
	let before;
	for (const mib of [2, 4, 8, 16]) {
		const { read, hand, stored, plain } = cost(kind, mib);
		const held = (read + hand) / mib;
		const ratio = before === undefined ? "" : ` (x ${(held / before).toFixed(2)})`;
		before = held;
		const ms = (value) => `${(value / mib).toFixed(1)} ms`;
		console.log(
			`${kind}, ${mib} MiB, for each: read and drained ${ms(read)}, handed over ${ms(hand)}${ratio}; stored ${ms(stored)}, x ${(stored / plain).toFixed(1)} of a plain insert`,
		);
	}
}
