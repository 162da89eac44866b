/** What a host gives: events come from it, and it can be asked. Each agent's engine has its own. */
import type { Request } from "../../../pkg/clankers.js";
import type { HostLog } from "./host-log.ts";

/** What the bus sends; everything but the type is the core's to read. */
export interface BusEvent {
	readonly type: string;
	/** `evt_…`, where the release has one. */
	readonly id?: string;
}

/** A request that is the host's to answer. */
export type HostRequest = Exclude<
	Request,
	{ kind: "storedSessions" | "storedMessages" }
>;

/**
 * What came of a request: a value; that there is none, as the one who was
 * asked says; a failure, of which nothing follows; or that it cannot be asked.
 */
export type Answer =
	| { readonly outcome: "found"; readonly value: unknown }
	| { readonly outcome: "none" | "failed" | "notOffered" };

/** Something went wrong; what the answer is, nobody knows. */
export const FAILED: Answer = { outcome: "failed" };

export function found(value: unknown): Answer {
	return { outcome: "found", value };
}

/** That, or this where there is none. */
export function foundOr(value: unknown, otherwise: Answer): Answer {
	return value === undefined ? otherwise : found(value);
}

/** One project directory of an agent. */
export interface Host {
	/** The project directory. */
	readonly directory: string;
	readonly log: HostLog;
	/** Answers a request. Never rejects. */
	ask(request: HostRequest): Promise<Answer>;
}
