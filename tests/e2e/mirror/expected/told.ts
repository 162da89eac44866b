/** What OpenCode tells in events alone. */

import { is, json, sometime } from "../claim.ts";
import { distinct } from "../database.ts";
import type { Truth } from "../truth.ts";
import type { ExpectedRow } from "./row.ts";
import { object } from "./values.ts";

/** Another try that OpenCode announced: by its status, in 1.0 by a part. */
export function retryRows({ told, sessions }: Truth): ExpectedRow[] {
	const announced = told
		.filter(({ type }) => type === "session.status")
		.map(({ properties }) => ({
			session: properties.sessionID,
			retry: object(properties.status),
		}))
		// With attempt 0 Kilo says that the network is back.
		.filter(({ retry }) => retry.type === "retry" && retry.attempt !== 0)
		.map(({ session, retry }) => ({
			session: String(session),
			attempt: retry.attempt,
			message: is(retry.message),
		}));
	const written = sessions
		.flatMap(({ messages }) => messages.flatMap(({ parts }) => parts))
		.filter((part) => part.type === "retry")
		.map((part) => ({
			session: String(part.sessionID),
			attempt: part.attempt,
			message: is(object(object(part.error).data).message),
		}));
	const ids = new Set<string>();
	return [...announced, ...written].map(({ session, attempt, message }) => {
		const id = distinct(ids, `${session} retry ${attempt}`);
		ids.add(id);
		return {
			table: "session_errors",
			id,
			session,
			cells: { message, created_at: sometime },
		};
	});
}

/** What a person was asked, and what they answered. */
export function permissionRows({ told }: Truth): ExpectedRow[] {
	const replies = new Map<unknown, unknown>();
	for (const { type, properties } of told)
		if (type === "permission.replied")
			replies.set(
				properties.requestID ?? properties.permissionID,
				properties.reply ?? properties.response,
			);
	return told
		.filter(
			({ type }) =>
				type === "permission.asked" || type === "permission.updated",
		)
		.map(({ properties }) => {
			const tool = object(properties.tool);
			return {
				table: "permissions",
				id: String(properties.id),
				session: String(properties.sessionID),
				cells: {
					session_id: is(properties.sessionID),
					message_id: is(tool.messageID ?? properties.messageID),
					call_id: is(tool.callID ?? properties.callID),
					permission: is(properties.permission ?? properties.type),
					patterns: json(properties.patterns ?? [properties.pattern].flat()),
					reply: is(replies.get(properties.id)),
					asked_at: sometime,
					replied_at: sometime,
				},
			};
		});
}
