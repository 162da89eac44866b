/** What a person deletes and takes back on one release, while the other goes on having it: each follows only its own. */

import type { Api } from "../harness/api.ts";
import { until } from "../harness/poll.ts";
import { say } from "../harness/script.ts";
import { withDatabase } from "../mirror/database.ts";
import type { Api2 } from "../opencode2/api.ts";
import type { House } from "./house.ts";

/** A session as it is stored: its title, what is alive of its words, and how many steps were paid for. */
export interface Kept {
	readonly title: string | null;
	readonly isDeleted: boolean;
	readonly words: readonly string[];
	readonly steps: number;
}

/** The sessions of this test, by the title that they begin with. */
export class Sessions {
	private readonly ids = new Map<string, string>();

	constructor(private readonly house: House) {}

	/** Begins one of these turns, on OpenCode 1. */
	async begin(
		api: Api,
		title: string,
		turns: readonly string[],
	): Promise<void> {
		const { id } = await api.createSession({ title });
		this.ids.set(title, id);
		for (const which of turns) await this.prompt(api, title, which);
	}

	/** One turn more: `which`, and an answer to it. */
	async prompt(api: Api | Api2, title: string, which: string): Promise<void> {
		const prompt = `${which}, ${title}`;
		this.house.model.script(prompt, say(`To the ${prompt}`));
		await api.prompt(this.id(title), prompt);
	}

	id(title: string): string {
		const id = this.ids.get(title);
		if (id === undefined) throw new Error(`there is no session "${title}"`);
		return id;
	}

	/** Whether this OpenCode has it. */
	async has(api: Api | Api2, title: string): Promise<boolean> {
		const sessions = await api.sessions();
		return sessions.some(({ id }) => id === this.id(title));
	}

	/** Takes back the second turn, on OpenCode 2, until that is committed. */
	async stage(api: Api2, title: string): Promise<void> {
		const messages = await api.messages(this.id(title));
		const second = messages.filter(({ type }) => type === "user")[1];
		await api.stageRevert(this.id(title), String(second?.id));
	}

	/** Takes it back on OpenCode 1, until something else is said. */
	async revert(api: Api, title: string): Promise<void> {
		const messages = await api.messages(this.id(title));
		const second = messages.filter(({ info }) => info.role === "user")[1];
		await api.revert(this.id(title), String(second?.info.id));
	}

	/** What is stored of one. */
	kept(title: string): Kept {
		const id = this.id(title);
		return withDatabase(this.house.database, (open) => {
			const row = open
				.query<{ title: string | null; gone: number }, [string]>(
					"SELECT title, deleted_at IS NOT NULL AS gone FROM sessions WHERE id = ?",
				)
				.get(id);
			const words = open
				.query<{ text: string }, [string]>(
					`SELECT text_content AS text FROM messages WHERE session_id = ?
					AND text_content <> '' AND missing_since IS NULL ORDER BY created_at, id`,
				)
				.all(id);
			const steps = open
				.query<{ steps: number }, [string]>(
					"SELECT count(*) AS steps FROM usage WHERE session_id = ? AND cost > 0",
				)
				.get(id);
			return {
				title: row?.title ?? null,
				isDeleted: row?.gone === 1,
				words: words.map(({ text }) => text),
				steps: steps?.steps ?? 0,
			};
		});
	}

	/** Waits until a session is stored so. */
	async becomes(title: string, kept: Kept): Promise<void> {
		await until(`"${title}" to be stored as it is`, () =>
			Bun.deepEquals(this.kept(title), kept),
		).catch(() => {
			throw new Error(`${title}: ${JSON.stringify(this.kept(title))}`);
		});
	}
}

/** A turn's words. */
export function turn(which: string, title: string): string[] {
	return [`${which}, ${title}`, `To the ${which}, ${title}`];
}
