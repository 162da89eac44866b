/** A session, as OpenCode 2 answers with it. */

import { about, type Claim, is, sometime } from "../../mirror/claim.ts";
import type { ExpectedRow } from "../../mirror/expected/row.ts";
import { each, object, usageNumbers } from "../../mirror/expected/values.ts";
import type { Session2 } from "../../opencode2/api.ts";
import type { Session2Truth } from "../truth.ts";
import type { Rules2 } from "./rules.ts";

export function sessionRow(
	{ session, messages }: Session2Truth,
	rules: Rules2,
): ExpectedRow {
	const time = object(session.time);
	const answer = messages.findLast(({ type }) => type === "assistant");
	const model = object(answer?.model ?? session.model);
	return {
		table: "sessions",
		id: session.id,
		session: session.id,
		cells: {
			...identity(session, rules),
			title: is(session.title),
			agent: is(session.agent ?? answer?.agent),
			model: is(model.id),
			provider: is(model.providerID),
			status: is("idle"),
			...each(usageNumbers(session), about),
			// It tells none of these.
			additions: is(null),
			deletions: is(null),
			files_changed: is(null),
			updated_at: is(time.updated),
			archived_at: is(time.archived),
			deleted_at: is(null),
			missing_since: is(null),
		},
	};
}

export function erasedSessionRow(
	{ session }: Session2Truth,
	rules: Rules2,
): ExpectedRow {
	return {
		table: "sessions",
		id: session.id,
		session: session.id,
		cells: {
			...identity(session, rules),
			title: is(null),
			...each(usageNumbers(session), about),
			deleted_at: sometime,
			missing_since: is(null),
		},
	};
}

/** The release is told when the session is created, which the first of a directory is before its plugin runs. */
function releaseOrNone(release: string): Claim {
	return {
		expected: `"${release}" or null`,
		holds: (found) => found === null || found === release,
	};
}

function identity(
	session: Session2,
	{ release }: Rules2,
): Record<string, Claim> {
	const { directory } = object(session.location);
	return {
		parent_id: is(session.parentID),
		source: is("opencode"),
		source_version: releaseOrNone(release),
		project_id: is(session.projectID),
		project_path: is(directory),
		project_name: is(String(directory).split("/").at(-1)),
		created_at: is(object(session.time).created),
	};
}
