/** What a message leaves beside its own rows: its steps in the ledger, and its failure. */

import type { JsonObject, MessageWithParts } from "../../harness/api.ts";
import { about, type Claim, is, sometime } from "../claim.ts";
import type { ExpectedRow } from "./row.ts";
import { each, object, usageNumbers } from "./values.ts";

/**
 * One row per step that a provider answered, whatever became of it; an answer that
 * was paid for and has no step (1.0's summaries) is a step of its own.
 */
export function ledgerRows(
	{ info, parts }: MessageWithParts,
	createdAt: ReadonlyMap<string, unknown>,
): ExpectedRow[] {
	const born = object(info.time).created;
	const session = createdAt.get(info.sessionID);
	const inherited =
		typeof born === "number" && typeof session === "number" && born < session;
	const finished = parts.filter((part) => part.type === "step-finish");
	const paid = Object.values(usageNumbers(info)).some((value) => value !== 0);
	const steps: readonly JsonObject[] =
		finished.length === 0 && paid ? [info] : finished;
	return steps.map((step) => ({
		table: "usage",
		id: String(step.id),
		session: info.sessionID,
		cells: {
			session_id: is(info.sessionID),
			message_id: is(info.id),
			agent: is(info.agent ?? info.mode),
			model: is(info.modelID),
			provider: is(info.providerID),
			...each(usageNumbers(step), about),
			inherited: is(inherited ? 1 : 0),
			kind: is(info.summary === true ? "compaction" : "step"),
			cost_source: is("reported"),
			at: sometime,
		},
	}));
}

/** A failure that a message carries. */
export function errorRows(
	info: MessageWithParts["info"],
	message: Claim,
): ExpectedRow[] {
	const error = object(info.error);
	if (typeof error.name !== "string") return [];
	const data = object(error.data);
	const retryable = data.isRetryable;
	return [
		{
			table: "session_errors",
			id: `${info.id} ${error.name}`,
			session: info.sessionID,
			cells: {
				session_id: is(info.sessionID),
				message,
				status_code: is(data.statusCode),
				retryable: is(retryable === undefined ? null : retryable ? 1 : 0),
				created_at: sometime,
			},
		},
	];
}
