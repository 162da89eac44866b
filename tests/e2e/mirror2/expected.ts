/** The rows that must be there, as the storage contract derives them from OpenCode 2's answers. */

import type { ExpectedRow } from "../mirror/expected/row.ts";
import { goneRows } from "./expected/gone.ts";
import { overheadRows } from "./expected/ledger.ts";
import { messageRows, type Setting } from "./expected/message.ts";
import type { Rules2 } from "./expected/rules.ts";
import { sessionRow } from "./expected/session.ts";
import { permissionRows, retryRows } from "./expected/told.ts";
import type { Truth2 } from "./truth.ts";

/**
 * Of sessions that OpenCode 2 made and whose whole life the plugin heard or read; those that 1.x began have rows under
 * 1.x's ids.
 */
export function expectedRows2(truth: Truth2, rules: Rules2): ExpectedRow[] {
	const rows: ExpectedRow[] = [];
	for (const { session, messages } of truth.sessions) {
		const setting: Setting = { session, seqs: truth.seqs };
		rows.push(
			sessionRow({ session, messages }, rules),
			...messages.flatMap((message) => messageRows(message, messages, setting)),
		);
	}
	return [
		...rows,
		...goneRows(truth, rules),
		...overheadRows(truth),
		...permissionRows(truth),
		...retryRows(truth),
	];
}
