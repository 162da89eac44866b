/** What is measured by hand now and then is to start when it is: what it imports is there. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { build } from "esbuild";

const root = join(import.meta.dirname, "..", "..");
const benches = readdirSync(join(root, "benches")).filter((name) =>
	name.endsWith(".mjs"),
);

describe("the measurements in JavaScript", () => {
	it("are found", () => {
		assert.ok(benches.length > 0);
	});

	for (const bench of benches)
		it(`have all that they import: ${bench}`, async () => {
			// A file that is missing is an error, and so is a name that a file lacks.
			const built = build({
				absWorkingDir: root,
				entryPoints: [join("benches", bench)],
				bundle: true,
				write: false,
				platform: "node",
				format: "esm",
				external: ["bun", "bun:*"],
				logLevel: "silent",
			});
			await assert.doesNotReject(built);
		});
});
