/** OpenCode 2 has many instances of the plugin in one process; they come and go. Each word is recorded once. */

import { expect, test } from "bun:test";
import { appendFileSync, cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import type { Home } from "./harness/home.ts";
import { pluginByFolder, pluginFolder } from "./harness/plugin.ts";
import { until } from "./harness/poll.ts";
import { say } from "./harness/script.ts";
import { columnsOf, withDatabase } from "./mirror/database.ts";
import { inWorld2, type World2 } from "./opencode2/world.ts";

/** Long enough to be spoken for a few seconds. */
const LONG = Array.from({ length: 60 }, (_, word) => `word${word}`).join(" ");

const PLUGIN = { plugins: [pluginByFolder()] };

test(
	"served: one turn is there while the server runs, and after it",
	() =>
		inWorld2(PLUGIN, async ({ api, model, database, stop }) => {
			model.script("Say hello.", say("Hello there."));
			const session = await api.createSession({ title: "One" });
			await api.prompt(session.id, "Say hello.");
			const expected = [
				{ title: "One", role: "user", text: "Say hello." },
				{ title: "One", role: "assistant", text: "Hello there." },
			];
			await until("the turn in the database", () =>
				Bun.deepEquals(saidBy(database), expected),
			);
			await stop();
			expect(said(database)).toEqual(expected);
			expect(rejections(database)).toEqual([]);
		}),
	600_000,
);

test(
	"two directories: every instance hears both, and each word is recorded once",
	() =>
		inWorld2(PLUGIN, async ({ api, home, model, database, stop }) => {
			const apis = [api, api.in(home.makeProject("other"))];
			for (const [number, api] of apis.entries()) {
				model.script(`Speak, ${number}.`, { ...say(LONG), times: 2 });
				const session = await api.createSession({ title: `In ${number}` });
				// The second one boots its directory: from here on both hear both.
				await api.prompt(session.id, `Speak, ${number}.`);
			}
			await Promise.all(
				apis.map(async (api, number) => {
					const again = await api.createSession({ title: `Again ${number}` });
					await api.prompt(again.id, `Speak, ${number}.`);
				}),
			);
			await stop();
			const answers = said(database).filter(({ role }) => role === "assistant");
			expect(answers.map(({ text }) => text)).toEqual([LONG, LONG, LONG, LONG]);
			expect(projects(database)).toEqual([
				...["other", "other", "project", "project"],
			]);
			expect(rejections(database)).toEqual([]);
		}),
	600_000,
);

test(
	"two directories: the history of each is caught up on, though one instance records for both",
	() =>
		inWorld2({}, async (world) => {
			const { home, model, database } = world;
			const other = home.makeProject("other");
			const turns = async (title: string): Promise<void> => {
				for (const api of [world.api, world.api.in(other)]) {
					model.script("Speak.", say("Words."));
					const session = await api.createSession({ title });
					await api.prompt(session.id, "Speak.");
				}
			};
			await turns("Before");
			home.configure([pluginByFolder()]);
			await world.restart("SIGTERM");
			await turns("Since");
			const expected = ["Before", "Since"].flatMap((title) =>
				["other", "project"].map((project) => ({ title, project })),
			);
			await until("both histories", () =>
				Bun.deepEquals(answered(database), expected),
			).catch(() => expect(answered(database)).toEqual(expected));
		}),
	600_000,
);

/** The sessions of which an answer is stored, and the project of each. */
function answered(database: string): unknown[] {
	if (!existsSync(database)) return [];
	return withDatabase(database, (open) =>
		columnsOf(open, "sessions").length === 0
			? []
			: open
					.query(
						`SELECT title, project_name AS project FROM sessions
						WHERE id IN (SELECT session_id FROM messages WHERE text_content = 'Words.')
						ORDER BY title, project`,
					)
					.all(),
	);
}

test(
	"a reload in mid-answer leaves two instances: each word is recorded once",
	() =>
		inWorld2(PLUGIN, (world) => answerInterrupted(world, () => reload(world))),
	600_000,
);

test(
	"stopped in mid-answer after a reload: what was heard is stored once, though an instance is never cleaned up",
	() =>
		inWorld2(PLUGIN, async (world) => {
			const { bus, database, stop } = world;
			const session = await beginLongAnswer(world);
			await reload(world);
			await bus.hears(session.id, "word30");
			await stop();
			const [text = ""] = parts(database);
			expect(text).toContain("word25");
			expect(LONG.slice(0, text.length)).toBe(text);
			expect(rejections(database)).toEqual([]);
		}),
	600_000,
);

test.each(["SIGTERM", "SIGHUP", "SIGKILL"] as const)(
	"stopped in mid-answer by %s: the next start asks how that turn ended",
	(signal) =>
		inWorld2(PLUGIN, async (world) => {
			const { bus, database, model, restart, stop } = world;
			const { id } = await beginLongAnswer(world);
			await bus.hears(id, "word35");
			await restart(signal);
			expect(status(database, id)).toBe("busy");
			// The first prompt of the directory starts the plugin.
			model.script("Say hello.", say("Hello there."));
			const other = await world.api.createSession({ title: "Other" });
			await world.api.prompt(other.id, "Say hello.");
			await until("the turn to be over", () =>
				status(database, id) === "idle" ? true : undefined,
			);
			const answered = await world.api.messages(id);
			await stop();
			const told = answered.find(({ type }) => type === "assistant");
			const [content] = (told?.content ?? []) as { text: string }[];
			const [text = ""] = parts(database, id);
			expect(LONG.slice(0, text.length)).toBe(text);
			// A second of deltas may be lost: 17 words.
			expect(text).toContain("word18");
			// Neither a hang-up nor a kill lets OpenCode store what it had told.
			if (signal === "SIGTERM") expect(text).toBe(content?.text ?? "");
			expect(rejections(database)).toEqual([]);
		}),
	600_000,
);

test(
	"the plugin's files change in mid-answer: the new code goes on where the old one ended",
	() =>
		inWorld2(
			{
				prepare: (home) => {
					cpSync(pluginFolder(), copyIn(home), { recursive: true });
					home.configure([copyIn(home)]);
				},
			},
			(world) =>
				answerInterrupted(world, async () => {
					const file = join(copyIn(world.home), "server.js");
					appendFileSync(file, "\n// A newer release.\n");
				}),
		),
	600_000,
);

function copyIn(home: Home): string {
	return join(home.root, "clankers");
}

async function reload({ api }: World2): Promise<void> {
	const directory = encodeURIComponent(api.directory);
	await api.request(
		"POST",
		`/api/location/reload?location[directory]=${directory}`,
	);
}

/** A session in which a long answer is being given. */
async function beginLongAnswer({
	api,
	bus,
	model,
}: World2): Promise<{ readonly id: string }> {
	model.script("Speak.", { ...say(LONG), chunks: 60, pace: 60 });
	const session = await api.createSession({ title: "Long" });
	await api.send(session.id, "Speak.");
	await bus.hears(session.id, "word9");
	return session;
}

/** A long answer in whose middle something happens, and what is stored of it. */
async function answerInterrupted(
	world: World2,
	interrupt: () => Promise<void>,
): Promise<void> {
	const { bus, database, stop } = world;
	const session = await beginLongAnswer(world);
	await interrupt();
	await bus.of(session.id, "session.execution.succeeded");
	await stop();
	expect(said(database)).toEqual([
		{ title: "Long", role: "user", text: "Speak." },
		{ title: "Long", role: "assistant", text: LONG },
	]);
	expect(parts(database)).toEqual([LONG]);
	expect(rejections(database)).toEqual([]);
}

interface Said {
	readonly title: string;
	readonly role: string;
	readonly text: string;
}

function said(database: string): Said[] {
	return all<Said>(
		database,
		`SELECT title, role, text_content AS text FROM messages
		JOIN sessions ON sessions.id = messages.session_id
		WHERE role IS NOT NULL ORDER BY sessions.created_at, messages.created_at`,
	);
}

/** The same, while the database is still being made. */
function saidBy(database: string): Said[] {
	try {
		return said(database);
	} catch {
		return [];
	}
}

/** The texts of answers, of one session or of all. */
function parts(database: string, session = "%"): string[] {
	return all<{ text: string }>(
		database,
		`SELECT text FROM parts JOIN messages ON messages.id = message_id
		WHERE role = 'assistant' AND parts.type = 'text'
			AND messages.session_id LIKE '${session}'`,
	).map(({ text }) => text);
}

function status(database: string, session: string): string | undefined {
	return all<{ status: string }>(
		database,
		`SELECT status FROM sessions WHERE id = '${session}'`,
	)[0]?.status;
}

function projects(database: string): string[] {
	return all<{ name: string }>(
		database,
		"SELECT project_name AS name FROM sessions ORDER BY name",
	).map(({ name }) => name);
}

function rejections(database: string): unknown[] {
	return all(database, "SELECT * FROM rejections");
}

function all<Row>(database: string, sql: string): Row[] {
	return withDatabase(database, (open) => open.query(sql).all() as Row[]);
}
