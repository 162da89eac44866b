/** What OpenCode 2 answers with no more. An event told each deletion: what was said is erased, what was spent stays. */

import { is } from "../../mirror/claim.ts";
import {
	erasedCall,
	erasedMessage,
	erasedPart,
} from "../../mirror/expected/erased.ts";
import type { ExpectedRow } from "../../mirror/expected/row.ts";
import type { Message2, Session2 } from "../../opencode2/api.ts";
import type { Event2 } from "../../opencode2/bus.ts";
import { removedFrom, type Truth2 } from "../truth.ts";
import { itemsOf } from "./items.ts";
import { errorRows, ledgerRows } from "./ledger.ts";
import {
	makesRow,
	messageIdentity,
	type Setting,
	toolCallIdentity,
} from "./message.ts";
import type { Rules2 } from "./rules.ts";
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
		const removed = removedFrom(truth, session.id);
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
		erasedMessage(message.id, session, messageIdentity(message, all, setting)),
		...errorRows(message, session, is(null)),
		...ledgerRows(message, setting.session),
		...itemsOf(message).map(({ id, kind, call }) =>
			kind === "tool"
				? erasedCall(id, session, toolCallIdentity(message, session, call))
				: erasedPart(id, message.id, session),
		),
	];
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
						{ ...erasedMessage(id, session, {}), optional },
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
