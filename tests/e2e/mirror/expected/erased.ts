/** What is left of what an event told to be deleted: what was said is erased, and what it is known by stays. */

import { is, sometime } from "../claim.ts";
import type { Cells, ExpectedRow } from "./row.ts";

const gone = is(null);

export function erasedMessage(
	id: string,
	session: string,
	identity: Cells,
): ExpectedRow {
	const cells: Cells = {
		...identity,
		text_content: is(""),
		error_message: gone,
		deleted_at: sometime,
		missing_since: is(null),
	};
	return { table: "messages", id, session, cells };
}

export function erasedCall(
	id: string,
	session: string,
	identity: Cells,
): ExpectedRow {
	const cells: Cells = {
		...identity,
		title: gone,
		input: gone,
		output: gone,
		error: gone,
		deleted_at: sometime,
		missing_since: is(null),
	};
	return { table: "tool_calls", id, session, cells };
}

/** Nothing need be left of a part. */
export function erasedPart(
	id: string,
	message: string,
	session: string,
): ExpectedRow {
	const cells = { message_id: is(message), text: gone, data: gone };
	return { table: "parts", id, session, cells, optional: true };
}
