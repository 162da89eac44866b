/** The rows that must be there, as the storage contract derives them from OpenCode's answers. */

import { releaseNamed } from "../harness/releases.ts";
import { goneRows } from "./expected/gone.ts";
import { messageRows, type Setting } from "./expected/message.ts";
import type { ExpectedRow } from "./expected/row.ts";
import type { Rules } from "./expected/rules.ts";
import { sessionRow, todoRows } from "./expected/session.ts";
import { permissionRows, retryRows } from "./expected/told.ts";
import { object } from "./expected/values.ts";
import type { Truth } from "./truth.ts";

export function expectedRows(truth: Truth, rules: Rules): ExpectedRow[] {
	const rows: ExpectedRow[] = [];
	const { unanswered } = releaseNamed(rules.release).application;
	const createdAt = new Map<string, unknown>();
	for (const { session } of [...truth.sessions, ...truth.gone])
		createdAt.set(session.id, object(session.time).created);
	const setting: Setting = { createdAt, unanswered };
	for (const there of truth.sessions) {
		const removed = truth.removed.filter(
			(message) => message.info.sessionID === there.session.id,
		);
		rows.push(sessionRow(there, removed, rules), ...todoRows(there));
		for (const message of there.messages)
			rows.push(...messageRows(message, setting));
	}
	rows.push(...goneRows(truth, rules, setting));
	rows.push(...permissionRows(truth), ...retryRows(truth));
	return rows;
}
