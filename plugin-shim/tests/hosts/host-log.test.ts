import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { HostClient } from "../../src/hosts/host-log.ts";
import { HostLog } from "../../src/hosts/host-log.ts";
import { listeningClient } from "../support/client.ts";

describe("the log", () => {
	it("speaks through OpenCode's log, under its own name", () => {
		const client = listeningClient();
		new HostLog(client).log("warn", "careful");
		assert.deepEqual(client.lines, [{ level: "warn", message: "careful" }]);
		assert.deepEqual(client.toasts, []);
	});

	it("drops what is below its level", () => {
		const client = listeningClient();
		const log = new HostLog(client);
		for (const level of ["debug", "info", "warn", "error", "off"] as const) {
			log.level = level;
			log.log("debug", level);
			log.log("warn", level);
			log.log("error", level);
		}
		assert.deepEqual(
			client.lines.map(({ level, message }) => `${message}: ${level}`),
			[
				"debug: debug",
				"debug: warn",
				"debug: error",
				"info: warn",
				"info: error",
				"warn: warn",
				"warn: error",
				"error: error",
			],
		);
	});

	it("shows a toast beside the log line when a person should know", () => {
		const client = listeningClient();
		const log = new HostLog(client);
		log.level = "off";
		log.notify("the disk is full");
		log.reassure("stored again");
		assert.deepEqual(client.toasts, ["the disk is full", "stored again"]);
	});

	it("logs a failure once, however often it happens", () => {
		const client = listeningClient();
		const log = new HostLog(client);
		for (let time = 0; time < 1000; time++) {
			log.failed("an event was not recorded", new Error("boom"));
			log.failed("an event was not recorded", `kind ${time}`);
		}
		assert.equal(client.lines[0]?.message, "an event was not recorded: boom");
		assert.equal(client.lines.length, 100);
	});

	it("never throws, whatever the client does", async () => {
		const refuse = (): never => {
			throw new Error("no");
		};
		const clients: unknown[] = [
			undefined,
			null,
			{},
			{ app: {}, tui: {} },
			{ app: { log: refuse }, tui: { showToast: refuse } },
			{
				app: { log: async () => refuse() },
				tui: { showToast: async () => refuse() },
			},
			new Proxy({}, { get: refuse }),
		];
		for (const client of clients) {
			const log = new HostLog(client as HostClient);
			log.log("error", "x");
			log.notify("y");
			log.failed("z", null);
		}
		// A rejected promise that nobody caught would end the process here.
		await new Promise((resolve) => setTimeout(resolve, 0));
	});
});
