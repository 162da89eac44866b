// What storing a text costs as it is written, with a drain each 100 letters,
// for texts twice as long each time, in one run:
// `make wasm && scripts/with-tools.sh bun benches/stream.mjs`.
// Read the ratios: 2 is linear; the times are this machine's.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Core } from "../pkg/clankers.js";
import { loadCore } from "../plugin-shim/src/core.ts";
import { SqliteSink } from "../plugin-shim/src/storage/sqlite.ts";

const { store } = loadCore();
const NOW = 1_800_000_000_000;
const ids = { sessionID: "ses_1", messageID: "msg_1" };
const LETTERS = "twenty letters more ".repeat(5);

const part = (text, time) => ({
	type: "message.part.updated",
	properties: { sessionID: "ses_1", time: 1, part: { id: "prt_1", ...ids, type: "text", text, time } },
});
const delta = {
	type: "message.part.delta",
	properties: { ...ids, partID: "prt_1", field: "text", delta: LETTERS },
};

/** What a text of so many hundred letters costs: the commands' bytes, and milliseconds. */
function cost(hundreds) {
	const folder = mkdtempSync(join(tmpdir(), "clankers-bench-"));
	const sink = new SqliteSink({ path: join(folder, "clankers.db"), inOwnFolder: true }, store);
	const core = new Core({});
	let bytes = 0;
	const drain = () => {
		const commands = core.drain();
		bytes += JSON.stringify(commands).length;
		sink.apply(commands);
		core.settle(true);
	};
	core.observe(part("", { start: 1 }), NOW);
	drain();
	const start = performance.now();
	for (let at = 0; at < hundreds; at++) {
		core.observe(delta, NOW);
		drain();
	}
	core.observe(part(LETTERS.repeat(hundreds), { start: 1, end: 2 }), NOW);
	drain();
	const milliseconds = performance.now() - start;
	sink.close();
	rmSync(folder, { recursive: true });
	return { bytes, milliseconds };
}

cost(100);
let before;
for (const hundreds of [100, 200, 400, 800, 1600]) {
	const { bytes, milliseconds } = cost(hundreds);
	const ratio = (now, then) => (then === undefined ? "" : ` (x ${(now / then).toFixed(2)})`);
	console.log(
		`${hundreds * 100} letters: ${bytes} bytes of commands${ratio(bytes, before?.bytes)}, ${milliseconds.toFixed(0)} ms${ratio(milliseconds, before?.milliseconds)}`,
	);
	before = { bytes, milliseconds };
}
