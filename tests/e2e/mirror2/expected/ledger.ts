/** What a message leaves beside its own rows: its cost in the ledger, and its failure; and what only a session's total shows. */

import { about, type Claim, is, sometime } from "../../mirror/claim.ts";
import type { ExpectedRow } from "../../mirror/expected/row.ts";
import {
	each,
	number,
	object,
	usageNumbers,
} from "../../mirror/expected/values.ts";
import type { Message2, Session2 } from "../../opencode2/api.ts";
import { removedFrom, type Truth2 } from "../truth.ts";

/** A row for each answer and each compaction that OpenCode counted, by its message's id. */
export function ledgerRows(
	message: Message2,
	session: Session2,
): ExpectedRow[] {
	if (!isCounted(message)) return [];
	const model = object(message.model);
	return [
		{
			table: "usage",
			id: message.id,
			session: session.id,
			cells: {
				session_id: is(session.id),
				message_id: is(message.id),
				agent: is(message.agent),
				model: is(model.id),
				provider: is(model.providerID),
				...each(usageNumbers(message), about),
				kind: is(kindOf(message)),
				cost_source: is("reported"),
				inherited: is(isInherited(message, session) ? 1 : 0),
				at: sometime,
			},
		},
	];
}

function isCounted({ cost, tokens }: Message2): boolean {
	return cost !== undefined && tokens !== undefined;
}

function kindOf({ type, error }: Message2): string {
	if (type === "compaction") return "compaction";
	return error === undefined ? "step" : "failed";
}

/** A fork's copy keeps the time of what it copies. */
function isInherited(message: Message2, session: Session2): boolean {
	const born = number(object(message.time).created);
	return (
		session.fork !== undefined && born < number(object(session.time).created)
	);
}

/** Titles and retried calls are in a session's total alone: what is left of it when all else is taken away. */
export function overheadRows(truth: Truth2): ExpectedRow[] {
	return [...truth.sessions, ...truth.gone].map(({ session, messages }) => {
		const removed = removedFrom(truth, session.id);
		const left = usageNumbers(session);
		for (const message of [...messages, ...removed])
			if (isCounted(message) && !isInherited(message, session))
				for (const [column, value] of Object.entries(usageNumbers(message)))
					left[column] = (left[column] ?? 0) - value;
		const isNothing = Object.values(left).every(
			(value) => Math.abs(value) < 1e-9,
		);
		return {
			table: "usage",
			id: `${session.id} overhead`,
			session: session.id,
			cells: {
				session_id: is(session.id),
				message_id: is(null),
				...each(left, about),
				kind: is("overhead"),
				cost_source: is("reported"),
				inherited: is(0),
				at: sometime,
			},
			optional: isNothing,
		};
	});
}

/** A failure that a message carries. */
export function errorRows(
	{ id, error }: Message2,
	session: string,
	message: Claim,
): ExpectedRow[] {
	if (error === undefined) return [];
	const { type, status } = object(error);
	return [
		{
			table: "session_errors",
			id: `${id} ${type}`,
			session,
			cells: {
				session_id: is(session),
				message,
				status_code: is(status),
				retryable: is(null),
				created_at: sometime,
			},
		},
	];
}
