/** What OpenCode 2 answers with no more. An event told each deletion: what was said is erased, what was spent stays. */

import { is, sometime } from "../../mirror/claim.ts";
import type { Cells, ExpectedRow } from "../../mirror/expected/row.ts";
import type { Message2, Session2 } from "../../opencode2/api.ts";
import type { Event2 } from "../../opencode2/bus.ts";
import type { Rules2 } from "../expected.ts";
import type { Truth2 } from "../truth.ts";
import { itemsOf } from "./items.ts";
import { errorRows, ledgerRows } from "./ledger.ts";
import {
	makesRow,
	messageIdentity,
	type Setting,
	toolCallIdentity,
} from "./message.ts";
import { erasedSessionRow } from "./session.ts";

export function goneRows(truth: Truth2, rules: Rules2): ExpectedRow[] {
	const { seqs } = truth;
	const rows = truth.gone.flatMap((there) => [
		erasedSessionRow(there, rules),
		...there.messages.flatMap((message) =>
			erasedRows(message, there.messages, { session: there.session, seqs }),
		),
		...unseenRows(there.session, there.messages, truth.told),
	]);
	for (const { session, messages } of truth.sessions) {
		const removed = truth.removed
			.filter(({ sessionID }) => sessionID === session.id)
			.map(({ message }) => message);
		const all = [...messages, ...removed].toSorted(
			(a, b) => (seqs[a.id] ?? 0) - (seqs[b.id] ?? 0),
		);
		for (const message of removed)
			rows.push(...erasedRows(message, all, { session, seqs }));
	}
	return rows;
}

function erasedRows(
	message: Message2,
	all: readonly Message2[],
	setting: Setting,
): ExpectedRow[] {
	if (!makesRow(message)) return [];
	const session = setting.session.id;
	return [
		{
			table: "messages",
			id: message.id,
			session,
			cells: {
				...messageIdentity(message, all, setting),
				...ERASED,
			},
		},
		...errorRows(message, session, is(null)),
		...ledgerRows(message, setting.session),
		...itemsOf(message).map((item): ExpectedRow => {
			const { id } = item;
			if (item.kind !== "tool") return erasedPart(id, message.id, session);
			const cells: Cells = {
				...toolCallIdentity(message, session, item.call),
				title: is(null),
				input: is(null),
				output: is(null),
				error: is(null),
				deleted_at: sometime,
				missing_since: is(null),
			};
			return { table: "tool_calls", id, session, cells };
		}),
	];
}

const ERASED: Cells = {
	text_content: is(""),
	error_message: is(null),
	deleted_at: sometime,
	missing_since: is(null),
};

/** Nothing need be left of a part. */
function erasedPart(id: string, message: string, session: string): ExpectedRow {
	const cells = { message_id: is(message), text: is(null), data: is(null) };
	return { table: "parts", id, session, cells, optional: true };
}

/** What a session said after it was last seen, and before it was deleted: events alone told of it, so that it may have left a tombstone. */
function unseenRows(
	{ id: session }: Session2,
	seen: readonly Message2[],
	told: readonly Event2[],
): ExpectedRow[] {
	const known = new Set(seen.map(({ id }) => id));
	return told
		.filter(({ data }) => data.sessionID === session)
		.flatMap(({ type, data }): ExpectedRow[] => {
			const id = String(data.assistantMessageID ?? data.inboxID);
			if (known.has(id)) return [];
			const optional = true;
			switch (type) {
				case "session.inbox.delivered":
				case "session.step.started":
					return [
						{ table: "messages", id, session, cells: ERASED, optional },
						erasedPart(`${id}:text:0`, id, session),
					];
				case "session.step.failed":
					return errorRows(
						{ id, type: "assistant", error: data.error ?? null },
						session,
						is(null),
					).map((row) => ({ ...row, optional }));
				default:
					return [];
			}
		});
}
