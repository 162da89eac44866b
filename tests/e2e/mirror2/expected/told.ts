/** What OpenCode 2 tells in events alone. */

import { is, json, sometime } from "../../mirror/claim.ts";
import type { ExpectedRow } from "../../mirror/expected/row.ts";
import { object } from "../../mirror/expected/values.ts";
import type { Truth2 } from "../truth.ts";

/** Another try that OpenCode announced. */
export function retryRows({ told }: Truth2): ExpectedRow[] {
	return told
		.filter(({ type }) => type === "session.retry.scheduled")
		.map(({ data }) => {
			const error = object(data.error);
			const session = String(data.sessionID);
			return {
				table: "session_errors",
				id: `${data.assistantMessageID} retry ${data.attempt}`,
				session,
				cells: {
					session_id: is(session),
					message: is(error.message),
					status_code: is(error.status),
					created_at: sometime,
				},
			};
		});
}

/** What a person was asked, and what they answered. */
export function permissionRows({ told }: Truth2): ExpectedRow[] {
	const replies = new Map<unknown, unknown>();
	for (const { type, data } of told)
		if (type === "permission.replied") replies.set(data.requestID, data.reply);
	return told
		.filter(({ type }) => type === "permission.asked")
		.map(({ data }) => {
			const source = object(data.source);
			const session = String(data.sessionID);
			return {
				table: "permissions",
				id: String(data.id),
				session,
				cells: {
					session_id: is(session),
					message_id: is(source.messageID),
					call_id: is(source.id),
					permission: is(data.action),
					patterns: json(data.resources),
					reply: is(replies.get(data.id)),
					asked_at: sometime,
					// An interruption leaves a question without an answer.
					replied_at: replies.has(data.id) ? sometime : is(null),
				},
			};
		});
}
