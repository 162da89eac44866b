/**
 * What OpenCode answers with no more. Where an event told the deletion, what
 * was said is erased and what was spent stays; where none did, all of it stays
 * and is marked as missing.
 */

import type { MessageWithParts } from "../../harness/api.ts";
import { about, is, sometime } from "../claim.ts";
import type { RemovedPart, SessionTruth, Truth } from "../truth.ts";
import { erasedCall, erasedMessage, erasedPart } from "./erased.ts";
import { errorRows, ledgerRows } from "./ledger.ts";
import {
	messageIdentity,
	messageRows,
	partOrCallRow,
	type Setting,
	toolCallIdentity,
} from "./message.ts";
import type { Cells, ExpectedRow } from "./row.ts";
import type { Rules } from "./rules.ts";
import { sessionIdentity, sessionRow, todoRows } from "./session.ts";
import { each, object, sum, usageNumbers } from "./values.ts";

export function goneRows(
	truth: Truth,
	rules: Rules,
	setting: Setting,
): ExpectedRow[] {
	const deletions = deletionsTold(truth);
	const rows: ExpectedRow[] = [];
	const add = (wasTold: boolean, erased: ExpectedRow[], kept: ExpectedRow[]) =>
		rows.push(...fate(wasTold, rules, erased, kept));
	for (const there of truth.gone) {
		const { session, messages } = there;
		const wasTold = deletions.has(session.id);
		const kept = [isMissing(sessionRow(there, [], rules)), ...todoRows(there)];
		add(wasTold, [erasedSessionRow(there, rules)], kept);
		for (const message of messages)
			add(
				wasTold || deletions.has(message.info.id),
				erasedRows(message, setting),
				missingRows(message, setting),
			);
	}
	for (const message of truth.removed)
		add(
			deletions.has(message.info.id),
			erasedRows(message, setting),
			missingRows(message, setting),
		);
	for (const removed of truth.removedParts) {
		const { part, info } = removed;
		const steps =
			part.type === "step-finish"
				? ledgerRows({ info, parts: [part] }, setting.createdAt)
				: [];
		add(
			deletions.has(part.id),
			[erasedPartOrCall(removed), ...steps],
			[isMissing(partOrCallRow(part, info, setting)), ...steps],
		);
	}
	return rows;
}

/** The ids of everything that an event told to be deleted. */
function deletionsTold({ told }: Truth): Set<string> {
	const ids = new Set<string>();
	for (const { type, properties } of told) {
		if (type === "session.deleted")
			ids.add(String(object(properties.info).id ?? properties.sessionID));
		if (type === "message.removed") ids.add(String(properties.messageID));
		if (type === "message.part.removed") ids.add(String(properties.partID));
	}
	return ids;
}

/** Where the plugin may have been away, either will do, and neither need be there. */
function fate(
	wasTold: boolean,
	rules: Rules,
	erased: readonly ExpectedRow[],
	kept: readonly ExpectedRow[],
): readonly ExpectedRow[] {
	if (rules.tombstones === "all") return wasTold ? erased : kept;
	const keptCells = new Map(kept.map((row) => [keyOf(row), row.cells]));
	const both = erased.map((row): ExpectedRow => {
		const missing = keptCells.get(keyOf(row));
		return { ...row, ...(missing && { missing }), optional: true };
	});
	const erasedKeys = new Set(erased.map(keyOf));
	const others = kept
		.filter((row) => !erasedKeys.has(keyOf(row)))
		.map((row) => ({ ...row, optional: true }));
	return [...both, ...others];
}

function keyOf({ table, id }: ExpectedRow): string {
	return `${table} ${id}`;
}

/** All as it was, and the mark. */
function isMissing(row: ExpectedRow): ExpectedRow {
	const cells: Cells = { ...row.cells, missing_since: sometime };
	return { ...row, cells };
}

/** A message's tool calls are missing with it; its parts are not marked by themselves. */
function missingRows(
	message: MessageWithParts,
	setting: Setting,
): ExpectedRow[] {
	const marked = ["messages", "tool_calls"];
	return messageRows(message, setting).map((row) =>
		marked.includes(row.table) ? isMissing(row) : row,
	);
}

function erasedSessionRow(
	{ session, messages }: SessionTruth,
	rules: Rules,
): ExpectedRow {
	const reported = usageNumbers(session);
	const reports = Object.values(reported).some((value) => value !== 0);
	return {
		table: "sessions",
		id: session.id,
		session: session.id,
		cells: {
			...sessionIdentity(session, rules),
			title: is(null),
			...each(reports ? reported : sum(messages), about),
			deleted_at: sometime,
			missing_since: is(null),
		},
	};
}

function erasedRows(
	message: MessageWithParts,
	{ createdAt }: Setting,
): ExpectedRow[] {
	const { info, parts } = message;
	return [
		erasedMessage(info.id, info.sessionID, messageIdentity(info)),
		...errorRows(info, is(null)),
		...parts.map((part) => erasedPartOrCall({ part, info })),
		...ledgerRows(message, createdAt),
	];
}

function erasedPartOrCall({ part, info }: RemovedPart): ExpectedRow {
	return part.type === "tool"
		? erasedCall(part.id, info.sessionID, toolCallIdentity(part, info))
		: erasedPart(part.id, info.id, info.sessionID);
}
