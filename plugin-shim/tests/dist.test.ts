/** What is published, as `npm run build` leaves it in `dist/`. */
import assert from "node:assert/strict";
import {
	copyFileSync,
	cpSync,
	existsSync,
	readFileSync,
	statSync,
} from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "node:test";
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
import { query } from "./support/query.ts";
import { newDatabasePath, temporaryFolder } from "./support/temporary.ts";

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
