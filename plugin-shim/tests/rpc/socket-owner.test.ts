import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { Link } from "../../src/rpc/link.ts";
import { foreignSocket } from "../../src/rpc/socket-owner.ts";
import { temporaryFolder } from "../support/temporary.ts";

const OWN = process.geteuid?.() ?? 0;

describe("the owner of a socket", () => {
	let folder: string;
	let path: string;
	let server: Server;
	let heard: number;

	beforeEach(async () => {
		folder = join(temporaryFolder(), "sockets");
		mkdirSync(folder, { mode: 0o700 });
		path = join(folder, "daemon.sock");
		heard = 0;
		server = createServer((socket) => {
			socket.on("error", () => {});
			socket.on("data", () => {
				heard += 1;
			});
		});
		await new Promise<void>((done) => server.listen(path, done));
	});

	afterEach(() => {
		server.close();
	});

	it("is this user, or root", () => {
		assert.equal(foreignSocket(path, OWN), undefined);
	});

	it("is another user", () => {
		// Root's own socket is everybody's, so root gives it away first.
		if (OWN === 0) chownSync(path, 65534, 65534);
		const why = foreignSocket(path, OWN === 0 ? OWN : OWN + 1);
		assert.match(why ?? "", /belongs to another user/);
	});

	it("may be put aside by others in a folder that is open to them", () => {
		for (const [mode, expected] of [
			[0o777, /others can write to the folder/],
			[0o770, /others can write to the folder/],
			[0o1777, /^$/],
			[0o755, /^$/],
		] as const) {
			chmodSync(folder, mode);
			assert.match(foreignSocket(path, OWN) ?? "", expected);
		}
	});

	it("hears nothing where others may have put it there", async () => {
		chmodSync(folder, 0o777);
		const why = await new Promise<[string, string]>((down) => {
			const link = new Link(
				{ socketPath: path, clientName: "test", clientVersion: "0" },
				{
					ready: () => assert.fail("it is not to be trusted"),
					down: (reason, how) => {
						link.close();
						down([reason, how]);
					},
				},
			);
			link.open();
		});
		assert.match(why[0], /others can write to the folder/);
		assert.equal(why[1], "refused");
		assert.equal(heard, 0);
	});
});
