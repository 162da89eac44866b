/** What is spoken with the daemon: JSON-RPC 2.0, protocol 1. */

/** The version that we speak. */
export const PROTOCOL = 1;

/** The daemon's own error codes, and those of JSON-RPC that it uses. */
export const CODE = {
	parse: -32700,
	invalidRequest: -32600,
	methodNotFound: -32601,
	invalidParams: -32602,
	/** The client speaks another protocol. */
	protocol: -32001,
	/** The request is longer than the daemon reads. */
	tooLong: -32002,
	/** The database could not be written; `data.retry` says whether to try again. */
	database: -32003,
	/** The daemon is about to end. */
	ending: -32004,
	/** The database is another one than the request counts on; `data.database` names it. */
	replaced: -32005,
} as const;

/** The longest request that the daemon reads, in bytes. */
export const LONGEST_REQUEST: number = 64 * 1024 * 1024;

/** What the daemon says of itself when it is greeted. */
export interface Identity {
	name: string;
	version: string;
	protocol: number;
	schemaVersion: number;
	/** The database that it writes. */
	dbPath: string;
	/** What tells it from another in its place; older daemons do not say. */
	database?: string;
	pid: number;
}

/** How the daemon is. */
export interface Health extends Identity {
	uptimeMs: number;
	/** Rows by table. */
	counts: {
		sessions: number;
		messages: number;
		parts: number;
		toolCalls: number;
		rejections: number;
	};
}

/** A request that the daemon did not do, and why. */
export class RpcError extends Error {
	override readonly name = "RpcError";
	/** One of `CODE`; 0 where no daemon answered. */
	readonly code: number;
	/** What the daemon adds: the wrong field's place, whether to try again. */
	readonly data: unknown;

	constructor(code: number, message: string, data?: unknown) {
		super(message);
		this.code = code;
		this.data = data;
	}
}

/** What became of a request. */
export type Answer =
	| { readonly result: unknown; readonly error?: undefined }
	| { readonly error: RpcError };

/** Reads a response. The id is `null` where the daemon could not read the request's. */
export function readResponse(
	body: string,
): { id: unknown; answer: Answer } | undefined {
	const response: unknown = JSON.parse(body);
	if (!isObject(response) || !("id" in response)) return undefined;
	const { id, error, result } = response as {
		id: unknown;
		error?: unknown;
		result?: unknown;
	};
	if (!isObject(error)) return { id, answer: { result } };
	const { code, message, data } = error as {
		code?: unknown;
		message?: unknown;
		data?: unknown;
	};
	return {
		id,
		answer: { error: new RpcError(Number(code), String(message), data) },
	};
}

function isObject(value: unknown): value is object {
	return typeof value === "object" && value !== null;
}
