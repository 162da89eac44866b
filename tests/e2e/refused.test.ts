/** What OpenCode refuses to answer, for one row that it cannot read itself, is recorded all the same. */

import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import type { Api } from "./harness/api.ts";
import { pluginByPath } from "./harness/plugin.ts";
import { until } from "./harness/poll.ts";
import { PINNED_RELEASE } from "./harness/releases.ts";
import { say, think } from "./harness/script.ts";
import { inWorld, type World } from "./harness/world.ts";
import { withDatabase } from "./mirror/database.ts";
import { rulesFor } from "./mirror/expected/rules.ts";
import { Witness } from "./mirror/truth.ts";
import { describeReport, settledMirror } from "./mirror.ts";

/** What is done to OpenCode's own database, and what it then refuses. */
const ODD: readonly {
	readonly what: string;
	readonly sql: string;
	readonly refused: (api: Api, id: string) => Promise<unknown>;
	/** What puts it back, where nothing that is recorded was taken. */
	readonly mend?: string;
}[] = [
	{
		what: "an answer without its agent, to the list of its session's messages",
		sql: "UPDATE message SET data = json_remove(data, '$.agent') WHERE data ->> 'role' = 'assistant'",
		refused: (api, id) => api.messages(id),
	},
	{
		what: "an answer without a cost, to the list of its session's messages",
		sql: "UPDATE message SET data = json_set(data, '$.cost', NULL) WHERE data ->> 'role' = 'assistant'",
		refused: (api, id) => api.messages(id),
	},
	{
		what: "a session of a workspace that nobody knows, to the list of sessions",
		sql: "UPDATE session SET workspace_id = 'of nobody' WHERE title = 'The first'",
		refused: (api) => api.sessions(),
		mend: "UPDATE session SET workspace_id = NULL",
	},
];

test.each(ODD)(
	`${PINNED_RELEASE} refuses $what`,
	({ sql, refused, mend }) =>
		inWorld({ plugins: [] }, async (world) => {
			const { home, model, database } = world;
			const before = await world.serve();
			const ids: string[] = [];
			model.script("Say hello.", think("A greeting.", "Hello."));
			model.script("Say it again.", say("Hello again."));
			for (const title of ["The first", "The second"]) {
				const { id } = await before.api.createSession({ title });
				ids.push(id);
				await before.api.prompt(id, "Say hello.");
				await before.api.prompt(id, "Say it again.");
			}
			await before.stop();
			change(world, sql);
			home.configure([pluginByPath()]);
			const { api } = await world.serve();
			await expect(refused(api, String(ids[0]))).rejects.toThrow();
			await until("all of it to be recorded", () => recorded(database) === 8);
			const own = kept(world);
			expect(own.length).toBeGreaterThan(10);
			expect(
				withDatabase(database, (open) =>
					open
						.query(
							"SELECT id FROM parts UNION ALL SELECT id FROM messages ORDER BY id",
						)
						.values()
						.flat(),
				),
			).toEqual(own);
			if (mend === undefined) return;
			change(world, mend);
			const report = await settledMirror(
				database,
				new Witness(),
				[api],
				rulesFor(PINNED_RELEASE),
			);
			expect(describeReport(report)).toBe(
				`${report.checks} of ${report.checks} checks held`,
			);
		}),
	600_000,
);

/** Where OpenCode keeps its sessions. */
function storeOf({ home }: World): string {
	return join(home.store, "opencode.db");
}

function change(world: World, sql: string): void {
	const own = new Database(storeOf(world), { create: false, readwrite: true });
	own.run(sql);
	own.close();
}

/** The ids of its messages and of those parts that are recorded as parts. */
function kept(world: World) {
	return withDatabase(storeOf(world), (own) =>
		own
			.query(
				"SELECT id FROM message UNION ALL SELECT id FROM part WHERE data ->> 'type' <> 'tool' ORDER BY id",
			)
			.values()
			.flat(),
	);
}

/** How many messages are recorded of which all that is answered has come. */
function recorded(database: string): number {
	const count =
		"SELECT count(*) AS n FROM messages WHERE created_at IS NOT NULL";
	try {
		return withDatabase(database, (open) => {
			const { n } = open.query(count).get() as { n: number };
			return n;
		});
	} catch {
		return 0;
	}
}
