/**
 * The package's `./client` entry: a client of the daemon for other programs,
 * in Bun and in Node 20 and later.
 *
 * ```ts
 * import { createRpcClient } from "opencode-clankers/client";
 * const client = createRpcClient({ clientName: "my-tool", clientVersion: "1.0.0" });
 * await client.upsertSession({ id: "ses_1", title: "A session" });
 * client.close();
 * ```
 */
/// <reference lib="esnext.disposable" preserve="true" />
import type {
	Command,
	MessageDelete,
	MessageRow,
	Method,
	PartAppend,
	PartDelete,
	PartRow,
	PermissionRow,
	RejectionRow,
	SessionDelete,
	SessionErrorRow,
	SessionRow,
	StoredMessage,
	StoredRequest,
	StoredSession,
	TodoReplace,
	ToolCallRow,
} from "../../pkg/clankers.js";
import { readConfig } from "./config.ts";
import { Link, type Patience } from "./rpc/link.ts";
import {
	type Answer,
	CODE,
	type Health,
	type Identity,
	RpcError,
} from "./rpc/protocol.ts";

export type {
	Command,
	Health,
	Identity,
	Method,
	Patience,
	StoredMessage,
	StoredSession,
};
export { CODE, RpcError };

/** How long a call may take, unless said otherwise. */
const TIMEOUT_MS = 30_000;

/** Who calls, and where. */
export interface RpcClientOptions {
	/** What the daemon's log calls this program. */
	readonly clientName: string;
	readonly clientVersion: string;
	/** The daemon's socket; by default where `CLANKERS_SOCKET_PATH`, or the data folder, has it. */
	readonly socketPath?: string;
	/** How long a call may take, the wait for a daemon that is away included. */
	readonly timeoutMs?: number;
	/** How patiently to connect again. */
	readonly patience?: Patience;
}

/** What a command answers: how many were applied. */
export interface Applied {
	applied: number;
}

type CommandMethods = {
	[Name in Method]: {
		params: Extract<Command, { method: Name }>["params"];
		result: Applied;
	};
};

/** A request for what is stored; the store of OpenCode that is asked is left out where that is in doubt. */
type Wanted<Kind extends StoredRequest["kind"]> = Omit<
	Extract<StoredRequest, { kind: Kind }>,
	"kind" | "storeId"
> &
	Partial<Pick<StoredRequest, "storeId">>;

/** The daemon's methods, each with what it takes and what it answers. */
export interface Methods extends CommandMethods {
	health: { params: undefined; result: Health };
	batch: { params: { commands: readonly Command[] }; result: Applied };
	"sessions.stored": {
		params: Wanted<"storedSessions">;
		result: StoredSession[];
	};
	"messages.stored": {
		params: Wanted<"storedMessages">;
		result: StoredMessage[];
	};
}

/** Parameters may be left out where a method takes none. */
type Given<Params> = Params extends undefined ? [] : [params: Params];

/**
 * A connection to the daemon that lasts: it is made on the first call, and made
 * again when it is lost; calls that have no answer then are sent again. Each
 * rejects with an `RpcError` where the daemon refuses it, and with one of code
 * 0 where none answered in time: it may have been done then, or not.
 */
export interface RpcClient {
	/** Calls any method. */
	call<Name extends keyof Methods>(
		method: Name,
		...params: Given<Methods[Name]["params"]>
	): Promise<Methods[Name]["result"]>;
	/** Applies commands in one transaction, all of them or none. */
	batch(commands: readonly Command[]): Promise<Applied>;
	/** How the daemon is. */
	health(): Promise<Health>;
	upsertSession(session: SessionRow): Promise<Applied>;
	deleteSession(session: SessionDelete): Promise<Applied>;
	upsertMessage(message: MessageRow): Promise<Applied>;
	deleteMessage(message: MessageDelete): Promise<Applied>;
	upsertPart(part: PartRow): Promise<Applied>;
	/** Adds what came to a text that is being written. */
	appendPart(part: PartAppend): Promise<Applied>;
	deletePart(part: PartDelete): Promise<Applied>;
	upsertToolCall(toolCall: ToolCallRow): Promise<Applied>;
	upsertSessionError(sessionError: SessionErrorRow): Promise<Applied>;
	upsertPermission(permission: PermissionRow): Promise<Applied>;
	replaceTodos(todos: TodoReplace): Promise<Applied>;
	recordRejection(rejection: RejectionRow): Promise<Applied>;
	/** Ends the connection; calls without an answer reject. The process stays alive for calls, never for the client. */
	close(): void;
}

/** Makes a client. Nothing is connected before the first call. */
export function createRpcClient(options: RpcClientOptions): RpcClient {
	const calls = new Calls(options);
	const call: RpcClient["call"] = (method, ...[params]) =>
		calls.call(method, params);
	return {
		call,
		batch: (commands) => call("batch", { commands }),
		health: () => call("health"),
		upsertSession: (session) => call("session.upsert", session),
		deleteSession: (session) => call("session.delete", session),
		upsertMessage: (message) => call("message.upsert", message),
		deleteMessage: (message) => call("message.delete", message),
		upsertPart: (part) => call("part.upsert", part),
		appendPart: (part) => call("part.append", part),
		deletePart: (part) => call("part.delete", part),
		upsertToolCall: (toolCall) => call("tool_call.upsert", toolCall),
		upsertSessionError: (error) => call("session_error.upsert", error),
		upsertPermission: (permission) => call("permission.upsert", permission),
		replaceTodos: (todos) => call("todo.replace", todos),
		recordRejection: (rejection) => call("rejection.record", rejection),
		close: () => calls.close(),
	};
}

interface Call {
	readonly method: string;
	readonly params: string;
	readonly settle: (answer: Answer) => void;
}

/** The calls that have no answer yet, and the link they go over. */
class Calls {
	readonly #link: Link;
	readonly #timeoutMs: number;
	/** In the order they were made. */
	readonly #waiting = new Set<Call>();
	#absence = "no daemon has answered";

	constructor(options: RpcClientOptions) {
		const { socketPath = defaultSocketPath() } = options;
		this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
		this.#link = new Link(
			{ ...options, socketPath },
			{
				ready: () => {
					this.#link.succeeded();
					for (const call of this.#waiting) this.#send(call);
				},
				down: (reason, how) => this.#down(reason, how === "refused"),
			},
		);
	}

	call<Result>(method: string, params: object = {}): Promise<Result> {
		return new Promise<Result>((resolve, reject) => {
			const timer = setTimeout(() => {
				const seconds = this.#timeoutMs / 1000;
				const message = `\`${method}\` was not answered within ${seconds} s: ${this.#absence}`;
				call.settle({ error: new RpcError(0, message) });
			}, this.#timeoutMs);
			const call: Call = {
				method,
				params: JSON.stringify(params),
				settle: (answer) => {
					clearTimeout(timer);
					this.#waiting.delete(call);
					this.#link.hold(this.#waiting.size > 0);
					if (answer.error === undefined) resolve(answer.result as Result);
					else reject(answer.error);
				},
			};
			this.#waiting.add(call);
			this.#link.hold(true);
			if (this.#link.ready) this.#send(call);
			else this.#link.open();
		});
	}

	close(): void {
		this.#link.close();
		this.#fail(new RpcError(0, "the client was closed"));
	}

	#send(call: Call): void {
		this.#link.request(call.method, call.params, (answer) => {
			// A daemon that ends says so; the next one is asked again.
			if (answer.error?.code !== CODE.ending) call.settle(answer);
		});
	}

	#down(reason: string, refused: boolean): void {
		this.#absence = reason;
		if (refused) {
			this.#link.close();
			this.#fail(new RpcError(CODE.protocol, reason));
		} else if (this.#waiting.size === 0) this.#link.close();
	}

	#fail(error: RpcError): void {
		for (const call of this.#waiting) call.settle({ error });
	}
}

function defaultSocketPath(): string {
	return readConfig(undefined, process.env).config.daemon.socketPath;
}
