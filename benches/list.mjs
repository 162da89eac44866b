// How long comparing a directory's sessions holds OpenCode's thread, for lists eight
// times as long each time, in one run, with each session stored as it is listed:
// `make wasm && scripts/with-tools.sh bun benches/list.mjs`.
// Read the ratios of the longest step: 1 is a hold that does not grow with the list.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CatchUp } from "../plugin-shim/src/catch-up.ts";
import { loadCore, SurvivingCore } from "../plugin-shim/src/core.ts";
import { SqliteSink } from "../plugin-shim/src/storage/sqlite.ts";

const { store } = loadCore();
const DIRECTORY = "/home/user/project";
const STORE = "store-of-home";
const NOW = 1_800_000_000_000;

/** So many sessions, as OpenCode 1.x lists them. */
function listOf(many) {
	return Array.from({ length: many }, (_, at) => ({
		id: `ses_${String(at).padStart(26, "0")}`,
		directory: DIRECTORY,
		title: `Session ${at}`,
		version: "1.18.34",
		time: { created: NOW, updated: NOW + at },
	}));
}

const found = (value) => ({ outcome: "found", value });

/** Catches up with a host that lists these. The longest call of the core, CPU milliseconds. */
async function longestStep(list, sink) {
	const core = new SurvivingCore({ storeId: STORE }, (error) => {
		throw error;
	});
	let longest = 0;
	for (const name of ["answer", "nextRequest", "drain"]) {
		const call = core[name].bind(core);
		core[name] = (...given) => {
			const before = process.cpuUsage();
			const result = call(...given);
			const { user, system } = process.cpuUsage(before);
			longest = Math.max(longest, (user + system) / 1000);
			return result;
		};
	}
	const byId = new Map(list.map((session) => [session.id, session]));
	const answers = {
		sessions: () => found(list),
		store: () => found(STORE),
		session: ({ sessionId }) => found(byId.get(sessionId)),
		todos: () => found([]),
		messages: () => found({ items: [] }),
	};
	await new Promise((resolve, reject) => {
		const catchUp = new CatchUp({
			core,
			stored: async (request) => sink.stored(request),
			changed: () => {
				sink.apply(core.drain());
				core.settle(true);
			},
			halted: reject,
			stillHalted: reject,
			ended: resolve,
			pause: async () => {},
			now: () => NOW,
		});
		catchUp.join({ directory: DIRECTORY, ask: async (request) => answers[request.kind](request) });
	});
	core.free();
	return longest;
}

let first;
for (const many of [125, 1000, 8000]) {
	const folder = mkdtempSync(join(tmpdir(), "clankers-bench-"));
	const sink = new SqliteSink({ path: join(folder, "clankers.db"), inOwnFolder: true }, store);
	const list = listOf(many);
	// What is fetched is stored; the comparisons after it find it so.
	await longestStep(list, sink);
	const steps = [];
	for (let round = 0; round < 5; round++) steps.push(await longestStep(list, sink));
	const median = steps.sort((one, other) => one - other)[2];
	first ??= median;
	console.log(`${many} sessions: ${median.toFixed(1)} ms in the longest step (x ${(median / first).toFixed(1)})`);
	sink.close();
	rmSync(folder, { recursive: true });
}
