import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Command } from "../../../pkg/clankers.js";
import { loadCore } from "../../src/core.ts";
import { MergedCommands } from "../../src/storage/daemon/merge.ts";
import { SqliteSink } from "../../src/storage/sqlite.ts";
import { dump } from "../support/query.ts";
import { batchesOfRecording, recordings } from "../support/recordings.ts";
import { newDatabasePath } from "../support/temporary.ts";

const { store } = loadCore();

function merge(commands: readonly Command[]): Command[] {
	const merged = new MergedCommands();
	for (const command of commands) merged.add(command);
	return merged.all();
}

/** What a database holds after these batches. */
function stored(batches: readonly Command[][]): Record<string, string[]> {
	const path = newDatabasePath();
	const sink = new SqliteSink({ path, inOwnFolder: false }, store);
	for (const batch of batches) assert.deepEqual(sink.apply(batch), []);
	sink.close();
	return dump(path);
}

const session = (params: object): Command =>
	({ method: "session.upsert", params: { id: "ses_1", ...params } }) as Command;
const part = (params: object): Command =>
	({
		method: "part.upsert",
		params: {
			...{ id: "prt_1", messageId: "msg_1", sessionId: "ses_1", type: "text" },
			...params,
		},
	}) as Command;

const append = (offset: number, text: string): Command => ({
	method: "part.append",
	params: {
		...{ id: "prt_1", messageId: "msg_1", sessionId: "ses_1" },
		...{ offset, text },
	},
});

const CASES: {
	name: string;
	commands: Command[];
	left: number;
}[] = [
	{
		name: "the last known value of each field",
		commands: [
			session({ title: "one", agent: "build" }),
			session({ title: "two" }),
			session({ agent: null }),
		],
		left: 1,
	},
	{
		name: "the newer state, whichever came last",
		commands: [
			session({ title: "new", updatedAt: 20 }),
			session({ title: "old", updatedAt: 10 }),
		],
		left: 1,
	},
	{
		name: "that a session has reported totals, after they fell to nothing",
		commands: [
			session({ cost: 1, updatedAt: 10 }),
			session({ cost: 0, updatedAt: 20 }),
			{
				method: "message.upsert",
				params: {
					...{ id: "msg_1", sessionId: "ses_1", role: "assistant" },
					...{ cost: 3, completedAt: 5, createdAt: 4 },
				},
			},
		],
		left: 2,
	},
	{
		name: "the longest text of a stream, and the last of an ended one",
		commands: [
			part({ text: "long", endedAt: null }),
			part({ text: "lo", endedAt: null }),
			part({ text: "l", endedAt: 5 }),
			part({ text: "late", endedAt: null }),
		],
		left: 1,
	},
	{
		name: "a text with all that came to it",
		commands: [
			part({ text: "wörd", endedAt: null }),
			append(5, " 😀"),
			append(10, " end"),
		],
		left: 1,
	},
	{
		name: "what came to a text that was told before",
		commands: [append(0, "no start"), append(8, " is left")],
		left: 1,
	},
	{
		name: "what came twice once",
		commands: [
			part({ text: "one", endedAt: null }),
			append(3, " ünd"),
			append(3, " ünd two"),
			append(3, " ünd"),
		],
		left: 1,
	},
	{
		name: "a text as far as nothing of it is missing",
		commands: [part({ text: "one", endedAt: null }), append(9, "three")],
		left: 1,
	},
	{
		name: "an end that comes after all that came",
		commands: [
			part({ text: "", endedAt: null }),
			append(0, "grown"),
			part({ text: "grown and ended", endedAt: 5 }),
			append(5, " late"),
		],
		left: 1,
	},
	{
		name: "a whole text and what came since, and not what it has of before",
		commands: [
			append(0, "of before"),
			part({ text: "of before, and more", endedAt: null }),
			append(19, " since"),
		],
		left: 1,
	},
	{
		name: "an end that an answer from mid-stream does not take back",
		commands: [
			part({ text: "the whole", startedAt: 1, endedAt: 5 }),
			part({ text: "the", startedAt: 1 }),
		],
		left: 1,
	},
	{
		name: "no half of a character",
		commands: [part({ text: "é", endedAt: null }), append(1, "éxyz")],
		left: 1,
	},
	{
		name: "an end that nothing comes behind",
		commands: [part({ text: "ended", endedAt: 5 }), append(5, " late")],
		left: 1,
	},
	{
		name: "what came to a text whose other fields are told",
		commands: [append(0, "text"), part({ startedAt: 5 }), append(4, " more")],
		left: 2,
	},
	{
		name: "the ended state of a call",
		commands: ["running", "completed", "pending"].map((status) => ({
			method: "tool_call.upsert",
			params: {
				...{ id: "prt_2", messageId: "msg_1", sessionId: "ses_1" },
				...{ status, title: status },
			},
		})) as Command[],
		left: 1,
	},
	{
		name: "the earliest time at which a person was asked",
		commands: [20, 10, 30].map((askedAt) => ({
			method: "permission.upsert",
			params: { id: "per_1", sessionId: "ses_1", askedAt },
		})),
		left: 1,
	},
	{
		name: "the last list of to-dos",
		commands: ["one", "two"].map((content) => ({
			method: "todo.replace",
			params: { sessionId: "ses_1", todos: [{ content }] },
		})),
		left: 1,
	},
	{
		name: "the sum of what was rejected",
		commands: [1, 2].map((count) => ({
			method: "rejection.record",
			params: {
				...{ eventType: "x", code: "wrong_type", path: "a", sample: "{}" },
				...{ expected: "a string", found: "a number" },
				...{ count, firstSeen: 10 - count, lastSeen: 10 + count },
				sourceVersion: count === 1 ? "1.18.34" : null,
			},
		})),
		left: 1,
	},
	{
		name: "both sides of a deletion",
		commands: [
			part({ text: "before", endedAt: 1 }),
			{
				method: "part.delete",
				params: {
					...{ id: "prt_1", messageId: "msg_1", sessionId: "ses_1" },
					...{ deletedAt: 5, onDelete: "tombstone" },
				},
			},
			part({ text: "after", endedAt: 1 }),
		],
		left: 3,
	},
];

describe("merging leaves", () => {
	for (const { name, commands, left } of CASES)
		it(name, () => {
			const merged = merge(commands);
			assert.equal(merged.length, left);
			assert.deepEqual(stored([merged]), stored([commands]));
		});
});

describe("merging a recording", () => {
	for (const release of ["1.0.61", "1.18.34"])
		it(`leaves fewer commands and the same rows: ${release}`, () => {
			for (const recording of recordings(release)) {
				const batches = batchesOfRecording(recording, "after each event");
				const merged = merge(batches.flat());
				assert.ok(merged.length < batches.flat().length / 2);
				assert.deepEqual(stored([merged]), stored(batches));
			}
		});
});
