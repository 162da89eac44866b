/** OpenCode's HTTP API, as far as a test drives it, the same on every release. */

import { LARGE_MODEL, PROVIDER } from "./home.ts";
import { until } from "./poll.ts";
import { tellsLittle } from "./releases.ts";

export type Json =
	| null
	| boolean
	| number
	| string
	| Json[]
	| { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export interface SessionInfo extends JsonObject {
	id: string;
}
export interface MessageWithParts {
	readonly info: JsonObject & { id: string; sessionID: string; role: string };
	readonly parts: (JsonObject & { id: string; type: string })[];
}

export class ApiError extends Error {
	constructor(
		readonly status: number,
		readonly body: string,
		what: string,
	) {
		super(`${what}: HTTP ${status} ${body.slice(0, 300)}`);
	}
}

export class Api {
	private routes: Promise<ReadonlySet<string>> | undefined;

	constructor(
		readonly origin: string,
		readonly directory: string,
		readonly release: string,
	) {}

	/** Whether this release has such a request, by its own description of its API; a path as it stands there, `{sessionID}` and all. */
	async knows(method: string, path: string): Promise<boolean> {
		this.routes ??= this.request("GET", "/doc").then((document) => {
			const paths = (document as { paths: Record<string, JsonObject> }).paths;
			const named = ([route, methods]: [string, JsonObject]) =>
				Object.keys(methods).map((name) => `${name} ${anonymous(route)}`);
			return new Set(Object.entries(paths).flatMap(named));
		});
		return (await this.routes).has(
			`${method.toLowerCase()} ${anonymous(path)}`,
		);
	}

	/** Follows the bus from here on. */
	async listen(): Promise<Listener> {
		return await Listener.open(this);
	}

	/** The same server, for another project folder. */
	in(directory: string): Api {
		return new Api(this.origin, directory, this.release);
	}

	async request(method: string, path: string, body?: unknown): Promise<Json> {
		const url = new URL(path, this.origin);
		url.searchParams.set("directory", this.directory);
		const response = await fetch(url, {
			method,
			...(body === undefined
				? {}
				: {
						body: JSON.stringify(body),
						headers: { "content-type": "application/json" },
					}),
			signal: AbortSignal.timeout(300_000),
		});
		const text = await response.text();
		if (!response.ok)
			throw new ApiError(response.status, text, `${method} ${path}`);
		try {
			return text === "" ? null : (JSON.parse(text) as Json);
		} catch {
			throw new ApiError(
				response.status,
				text,
				`${method} ${path} answered no JSON`,
			);
		}
	}

	async createSession(body: object = {}): Promise<SessionInfo> {
		return (await this.request("POST", "/session", body)) as SessionInfo;
	}
	async sessions(): Promise<SessionInfo[]> {
		return (await this.request(
			"GET",
			"/session?limit=100000",
		)) as SessionInfo[];
	}
	async session(id: string): Promise<SessionInfo> {
		return (await this.request("GET", `/session/${id}`)) as SessionInfo;
	}
	async children(id: string): Promise<SessionInfo[]> {
		return (await this.request(
			"GET",
			`/session/${id}/children`,
		)) as SessionInfo[];
	}
	async messages(id: string): Promise<MessageWithParts[]> {
		return (await this.request(
			"GET",
			`/session/${id}/message`,
		)) as unknown as MessageWithParts[];
	}
	async todos(id: string): Promise<JsonObject[]> {
		return (await this.request("GET", `/session/${id}/todo`)) as JsonObject[];
	}

	/** Begins a turn that somebody else ends; a failure of it surfaces only where it is awaited. */
	begin(id: string, text: string): Promise<MessageWithParts> {
		const turn = this.prompt(id, text);
		turn.catch(() => undefined);
		return turn;
	}

	/** One turn; returns when it has ended. */
	async prompt(
		id: string,
		text: string,
		extra: {
			parts?: readonly object[];
			agent?: string;
			model?: object;
			noReply?: boolean;
		} = {},
	): Promise<MessageWithParts> {
		const { parts = [], ...rest } = extra;
		const body = {
			model: { providerID: PROVIDER, modelID: LARGE_MODEL },
			parts: [{ type: "text", text }, ...parts],
			...rest,
		};
		const answer = (await this.request(
			"POST",
			`/session/${id}/message`,
			body,
		)) as unknown as MessageWithParts | null;
		// A turn that fails ends with an answer too: one without was never begun.
		const role = extra.noReply ? "user" : "assistant";
		if (answer?.info?.role !== role)
			throw new Error(`"${text}" was not answered in ${id}`);
		return answer;
	}

	async rename(id: string, title: string): Promise<void> {
		await this.request("PATCH", `/session/${id}`, { title });
	}
	async abort(id: string): Promise<void> {
		await this.request("POST", `/session/${id}/abort`);
	}
	async revert(id: string, messageID: string): Promise<void> {
		await this.request("POST", `/session/${id}/revert`, { messageID });
	}
	async unrevert(id: string): Promise<void> {
		await this.request("POST", `/session/${id}/unrevert`);
	}
	async fork(id: string, messageID?: string): Promise<SessionInfo> {
		return (await this.request(
			"POST",
			`/session/${id}/fork`,
			messageID ? { messageID } : {},
		)) as SessionInfo;
	}
	async remove(id: string): Promise<void> {
		await this.request("DELETE", `/session/${id}`);
	}
	async summarize(id: string): Promise<void> {
		await this.request("POST", `/session/${id}/summarize`, {
			providerID: PROVIDER,
			modelID: LARGE_MODEL,
		});
	}
	/** Zero is how OpenCode's own clients unarchive: null is refused, or does nothing. */
	async archive(id: string, archived: number): Promise<void> {
		await this.request("PATCH", `/session/${id}`, { time: { archived } });
	}
	async replyPermission(
		sessionID: string,
		permissionID: string,
		response: "once" | "always" | "reject",
	): Promise<void> {
		await this.request(
			"POST",
			`/session/${sessionID}/permissions/${permissionID}`,
			{ response },
		);
	}
}

/** Releases name the variables of a path differently. */
function anonymous(path: string): string {
	return path.replaceAll(/\{[^}]*\}/g, "{}");
}

export interface BusEvent {
	readonly type: string;
	readonly properties: JsonObject;
}

/** The bus as OpenCode's own clients see it: for waiting until something happened. */
export class Listener {
	/** Everything that was heard, in order. */
	readonly events: BusEvent[] = [];
	private readonly taken = new Set<BusEvent>();
	private readonly closing = new AbortController();

	static async open(api: Api): Promise<Listener> {
		const listener = new Listener();
		const path = tellsLittle(api.release) ? "/global/event" : "/event";
		const url = new URL(path, api.origin);
		url.searchParams.set("directory", api.directory);
		const response = await fetch(url, { signal: listener.closing.signal });
		if (!response.ok || !response.body)
			throw new ApiError(response.status, "", "GET /event");
		listener.read(response.body).catch(() => {});
		return listener;
	}

	/** The first event, not yet taken, that fits; it is taken. */
	async take(
		type: RegExp,
		fits: (properties: JsonObject) => boolean = () => true,
	): Promise<BusEvent> {
		const event = await until(`event ${type}`, () =>
			this.events.find(
				(event) =>
					type.test(event.type) &&
					!this.taken.has(event) &&
					fits(event.properties),
			),
		);
		this.taken.add(event);
		return event;
	}

	/** Waits for these words on the bus, as a delta or as a whole text. */
	async hears(sessionID: string, words: string): Promise<void> {
		await until(`"${words}" on the bus`, () => {
			const told = this.events.filter(
				(event) =>
					event.type.startsWith("message.part.") &&
					JSON.stringify(event.properties).includes(sessionID),
			);
			const deltas = told
				.map((event) =>
					typeof event.properties.delta === "string"
						? event.properties.delta
						: "",
				)
				.join("");
			return (
				deltas.includes(words) ||
				told.some((event) => JSON.stringify(event.properties).includes(words))
			);
		});
	}

	close(): void {
		this.closing.abort();
	}

	private async read(body: ReadableStream<Uint8Array>): Promise<void> {
		const decoder = new TextDecoder();
		let pending = "";
		for await (const chunk of body) {
			pending += decoder.decode(chunk, { stream: true });
			const blocks = pending.split("\n\n");
			pending = blocks.pop() ?? "";
			for (const block of blocks)
				if (block.startsWith("data:"))
					this.events.push(unwrapped(JSON.parse(block.slice(5)) as JsonObject));
		}
	}
}

/** `/global/event` says which project an event is of. */
function unwrapped(sent: JsonObject): BusEvent {
	return (sent.payload ?? sent) as unknown as BusEvent;
}
