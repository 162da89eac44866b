// What a page of messages costs OpenCode 2 over its HTTP API, and from its database,
// in one run. It fetches the real release, of a size of 100 MB, and needs Linux:
// `make wasm && scripts/with-tools.sh bun benches/http.mjs`.
// The plugin lives in the process that serves: what serving costs is OpenCode's own
// thread as well. It is the processor's time; read the ratios.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadModule } from "../plugin-shim/src/core.ts";
import { OwnDatabase } from "../plugin-shim/src/hosts/own-database.ts";
import { connect } from "../plugin-shim/src/storage/connection.ts";
import { binaryOf, OPENCODE_2_RELEASE } from "../tests/e2e/harness/releases.ts";
import { Api2 } from "../tests/e2e/opencode2/api.ts";
import { Home2 } from "../tests/e2e/opencode2/home.ts";

const PAGE = 10;
const MESSAGES = 2000;
const TICK_MS = 10;
const TEXT = "some words of an answer ".repeat(40);
const OUTPUT = "a line that a tool printed\n".repeat(150);

const answer = (at) => ({
	agent: "build",
	model: { id: "large", providerID: "scripted" },
	content: [
		{ type: "reasoning", text: TEXT, time: { created: at, completed: at } },
		{ type: "text", text: TEXT },
		{
			type: "tool",
			id: `call_${at}`,
			name: "shell",
			state: { status: "completed", input: { command: "ls" }, content: [{ type: "text", text: OUTPUT }] },
			time: { created: at, ran: at, completed: at },
		},
	],
	finish: "stop",
	cost: 0.01,
	tokens: { input: 10, output: 5, reasoning: 0, cache: { read: 0, write: 0 } },
	time: { created: at, completed: at },
});

/** A served OpenCode, once it listens. */
async function serve(home) {
	const child = spawn(binaryOf(OPENCODE_2_RELEASE), ["serve", "--port", "0", "--hostname", "127.0.0.1"], {
		cwd: home.project,
		env: { ...home.env, PWD: home.project },
		stdio: ["ignore", "pipe", "inherit"],
	});
	let output = "";
	for await (const chunk of child.stdout) {
		output += chunk;
		const origin = /listening on (http:\/\/[^\s]+)/.exec(output)?.[1];
		if (origin !== undefined) return { child, api: new Api2(origin, home.project) };
	}
	throw new Error(`it ended: ${output}`);
}

async function stop({ child }) {
	const gone = new Promise((resolve) => child.once("exit", resolve));
	child.kill("SIGTERM");
	await gone;
}

/** Milliseconds of the processor that another process has had. */
function spentBy(pid) {
	const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
	return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** The same of this one. */
function spent() {
	const { user, system } = process.cpuUsage();
	return (user + system) / 1000;
}

function fill(path, session) {
	const db = connect(path);
	const insert = db.prepare(
		"INSERT INTO session_message (id, session_id, type, seq, time_created, time_updated, data) VALUES (?1, ?2, 'assistant', ?3, ?3, ?3, ?4)",
	);
	db.exec("BEGIN");
	for (let at = 1; at <= MESSAGES; at++) {
		const id = `msg_${String(at).padStart(12, "0")}`;
		insert.run(id, session, 1000 + at, JSON.stringify(answer(at)));
	}
	db.exec("COMMIT");
	db.close();
}

async function overHttp({ api, child }, session, limit) {
	const path = `/api/session/${session}/message?limit=${limit}`;
	const [before, own] = [spentBy(child.pid), spent()];
	let [pages, items] = [0, 0];
	for (let rest = "&order=asc"; rest !== undefined; pages++) {
		const { data, cursor } = await api.request("GET", path + rest);
		items += data.length;
		rest = cursor.next ? `&cursor=${encodeURIComponent(cursor.next)}` : undefined;
	}
	if (items !== MESSAGES) throw new Error(`${items} messages were answered`);
	return { served: (spentBy(child.pid) - before) / pages, asked: (spent() - own) / pages };
}

function fromDatabase(path, session) {
	const before = spent();
	let [pages, items] = [0, 0];
	for (let page = null; pages === 0 || page !== null; pages++) {
		const db = OwnDatabase.open(path, "opencode2");
		const found = db.messages(session, page);
		db.close();
		items += found.items.length;
		page = found.next;
	}
	if (items !== MESSAGES) throw new Error(`${items} messages were read`);
	return (spent() - before) / pages;
}

loadModule();
const home = new Home2({ modelURL: "http://127.0.0.1:9" });
const path = join(home.store, "opencode.db");
try {
	let server = await serve(home);
	const { id } = await server.api.createSession({ title: "long" });
	await stop(server);
	fill(path, id);
	server = await serve(home);
	for (const round of ["to warm up", "measured"]) {
		const small = await overHttp(server, id, PAGE);
		const large = await overHttp(server, id, 200);
		const read = fromDatabase(path, id);
		const ms = (value) => `${value.toFixed(1)} ms`;
		console.log(
			`${round}: a page of ${PAGE} over HTTP ${ms(small.served)} of the server and ${ms(small.asked)} of who asks; of 200 ${ms(large.served)} and ${ms(large.asked)}; a page of ${PAGE} from the database ${ms(read)}`,
		);
	}
	await stop(server);
} finally {
	home.remove();
}
