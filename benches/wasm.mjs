// What observing an event costs in wasm, beside other ways to cross into it,
// in one run: `make wasm && scripts/with-tools.sh bun benches/wasm.mjs`.
// Read the ratios; the times are this machine's.
import { readFileSync } from "node:fs";
import { Core, initSync } from "../pkg/clankers.js";

initSync({
	module: readFileSync(new URL("../pkg/clankers_bg.wasm", import.meta.url)),
});

const NOW = 1_800_000_000_000;
const ids = { sessionID: "ses_1", messageID: "msg_1" };
const say = (type, properties) => ({ id: "evt_1", type, properties });

const part = (text, time) =>
	say("message.part.updated", {
		sessionID: "ses_1",
		time: 1,
		part: { id: "prt_1", ...ids, type: "text", text, time },
	});

const events = {
	delta: {
		type: "message.part.delta",
		properties: { ...ids, partID: "prt_1", field: "text", delta: "twenty letters more " },
	},
	part: part("twenty letters more ".repeat(20), { start: 1, end: 2 }),
	message: say("message.updated", {
		sessionID: "ses_1",
		info: {
			id: "msg_1",
			sessionID: "ses_1",
			role: "assistant",
			parentID: "msg_0",
			modelID: "m",
			providerID: "p",
			mode: "build",
			agent: "build",
			path: { cwd: "/home/user/project", root: "/home/user/project" },
			cost: 0.25,
			tokens: { input: 1, output: 2, reasoning: 3, cache: { read: 4, write: 5 } },
			time: { created: 1, completed: 2 },
			finish: "stop",
		},
	}),
};

/** Nanoseconds a call takes: the best of several rounds. */
function measure(call, rounds = 15, calls = 20_000) {
	let best = Number.POSITIVE_INFINITY;
	for (let round = 0; round < rounds; round++) {
		const start = performance.now();
		for (let at = 0; at < calls; at++) call();
		best = Math.min(best, ((performance.now() - start) / calls) * 1e6);
	}
	return best;
}

/** A core in which a text is being written, replaced before it grows long. */
function observing(event) {
	let core;
	let left = 0;
	return () => {
		if (left-- === 0) {
			core?.free();
			core = new Core({});
			core.observe(part("", { start: 1 }), NOW);
			left = 500;
		}
		core.observe(event, NOW);
	};
}

const idle = new Core({});
const noop = measure(() => idle.settle(true));
const encoder = new TextEncoder();
const memory = new Uint8Array(1 << 16);

const rows = Object.entries(events).map(([name, event]) => {
	const core = measure(observing(event));
	// What crossing as JSON costs before the other side has parsed anything.
	const json = measure(() => encoder.encodeInto(JSON.stringify(event), memory));
	return {
		event: name,
		"core, ns": core.toFixed(0),
		"JSON.stringify and copy, ns": json.toFixed(0),
		"core / JSON": (core / json).toFixed(2),
		"core / no-op call": (core / noop).toFixed(1),
	};
});
console.log(`a no-op call: ${noop.toFixed(0)} ns`);
console.table(rows);
