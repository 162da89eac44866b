import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import type { Environment } from "../src/config.ts";
import { TroubleLog } from "../src/hosts/trouble-log.ts";
import { type Screen, watch } from "../src/screen.ts";
import tui from "../src/tui.ts";
import { newDatabasePath, temporaryFolder } from "./support/temporary.ts";

const MINUTE = 60_000;

describe("in OpenCode 2's screen", () => {
	let environment: Environment;
	let now: number;
	let log: TroubleLog;
	let toasts: string[];
	let heard: Map<string, () => void>;
	let screen: Screen;

	beforeEach(() => {
		const database = newDatabasePath();
		const state = temporaryFolder();
		environment = { CLANKERS_DB_PATH: database, XDG_STATE_HOME: state };
		now = 1_790_000_000_000;
		const files = { beside: `${database}.log`, shared: `${state}/x` };
		const release = "2.0.15";
		log = new TroubleLog({ database, files, release, now: () => now });
		toasts = [];
		heard = new Map();
		screen = {
			ui: { toast: { show: ({ message }) => void toasts.push(message) } },
			data: {
				on: (type, callback) => {
					heard.set(type, callback);
					return () => void heard.delete(type);
				},
			},
		};
	});

	const endTurn = (how = "succeeded"): void =>
		heard.get(`session.execution.${how}`)?.();

	it("says once, at a turn's end, that nothing is recorded", () => {
		const end = watch(screen, environment, () => now);
		endTurn();
		log.add("storage", "error", "nothing is recorded: too new");
		assert.deepEqual(toasts, []);
		for (const how of ["failed", "succeeded", "interrupted"]) endTurn(how);
		assert.deepEqual(toasts, ["nothing is recorded: too new"]);
		log.add("stream", "error", "nothing is heard");
		endTurn();
		assert.equal(toasts.at(-1), "nothing is heard");
		end();
		assert.equal(heard.size, 0);
	});

	it("says that it is over, and says it again when it comes again", () => {
		watch(screen, environment, () => now);
		const tell = (): void =>
			log.add("storage", "error", "nothing is recorded: too new");
		const over = (): void => log.over("storage", "storing again");
		tell();
		endTurn();
		now += 1000;
		over();
		endTurn();
		endTurn();
		const both = ["nothing is recorded: too new", "storing again"];
		assert.deepEqual(toasts, both);
		now += 1000;
		tell();
		endTurn();
		now += 1000;
		// Over and here again between two looks.
		over();
		now += 1000;
		tell();
		endTurn();
		endTurn();
		assert.deepEqual(toasts, [...both, both[0], both[0]]);
	});

	it("says nothing of what is over, of long ago, or no more than a lock of a moment", () => {
		watch(screen, environment, () => now);
		log.add("storage", "warn", "not stored yet");
		endTurn();
		log.add("storage", "error", "not stored yet");
		log.over("storage", "stored");
		endTurn();
		log.add("events", "error", "something was missed");
		log.add("stream", "error", "nothing is heard");
		now += 16 * MINUTE;
		endTurn();
		assert.deepEqual(toasts, []);
	});

	it("never throws, whatever it is given", () => {
		const no = (): never => {
			throw new Error("not today");
		};
		log.add("storage", "error", "nothing is recorded");
		const screens: unknown[] = [
			...[undefined, null, {}, { data: {} }, { data: { on: no } }],
			new Proxy({}, { get: no }),
			{ ...screen, ui: { toast: { show: no } } },
			{ ...screen, options: new Proxy({}, { ownKeys: no }) },
		];
		for (const each of screens) {
			const end = watch(each as Screen, environment, () => now);
			endTurn();
			end();
			tui.setup(each as Screen)();
		}
	});
});
