// How long OpenCode 2 stands still while its own database is read, with sessions
// twice as long each time, in one run:
// `make wasm && scripts/with-tools.sh bun benches/database.mjs`.
// A page is read, parsed and folded in without a break; between two the loop
// turns. Read the ratios: a page is to cost the same however long the session.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Core } from "../pkg/clankers.js";
import { loadCore } from "../plugin-shim/src/core.ts";
import { OwnDatabase } from "../plugin-shim/src/hosts/own-database.ts";
import { insert, makeDatabase } from "../plugin-shim/tests/support/own-database.ts";

loadCore();
const NOW = 1_800_000_000_000;
const TEXT = "some words of an answer ".repeat(40);
const OUTPUT = "a line that a tool printed\n".repeat(150);

const answer = (at) => ({
	agent: "build",
	model: { id: "large", providerID: "scripted" },
	content: [
		{ type: "reasoning", text: TEXT, time: { created: NOW, completed: NOW } },
		{ type: "text", text: TEXT },
		{
			type: "tool",
			id: `call_${at}`,
			name: "shell",
			state: { status: "completed", input: { command: "ls" }, content: [{ type: "text", text: OUTPUT }] },
			time: { created: NOW, completed: NOW },
		},
	],
	finish: "stop",
	cost: 0.01,
	tokens: { input: 10, output: 5, reasoning: 0, cache: { read: 0, write: 0 } },
	time: { created: NOW + at, completed: NOW + at },
});

/** The database with so many messages in one session, and as many sessions. */
function fill(path, count) {
	const db = makeDatabase(path, { one: true, two: true });
	// The indexes that OpenCode has.
	db.exec("CREATE UNIQUE INDEX by_seq ON session_message (session_id, seq)");
	db.exec("CREATE INDEX of_one ON message (session_id, time_created, id)");
	db.exec("BEGIN");
	for (let at = 0; at < count; at++) {
		const id = String(at).padStart(12, "0");
		insert(db, "session_v2", `ses_${id}`, "/p", "a title", "2.0.15", 0, NOW, NOW, null);
		insert(db, "session_message", `msg_${id}`, "ses_0", "assistant", at, NOW + at, answer(at));
	}
	db.exec("COMMIT");
	db.close();
}

// The processor's time: others may be at work on the machine.
const timed = (work) => {
	const start = process.cpuUsage();
	work();
	const { user, system } = process.cpuUsage(start);
	return (user + system) / 1000;
};
const median = (all) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)];
const within = (path, read) => {
	const db = OwnDatabase.open(path, "opencode2");
	try {
		return read(db);
	} finally {
		db.close();
	}
};

/** Milliseconds: of a page in the middle and at worst, with what the core makes of it; of a page of the list of sessions. */
function cost(count) {
	const folder = mkdtempSync(join(tmpdir(), "clankers-bench-"));
	const path = join(folder, "opencode.db");
	fill(path, count);
	const core = new Core({ dialect: "opencode2" });
	core.fetch("/p", ["ses_0"]);
	const pages = [];
	for (let request = core.nextRequest(NOW); request; request = core.nextRequest(NOW)) {
		if (request.kind !== "messages") {
			const info = { id: "ses_0", location: { directory: "/p" }, time: { created: NOW, updated: NOW } };
			const isAsked = request.kind === "session";
			core.answer(isAsked ? "found" : "notOffered", isAsked ? info : undefined, NOW);
			continue;
		}
		const took = timed(() => {
			const page = within(path, (db) => db.messages("ses_0", request.page));
			core.answer("found", page, NOW);
			core.drain();
			core.settle(true);
		});
		pages.push(took);
	}
	const behind = `ses_${String(Math.floor(count / 2)).padStart(12, "0")}`;
	const list = timed(() => within(path, (db) => db.sessions("/p", behind)));
	const open = timed(() => within(path, () => undefined));
	rmSync(folder, { recursive: true });
	return { page: median(pages), worst: Math.max(...pages), list, open };
}

cost(500);
let before;
for (const count of [1000, 2000, 4000, 8000]) {
	const { page, worst, list, open } = cost(count);
	const ratio = before === undefined ? "" : `  x ${(page / before).toFixed(2)}`;
	before = page;
	const ms = (value) => `${value.toFixed(1)} ms`;
	console.log(
		`${count} messages: a page ${ms(page)}${ratio}, at worst ${ms(worst)}; of the list of as many sessions ${ms(list)}; opening ${ms(open)}`,
	);
}
