/** OpenCode 2's HTTP API, as far as a test drives it. */

import type { Json, JsonObject } from "../harness/api.ts";
import { ApiError } from "../harness/api.ts";
import { PASSWORD } from "./home.ts";

/** `Session.Info`. */
export type Session2 = JsonObject & { readonly id: string };
/** `Session.Message.Info`. */
export type Message2 = JsonObject & {
	readonly id: string;
	readonly type: string;
};
/** An item of a session's inbox: its id becomes the message's. */
export type Inbox2 = JsonObject & { readonly id: string };

export type Delivery = "steer" | "queue";

export interface PromptExtra {
	readonly files?: readonly object[];
	readonly delivery?: Delivery;
	readonly resume?: boolean;
}

/** The most that it gives at once. */
const PAGE = 200;

export class Api2 {
	constructor(
		readonly origin: string,
		readonly directory: string,
		private readonly password: string = PASSWORD,
	) {}

	/** The same server, for another project folder. */
	in(directory: string): Api2 {
		return new Api2(this.origin, directory, this.password);
	}

	async fetch(
		method: string,
		path: string,
		body?: unknown,
		signal: AbortSignal = AbortSignal.timeout(300_000),
	): Promise<Response> {
		const response = await fetch(new URL(path, this.origin), {
			method,
			headers: {
				authorization: `Basic ${btoa(`opencode:${this.password}`)}`,
				...(body === undefined ? {} : { "content-type": "application/json" }),
			},
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
			// A connection that was kept may be one that the server is about to close.
			keepalive: false,
			signal,
		});
		if (!response.ok)
			throw new ApiError(
				response.status,
				await response.text(),
				`${method} ${path}`,
			);
		return response;
	}

	async request(method: string, path: string, body?: unknown): Promise<Json> {
		const response = await this.fetch(method, path, body);
		const text = await response.text();
		return text === "" ? null : (JSON.parse(text) as Json);
	}

	/** What an answer carries in `data`. */
	private async data<T>(
		method: string,
		path: string,
		body?: unknown,
	): Promise<T> {
		const answer = (await this.request(method, path, body)) as JsonObject;
		return answer.data as unknown as T;
	}

	/** Every page of a list, from its beginning. A cursor stands for the order too, and the last page has one as well. */
	private async pages<T>(path: string): Promise<T[]> {
		const found: T[] = [];
		for (let from = "order=asc"; ; ) {
			const { data, cursor } = (await this.request(
				"GET",
				`${path}?limit=${PAGE}&${from}`,
			)) as unknown as { data: T[]; cursor: { next?: string | null } };
			found.push(...data);
			if (!cursor.next || data.length === 0) return found;
			from = `cursor=${encodeURIComponent(cursor.next)}`;
		}
	}

	async createSession(body: object = {}): Promise<Session2> {
		return await this.data<Session2>("POST", "/api/session", {
			location: { directory: this.directory },
			...body,
		});
	}

	/** Every session of every directory, sub-agents' too. */
	async sessions(): Promise<Session2[]> {
		return await this.pages<Session2>("/api/session");
	}

	async session(id: string): Promise<Session2> {
		return await this.data<Session2>("GET", `/api/session/${id}`);
	}

	/** Every message, in the order of `seq`. */
	async messages(id: string): Promise<Message2[]> {
		return await this.pages<Message2>(`/api/session/${id}/message`);
	}

	async inbox(id: string): Promise<Inbox2[]> {
		return await this.data<Inbox2[]>("GET", `/api/session/${id}/inbox`);
	}

	/** Puts a prompt into the inbox; the turn runs by itself. */
	async send(
		id: string,
		text: string,
		extra: PromptExtra = {},
	): Promise<Inbox2> {
		return await this.data<Inbox2>("POST", `/api/session/${id}/prompt`, {
			text,
			...extra,
		});
	}

	/** Returns when the session is at rest. */
	async wait(id: string): Promise<void> {
		await this.request("POST", `/api/experimental/session/${id}/wait`);
	}

	/** One turn; returns when it has ended. */
	async prompt(
		id: string,
		text: string,
		extra: PromptExtra = {},
	): Promise<Inbox2> {
		const sent = await this.send(id, text, extra);
		await this.wait(id);
		return sent;
	}

	/** Ends the turn; with `resume` what waits in the inbox begins at once, as in OpenCode's own screen. */
	async interrupt(id: string, resume = false): Promise<void> {
		const query = resume ? "?resume=true" : "";
		await this.request("POST", `/api/session/${id}/interrupt${query}`);
	}

	async cancel(id: string, inboxID: string): Promise<void> {
		await this.request("DELETE", `/api/session/${id}/inbox/${inboxID}`);
	}

	async deliver(
		id: string,
		inboxID: string,
		delivery: Delivery,
	): Promise<void> {
		await this.request("PATCH", `/api/session/${id}/inbox/${inboxID}`, {
			delivery,
		});
	}

	async update(id: string, body: object): Promise<void> {
		await this.request("PATCH", `/api/session/${id}`, body);
	}

	async remove(id: string): Promise<void> {
		await this.request("DELETE", `/api/session/${id}`);
	}

	/** A copy of what came before a message, or of all. */
	async fork(id: string, before?: string): Promise<Session2> {
		return await this.data<Session2>("POST", `/api/session/${id}/fork`, {
			...(before === undefined ? {} : { before }),
		});
	}

	async stageRevert(id: string, messageID: string): Promise<void> {
		await this.request("POST", `/api/session/${id}/revert/stage`, {
			messageID,
		});
	}

	async clearRevert(id: string): Promise<void> {
		await this.request("DELETE", `/api/session/${id}/revert`);
	}

	async commitRevert(id: string): Promise<void> {
		await this.request("POST", `/api/session/${id}/revert/commit`);
	}

	/** Asks for a compaction, which goes on by itself. */
	async beginCompaction(id: string): Promise<void> {
		await this.request("POST", `/api/session/${id}/compact`, {});
	}

	async compact(id: string): Promise<void> {
		await this.beginCompaction(id);
		await this.wait(id);
	}

	/** A command of the person's own, outside any turn. */
	async shell(id: string, command: string): Promise<void> {
		await this.request("POST", `/api/session/${id}/shell`, { command });
	}

	async move(id: string, directory: string): Promise<void> {
		await this.request("POST", `/api/session/${id}/move`, { directory });
	}

	async selectAgent(id: string, agent: string): Promise<void> {
		await this.request("POST", `/api/session/${id}/agent`, { agent });
	}

	async selectModel(
		id: string,
		providerID: string,
		modelID: string,
	): Promise<void> {
		await this.request("POST", `/api/session/${id}/model`, {
			model: { id: modelID, providerID },
		});
	}

	async synthetic(
		id: string,
		text: string,
		extra: object = {},
	): Promise<Inbox2> {
		return await this.data<Inbox2>("POST", `/api/session/${id}/synthetic`, {
			text,
			...extra,
		});
	}

	async skill(id: string, skill: string): Promise<void> {
		await this.request("POST", `/api/experimental/session/${id}/skill`, {
			id: skill,
		});
	}

	/** A command of the configuration, with its arguments. */
	async command(id: string, name: string, text: string): Promise<void> {
		await this.request("POST", `/api/session/${id}/command`, { name, text });
		await this.wait(id);
	}

	async background(id: string): Promise<void> {
		await this.request("POST", `/api/session/${id}/background`);
	}

	async replyPermission(
		id: string,
		requestID: string,
		decision: "once" | "always" | "reject",
		message?: string,
	): Promise<void> {
		await this.request(
			"POST",
			`/api/session/${id}/permission/${requestID}/reply`,
			{ decision, ...(message === undefined ? {} : { message }) },
		);
	}

	/** Takes back every "always" that was said in any project that has a session. */
	async forgetPermissions(): Promise<void> {
		const sessions = await this.sessions();
		// Without a project it answers for the one in which it was started.
		for (const project of new Set(sessions.map(({ projectID }) => projectID)))
			for (const { id } of await this.data<{ id: string }[]>(
				"GET",
				`/api/permission/saved?projectID=${project}`,
			))
				await this.request("DELETE", `/api/permission/saved/${id}`);
	}

	async replyForm(id: string, formID: string, answer: object): Promise<void> {
		await this.request("POST", `/api/session/${id}/form/${formID}/reply`, {
			answer,
		});
	}

	async cancelForm(id: string, formID: string): Promise<void> {
		await this.request("DELETE", `/api/session/${id}/form/${formID}`);
	}
}
