/** Absence erases nothing: several stores of OpenCode and Kilo on one project and one clankers.db, and stores that are put back. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import {
	copyFileSync,
	existsSync,
	mkdirSync,
	readdirSync,
	renameSync,
	rmSync,
} from "node:fs";
import { join } from "node:path";
import type { Api } from "./harness/api.ts";
import { Home } from "./harness/home.ts";
import { ScriptedModel } from "./harness/model.ts";
import { Server } from "./harness/opencode.ts";
import { databaseOf, pluginByPath, removeDatabase } from "./harness/plugin.ts";
import { until } from "./harness/poll.ts";
import { clankers, diagnosed } from "./harness/program.ts";
import {
	KILO_RELEASE,
	PINNED_RELEASE,
	releaseNamed,
} from "./harness/releases.ts";
import { call, say } from "./harness/script.ts";
import {
	type Fate,
	fatesOf,
	lostSince,
	untilStill,
	type Words,
	wordsOf,
} from "./harness/words.ts";
import { columnsOf, withDatabase } from "./mirror/database.ts";

const isAll = process.env.E2E_SCENARIO === "all";

let model: ScriptedModel;
beforeAll(async () => {
	model = await ScriptedModel.start();
});
afterAll(() => model.stop());

/** One project and one clankers.db, and those who share them. */
class House {
	readonly openCode: Home;
	readonly database: string;
	readonly #homes: Home[] = [];
	readonly #servers = new Set<Server>();
	#before: Words = new Map();

	constructor() {
		this.openCode = this.#home({ release: PINNED_RELEASE });
		this.database = databaseOf(this.openCode);
	}

	/** Kilo, in the same home. */
	kilo(env: Readonly<Record<string, string>> = {}): Home {
		return this.#home({ release: KILO_RELEASE, within: this.openCode, env });
	}

	/** OpenCode in a home of its own, on the same project and the same clankers.db. */
	elsewhere(): Home {
		return this.#home({
			release: PINNED_RELEASE,
			project: this.openCode.project,
			env: { CLANKERS_DB_PATH: this.database },
		});
	}

	async start(home: Home): Promise<Server> {
		const server = await Server.start(home);
		this.#servers.add(server);
		// The plugin is loaded when the project is first asked for.
		await server.api.sessions();
		return server;
	}

	/** Starts one, has it record a session of its own, and waits until its catch-up is over too. */
	async startAndRecord(home: Home, title: string): Promise<Server> {
		const server = await this.start(home);
		await this.record(server.api, title);
		await untilStill(this.database);
		return server;
	}

	/** One session with a tool's work. */
	async record(api: Api, title: string): Promise<string> {
		const session = await api.createSession({ title });
		await this.turn(api, session.id, `The first words of ${title}.`);
		return session.id;
	}

	/** One turn, which is waited for. */
	async turn(api: Api, session: string, prompt: string): Promise<void> {
		const command = `echo ${JSON.stringify(`Worked on: ${prompt}`)}`;
		const answer = `Answered: ${prompt}`;
		model.script(
			prompt,
			call("bash", { command, description: prompt }),
			say(answer),
		);
		await api.prompt(session, prompt);
		await until(`"${answer}" in the database`, () =>
			[...wordsOf(this.database).values()].includes(answer),
		);
	}

	async stop(...servers: readonly Server[]): Promise<void> {
		for (const server of servers) {
			await server.stop();
			this.#servers.delete(server);
		}
	}

	/** Nothing that was ever stored is gone; what is new is to be kept from here on. */
	expectEveryWord(): void {
		expect(lostSince(this.#before, this.database)).toEqual([]);
		this.#before = wordsOf(this.database);
	}

	/** Deletes a session, and gives its id. */
	async remove(api: Api, title: string): Promise<string> {
		const sessions = await api.sessions();
		const found = sessions.find((session) => session.title === title);
		if (!found) throw new Error(`there is no session "${title}"`);
		await api.remove(found.id);
		return found.id;
	}

	/** No text has these words any more, and none need be kept. */
	expectErased(words: string): void {
		const has = ([, text]: readonly [string, string]): boolean =>
			text.includes(words);
		expect([...wordsOf(this.database)].filter(has)).toEqual([]);
		this.#before = new Map([...this.#before].filter((word) => !has(word)));
	}

	async leave(): Promise<void> {
		await this.stop(...this.#servers);
		for (const home of this.#homes) home.remove();
	}

	#home(options: Omit<Home["options"], "modelURL" | "plugins">): Home {
		const plugins = [pluginByPath()];
		const home = new Home({ ...options, plugins, modelURL: model.baseURL });
		this.#homes.push(home);
		return home;
	}
}

async function inHouse(play: (house: House) => Promise<void>): Promise<void> {
	const house = new House();
	try {
		await play(house);
	} finally {
		await house.leave();
	}
}

test.concurrent(
	"OpenCode and Kilo leave each other's sessions, alive and closed, whoever comes first",
	() =>
		inHouse(async (house) => {
			const { openCode, database } = house;
			const kilo = house.kilo();
			const expectAllAlive = (...titles: readonly string[]): void => {
				const alive = titles.map((title) => [title, "alive"]);
				expect(fatesOf(database)).toEqual(Object.fromEntries(alive));
				house.expectEveryWord();
			};

			await house.stop(await house.startAndRecord(openCode, "OpenCode 1"));
			await house.stop(await house.startAndRecord(kilo, "Kilo 1"));
			expectAllAlive("OpenCode 1", "Kilo 1");

			const first = await house.startAndRecord(openCode, "OpenCode 2");
			expectAllAlive("OpenCode 1", "Kilo 1", "OpenCode 2");
			const second = await house.startAndRecord(kilo, "Kilo 2");
			expectAllAlive("OpenCode 1", "Kilo 1", "OpenCode 2", "Kilo 2");

			await house.stop(first);
			const third = await house.startAndRecord(openCode, "OpenCode 3");
			const all = [
				"OpenCode 1",
				"Kilo 1",
				"OpenCode 2",
				"Kilo 2",
				"OpenCode 3",
			];
			expectAllAlive(...all);
			expectToldApart(openCode, kilo, all);

			// What is told is still done, and to nothing else.
			const told = {
				"Kilo 1": await house.remove(second.api, "Kilo 1"),
				"OpenCode 2": await house.remove(third.api, "OpenCode 2"),
			};
			await until("both deletions", () => {
				const fates = fatesOf(database);
				return Object.values(told).every((id) => fates[id] === "deleted");
			});
			for (const words of Object.keys(told)) house.expectErased(words);
			const left = ["OpenCode 1", "Kilo 2", "OpenCode 3"];
			expect(fatesOf(database)).toMatchObject(
				Object.fromEntries(left.map((title) => [title, "alive"])),
			);
			house.expectEveryWord();
		}),
	600_000,
);

// Seven starts of a server: where the environment asks for all.
test.skipIf(!isAll)(
	"OpenCode and Kilo on one store: each session is the one's whose release began it, whoever tells it",
	() =>
		inHouse(async (house) => {
			const { openCode, database } = house;
			const kilo = house.kilo({
				KILO_DB: join(openCode.store, "opencode.db"),
			});
			const both = {
				"OpenCode 1": `opencode ${PINNED_RELEASE}`,
				"Kilo 1": `kilo ${releaseNamed(KILO_RELEASE).version}`,
			};
			await house.stop(await house.startAndRecord(openCode, "OpenCode 1"));
			await house.stop(await house.startAndRecord(kilo, "Kilo 1"));
			expect(sourcesIn(database)).toEqual(both);
			for (const home of [openCode, kilo, openCode]) {
				removeDatabase(database);
				const server = await house.start(home);
				await until(
					"both sessions",
					() => Object.keys(sourcesIn(database)).length === 2,
				);
				await untilStill(database);
				expect(sourcesIn(database)).toEqual(both);
				await house.stop(server);
			}
		}),
	600_000,
);

test.concurrent(
	"two homes on one project and one database leave each other's sessions",
	() =>
		inHouse(async (house) => {
			const { openCode, database } = house;
			const other = house.elsewhere();
			const alive: Record<string, Fate> = {};
			for (const [home, title] of [
				[openCode, "Here 1"],
				[other, "There 1"],
				[openCode, "Here 2"],
				[other, "There 2"],
			] as const) {
				await house.stop(await house.startAndRecord(home, title));
				alive[title] = "alive";
				expect(fatesOf(database)).toEqual(alive);
				house.expectEveryWord();
			}
		}),
	600_000,
);

test.concurrent(
	"two containers that see the same paths leave each other's sessions",
	() =>
		inHouse(async (house) => {
			const { openCode, database } = house;
			const { store } = openCode;
			const asideOf = (container: string): string => `${store}-of-${container}`;
			const alive: Record<string, Fate> = {};
			for (const [container, title] of [
				["one", "First 1"],
				["two", "Second 1"],
				["one", "First 2"],
				["two", "Second 2"],
			] as const) {
				const aside = asideOf(container);
				if (existsSync(aside)) renameSync(aside, store);
				await house.stop(await house.startAndRecord(openCode, title));
				renameSync(store, aside);
				alive[title] = "alive";
				expect(fatesOf(database)).toEqual(alive);
				house.expectEveryWord();
			}
		}),
	600_000,
);

/** Both ways where the environment asks for all. */
const WAYS = [
	["written over the newer one", "over"],
	["put in the place of the newer one", "instead"],
] as const;

test.concurrent.each(WAYS.slice(0, isAll ? WAYS.length : 1))(
	"a database that was put back from an older copy, %s, costs no word; the newer one revives what it has",
	(_, way) =>
		inHouse(async (house) => {
			const {
				openCode,
				database,
				openCode: { store },
			} = house;
			const first = await house.start(openCode);
			const early = await house.record(first.api, "Before the copy");
			await house.stop(first);
			const older = copyOf(store, "older");
			const second = await house.startAndRecord(openCode, "After the copy");
			await house.turn(second.api, early, "A later turn.");
			await house.stop(second);
			house.expectEveryWord();
			const newer = copyOf(store, "newer");

			putBack(older, store, way);
			const third = await house.startAndRecord(openCode, "With the older one");
			await house.stop(third);
			house.expectEveryWord();
			const { "After the copy": after, ...others } = fatesOf(database);
			expect(["missing", "alive"]).toContain(String(after));
			expect(others).toEqual({
				"Before the copy": "alive",
				"With the older one": "alive",
			});

			putBack(newer, store, way);
			const fourth = await house.startAndRecord(openCode, "With the newer one");
			await house.stop(fourth);
			house.expectEveryWord();
			const { "With the older one": lost, ...back } = fatesOf(database);
			expect(["missing", "alive"]).toContain(String(lost));
			expect(back).toEqual({
				"Before the copy": "alive",
				"After the copy": "alive",
				"With the newer one": "alive",
			});
			expect(missingMessages(database, early)).toBe(0);
		}),
	600_000,
);

/** The program says of each session whose it is, and of each release that it is recorded. */
function expectToldApart(
	openCode: Home,
	kilo: Home,
	titles: readonly string[],
): void {
	const printed = clankers(openCode, ["sessions", "--format", "json"]);
	const sessions = JSON.parse(printed.output) as Record<string, string>[];
	expect(
		Object.fromEntries(sessions.map(({ title, source }) => [title, source])),
	).toEqual(
		Object.fromEntries(
			titles.map((title) => [title, title.split(" ")[0]?.toLowerCase()]),
		),
	);
	const plugins = diagnosed(kilo, "plugin").map(({ found }) => found);
	for (const { options } of [openCode, kilo]) {
		const { application, version } = releaseNamed(options.release);
		const says = `${application.title} ${version}: recording`;
		expect(plugins).toContainEqual(expect.stringContaining(says));
	}
	expect(diagnosed(kilo, "history").map(({ found }) => found)).toEqual([
		"every session that OpenCode has is recorded",
		"every session that Kilo has is recorded",
	]);
}

/** A copy of a closed store's database, with all that lies beside it and belongs to it. */
function copyOf(store: string, name: string): string {
	const copy = `${store}-${name}`;
	mkdirSync(copy);
	for (const file of databaseFiles(store))
		copyFileSync(join(store, file), join(copy, file));
	return copy;
}

/** Puts a copy back as a person does: the same file written over, or another in its place. */
function putBack(copy: string, store: string, way: "over" | "instead"): void {
	for (const file of databaseFiles(store))
		if (way === "instead" || !existsSync(join(copy, file)))
			rmSync(join(store, file));
	for (const file of databaseFiles(copy))
		copyFileSync(join(copy, file), join(store, file));
}

/** A write-ahead log of another state than its database would spoil it, so they go together. */
function databaseFiles(folder: string): string[] {
	return readdirSync(folder).filter((file) => /\.db(-wal|-shm)?$/.test(file));
}

function missingMessages(database: string, session: string): number {
	return withDatabase(
		database,
		(open) =>
			open
				.query(
					"SELECT 1 FROM messages WHERE session_id = ? AND (missing_since IS NOT NULL OR deleted_at IS NOT NULL)",
				)
				.values(session).length,
	);
}

/** Whose each session is, by its title. A database that is being made has none. */
function sourcesIn(database: string): Record<string, string> {
	return withDatabase(database, (open) => {
		if (columnsOf(open, "sessions").length === 0) return {};
		const sessions = open
			.query<{ title: string; source: string }, []>(
				"SELECT title, source || ' ' || source_version AS source FROM sessions",
			)
			.all();
		return Object.fromEntries(
			sessions.map(({ title, source }) => [title, source]),
		);
	});
}
