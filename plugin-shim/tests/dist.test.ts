/** What is published, as `npm run build` leaves it in `dist/`. */
import assert from "node:assert/strict";
import {
	copyFileSync,
	cpSync,
	existsSync,
	readFileSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { before, beforeEach, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { BusEvent } from "../src/hosts/host.ts";
import type { Plugin } from "../src/hosts/opencode1.ts";
import type { Server } from "../src/server.ts";
import type { CleanUp } from "../src/setup.ts";
import {
	assistantMessage,
	sessionCreated,
	sessionIdle,
	textDelta,
	textPart,
} from "./support/events.ts";
import { Speaker } from "./support/events2.ts";
import { ScriptedOpenCode2 } from "./support/opencode2.ts";
import { runAll } from "./support/processes.ts";
import { query, queryMeanwhile, type Row } from "./support/query.ts";
import { newDatabasePath, temporaryFolder } from "./support/temporary.ts";
import { until } from "./support/until.ts";

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");
const load = (path: string): Promise<Record<string, unknown>> =>
	import(pathToFileURL(path).href);

describe("the built package", () => {
	before(() => {
		assert.ok(existsSync(dist), "run `npm run build` first");
	});

	it("exports one plain function from index.js and from clankers.js, and nothing else", async () => {
		for (const file of ["index.js", "clankers.js"]) {
			const module = await load(join(dist, file));
			assert.deepEqual(Object.keys(module), ["default"]);
			assert.equal(typeof module["default"], "function");
		}
	});

	it("exports one plain object from each server.js, with the plugin function", async () => {
		for (const file of ["server.js", "clankers/server.js"]) {
			const module = await load(join(dist, file));
			assert.deepEqual(Object.keys(module), ["default"]);
			const server = module["default"] as Record<string, unknown>;
			assert.equal(Object.getPrototypeOf(server), Object.prototype);
			assert.deepEqual(Object.keys(server).sort(), ["id", "server", "setup"]);
			assert.equal(typeof server["server"], "function");
		}
	});

	it("exports one plain object from each tui.js, without the wasm", async () => {
		for (const file of ["tui.js", "clankers/tui.js"]) {
			const module = await load(join(dist, file));
			assert.deepEqual(Object.keys(module), ["default"]);
			const tui = module["default"] as Record<string, unknown>;
			assert.deepEqual(Object.keys(tui).sort(), ["id", "setup"]);
			assert.ok(statSync(join(dist, file)).size < 50_000);
		}
	});

	it("says in each form's first line what it is", () => {
		const text = readFileSync(join(root, "package.json"), "utf8");
		const { version } = JSON.parse(text) as { version: string };
		const firstLine = (file: string): string | undefined =>
			readFileSync(join(dist, file), "utf8").split("\n")[0];
		for (const file of ["index.js", "clankers.js"])
			assert.equal(
				firstLine(file),
				`// opencode-clankers ${version}, a function for OpenCode 1.x`,
			);
		for (const file of ["server.js", "clankers/server.js"])
			assert.equal(
				firstLine(file),
				`// opencode-clankers ${version}, an object for OpenCode 2.x`,
			);
		for (const file of ["tui.js", "clankers/tui.js"])
			assert.equal(
				firstLine(file),
				`// opencode-clankers ${version}, the part for the screen of OpenCode 2.x`,
			);
	});

	it("exports the daemon's client, without the wasm", async () => {
		const module = await load(join(dist, "client.js"));
		assert.equal(typeof module["createRpcClient"], "function");
		assert.ok(statSync(join(dist, "client.js")).size < 50_000);
	});

	it("has package.json name the files that are there", () => {
		const manifest = JSON.parse(
			readFileSync(join(root, "package.json"), "utf8"),
		);
		const named = [
			manifest.main,
			manifest.types,
			...[".", "./server", "./tui", "./client"].flatMap((entry) =>
				Object.values(manifest.exports[entry]),
			),
		];
		for (const file of named)
			assert.ok(existsSync(join(root, file)), `${file} is missing`);
		assert.equal(manifest.dependencies, undefined);
	});

	it("imports nothing but the runtime's own modules, and no SQLite by name", () => {
		for (const file of ["index.js", "server.js", "tui.js", "client.js"]) {
			const code = readFileSync(join(dist, file), "utf8");
			const imports = [...code.matchAll(/^(?:import .*|}) from "(.*)";$/gm)];
			assert.ok(imports.length > 0);
			for (const [, module] of imports)
				assert.match(
					module ?? "",
					/^node:(crypto|fs|net|os|path|worker_threads|zlib)$/,
				);
		}
	});

	it("works from one file alone, in a process that exits at once", async () => {
		const alone = join(temporaryFolder(), "clankers.js");
		copyFileSync(join(dist, "clankers.js"), alone);
		const dbPath = newDatabasePath();
		const child = join(import.meta.dirname, "support", "record-and-exit.ts");
		const [output] = await runAll([[child, alone]], {
			CLANKERS_DB_PATH: dbPath,
		});
		assert.equal(output, "");
		assert.equal(query(dbPath, "SELECT * FROM sessions").length, 1);
	});

	it("works for 2.x from its folder alone, in a process that ends without a clean-up", async () => {
		const alone = join(temporaryFolder(), "clankers");
		cpSync(join(dist, "clankers"), alone, { recursive: true });
		const dbPath = newDatabasePath();
		const child = join(import.meta.dirname, "support", "record-and-exit2.ts");
		const [output] = await runAll([[child, join(alone, "server.js")]], {
			CLANKERS_DB_PATH: dbPath,
		});
		assert.equal(output, "");
		assert.equal(query(dbPath, "SELECT * FROM sessions").length, 1);
	});

	it("goes on with changed files where the old ones ended, in one process", async () => {
		const dbPath = newDatabasePath();
		const opencode = new ScriptedOpenCode2();
		const one = new Speaker("ses_1");
		const begin = async (name: string): Promise<CleanUp | undefined> => {
			const path = join(temporaryFolder(), `${name}.js`);
			copyFileSync(join(dist, "server.js"), path);
			const { default: server } = (await load(path)) as { default: Server };
			return server.setup(opencode.context({ dbPath }));
		};
		const told = async (...events: BusEvent[]): Promise<void> => {
			opencode.tell(events);
			await new Promise((resolve) => setTimeout(resolve, 50));
		};
		const old = await begin("old");
		await told(one.created("one"), ...one.begin("msg_2"));
		await told(one.delta("msg_2", "Hello"));
		await old?.();
		const changed = await begin("changed");
		await told(...one.end("msg_2", "Hello there."));
		await changed?.();
		assert.deepEqual(query(dbPath, "SELECT text FROM parts"), [
			{ text: "Hello there." },
		]);
		assert.deepEqual(query(dbPath, "SELECT cost FROM usage"), [{ cost: 0.5 }]);
	});

	describe("with another release's recorder in the process", () => {
		const A = "/home/user/a";
		const B = "/home/user/b";
		let dbPath: string;

		beforeEach(() => {
			dbPath = newDatabasePath();
		});

		/** An instance of a release: of this one, or of one before it. */
		async function begin(
			release: "old" | "new",
			opencode: ScriptedOpenCode2,
			directory: string,
		): Promise<CleanUp> {
			const path = join(temporaryFolder(), "server.js");
			const code = readFileSync(join(dist, "server.js"), "utf8");
			const older = code.replace(
				/\bPROTOCOL = (\d+);/,
				(_, number) => `PROTOCOL = ${Number(number) - 1};`,
			);
			assert.notEqual(older, code);
			writeFileSync(path, release === "old" ? older : code);
			const { default: server } = (await load(path)) as { default: Server };
			const cleanUp = server.setup(opencode.context({ dbPath }, directory));
			return cleanUp ?? assert.fail("it records");
		}

		const rows = (sql: string): Row[] => queryMeanwhile(dbPath, sql);
		const heard = (): Promise<void> => pause(50);

		it("records without a gap or a double while two directories are updated in turn", async () => {
			const opencode = new ScriptedOpenCode2();
			const one = new Speaker("ses_1", A);
			const oldA = await begin("old", opencode, A);
			const oldB = await begin("old", opencode, B);
			opencode.tell(one.created("one"), one.begin("msg_2"));
			opencode.tell(one.delta("msg_2", "a"));
			await heard();
			await oldA();
			const newA = await begin("new", opencode, A);
			opencode.tell(one.delta("msg_2", "b"));
			await heard();
			await oldB();
			assert.deepEqual(rows("SELECT text FROM parts"), [{ text: "ab" }]);
			const newB = await begin("new", opencode, B);
			opencode.tell(one.delta("msg_2", "c"));
			await until("both listen", () => opencode.open === 2);
			opencode.tell(one.end("msg_2", "abc"), one.prompt("msg_3", "More."));
			await heard();
			await newB();
			opencode.tell(one.begin("msg_4"), one.end("msg_4", "def"));
			await heard();
			await newA();
			assert.deepEqual(
				rows("SELECT text FROM parts WHERE type = 'text' ORDER BY message_id"),
				["abc", "More.", "def"].map((text) => ({ text })),
			);
			assert.deepEqual(rows("SELECT cost FROM usage"), [
				{ cost: 0.5 },
				{ cost: 0.5 },
			]);
			assert.deepEqual(rows("SELECT * FROM rejections"), []);
		});

		it("catches up on a directory whose instance waited, where each hears its own only", async () => {
			const [ofA, ofB] = [new ScriptedOpenCode2(), new ScriptedOpenCode2()];
			const one = new Speaker("ses_1", A);
			const oldA = await begin("old", ofA, A);
			const oldB = await begin("old", ofB, B);
			ofA.tell(one.created("one"), one.begin("msg_2"));
			await heard();
			await oldA();
			const newA = await begin("new", ofA, A);
			ofA.tell(one.renamed("not heard"), one.end("msg_2", "Not heard."));
			const time = { created: 1_790_000_000_000, updated: 2e12 };
			const info = { id: "ses_1", title: "asked", location: { directory: A } };
			ofA.keep("ses_1", { ...info, time }, []);
			ofB.tell(new Speaker("ses_2", B).created("two"));
			await heard();
			await oldB();
			const titles = (): unknown[] =>
				rows("SELECT title FROM sessions ORDER BY id").map(
					(row) => row["title"],
				);
			await until("it is read", () => titles()[0] === "asked");
			assert.deepEqual(titles(), ["asked", "two"]);
			assert.equal(ofA.open, 1);
			await newA();
			assert.equal(ofA.open, 0);
		});

		it("takes over from an instance that OpenCode has forgotten", async () => {
			const opencode = new ScriptedOpenCode2();
			const one = new Speaker("ses_1", A);
			const forgotten = await begin("old", opencode, A);
			opencode.tell(one.created("one"), one.begin("msg_2"));
			await heard();
			const newA = await begin("new", opencode, A);
			await until("both listen", () => opencode.open === 2);
			opencode.tell(one.end("msg_2", "Hello there."));
			await heard();
			await newA();
			const texts = (): Row[] => rows("SELECT text FROM parts");
			assert.deepEqual(texts(), [{ text: "Hello there." }]);
			assert.deepEqual(rows("SELECT cost FROM usage"), [{ cost: 0.5 }]);
			opencode.tell(one.renamed("heard by the old one alone"));
			await forgotten();
			assert.deepEqual(rows("SELECT title FROM sessions"), [{ title: "one" }]);
		});

		it("takes no turn any more once its instance has ended", async () => {
			const opencode = new ScriptedOpenCode2();
			const old = await begin("old", opencode, A);
			const ended = await begin("new", opencode, A);
			await ended();
			await old();
			await pause(1500);
			assert.equal(opencode.open, 0);
		});
	});

	it("records once when two copies are loaded from two places", async () => {
		const copies = await Promise.all(
			["a.js", "b.js"].map(async (name) => {
				const path = join(temporaryFolder(), name);
				copyFileSync(join(dist, "clankers.js"), path);
				return (await load(path))["default"] as Plugin;
			}),
		);
		assert.notEqual(copies[0], copies[1]);
		const dbPath = newDatabasePath();
		const hooks = await Promise.all(copies.map((copy) => copy({}, { dbPath })));
		for (const event of [
			sessionCreated("ses_1", "one"),
			assistantMessage("ses_1", "msg_1"),
			textPart("ses_1", "msg_1", "prt_1", ""),
			textDelta("ses_1", "msg_1", "prt_1", "once"),
			sessionIdle("ses_1"),
		])
			for (const { event: hook } of hooks) hook?.({ event });
		for (const { dispose } of hooks) await dispose?.();
		assert.deepEqual(query(dbPath, "SELECT text FROM parts"), [
			{ text: "once" },
		]);
	});
});
