import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FrameReader, frame } from "../../src/rpc/frames.ts";

const NO_DAEMON = /what answers is no daemon of clankers/;

describe("a reader of frames", () => {
	it("puts together what comes in pieces", () => {
		const both = Buffer.concat([frame("one"), frame("zw", "ölf")]);
		for (let size = 1; size <= both.length; size++) {
			const reader = new FrameReader();
			const read: string[] = [];
			for (let at = 0; at < both.length; at += size)
				read.push(...reader.push(both.subarray(at, at + size)));
			assert.deepEqual(read, ["one", "zwölf"]);
		}
	});

	it("keeps nothing of what promises more than any daemon sends", () => {
		const promise = (length: bigint | number): Buffer =>
			Buffer.from(`Content-Length: ${length}\r\n\r\n`);
		const longest = 64 * 1024 * 1024;
		assert.deepEqual(new FrameReader().push(promise(longest)), []);
		for (const length of [longest + 1, 10n ** 30n])
			assert.throws(() => new FrameReader().push(promise(length)), NO_DAEMON);
	});

	it("keeps nothing of a header that has no end", () => {
		const reader = new FrameReader();
		assert.throws(() => {
			for (;;) reader.push(Buffer.alloc(1024, "x"));
		}, NO_DAEMON);
	});
});
