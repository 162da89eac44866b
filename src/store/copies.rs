//! What a copy of an agent's data tells, against what is stored: which of several
//! copies counts, and what each adds, whatever ranks above it.

use super::erased::content;
use super::totals::totals;
use super::{NOT_PURGED, STAMP};
use crate::model::column::{Column, Guard, Row, Rule};
use crate::model::redaction;

/// True where a copy of OpenCode's data tells it.
pub(super) const OF_COPY: &str = "json_type(?1, '$.copiedAt') IS NOT NULL";

/// A copy tells a session from now on, if it is newer than what is stored, or is of
/// the same time and ranks no lower than the copy that told that. What the agent told
/// ranks above every copy.
pub(super) fn claim_copy() -> String {
    format!(
        "\
INSERT INTO session_own (session_id, copied_at, copy_rank)
SELECT ?1 ->> 'id', ?1 ->> 'copiedAt', ?1 ->> 'copyRank'
WHERE {NOT_PURGED} AND ?1 ->> 'copiedAt' IS NOT NULL AND ?1 ->> 'copyRank' IS NOT NULL
  AND NOT EXISTS (
  SELECT 1 FROM sessions LEFT JOIN session_own AS held ON held.session_id = sessions.id
  WHERE sessions.id = ?1 ->> 'id' AND (?1 ->> 'copiedAt' < updated_at
    OR ?1 ->> 'copiedAt' = updated_at
      AND (held.copied_at IS NOT updated_at OR ?1 ->> 'copyRank' < held.copy_rank)))
ON CONFLICT (session_id) DO UPDATE SET
  copied_at = excluded.copied_at, copy_rank = excluded.copy_rank"
    )
}

/// True where a copy tells what belongs to the session that the parameter `session`
/// names, and no copy told that session that ranks as low or lower, of the same time of
/// change: another copy ranks above it ([`claim_copy`]),
/// or the agent itself does.
fn ranks_below(session: &str) -> String {
    format!(
        "\
NOT EXISTS (SELECT 1 FROM session_own WHERE session_id = ?1 ->> '{session}'
      AND copied_at = ?1 ->> 'copiedAt' AND copy_rank <= ?1 ->> 'copyRank')"
    )
}

/// True where a copy tells a session, another telling of the same time of change
/// ranks above it, and that has told all: then the copy has nothing to add, but for
/// [`more_spent`] and [`what_was_taken_out`].
pub(super) fn outranked() -> String {
    format!(
        "\
coalesce(?1 ->> 'copiedAt' = (SELECT updated_at FROM sessions WHERE id = ?1 ->> 'id')
  AND {}
  AND EXISTS (SELECT 1 FROM session_own WHERE session_id = ?1 ->> 'id'
    AND (copied_at = ?1 ->> 'copiedAt' OR whole_at >= ?1 ->> 'copiedAt')), 0)",
        ranks_below("id")
    )
}

/// True where a copy tells an older state of the session that the parameter `session`
/// names than is stored, or one of the same time that a copy told which ranks higher.
pub(super) fn is_outdated(session: &str) -> String {
    format!(
        "(?1 ->> 'copiedAt' < {changed} OR EXISTS (SELECT 1 FROM session_own
      WHERE session_id = ?1 ->> '{session}' AND copied_at = ?1 ->> 'copiedAt' AND copy_rank > ?1 ->> 'copyRank'))",
        changed = changed(session),
    )
}

/// The parameter that holds the session's id.
pub(super) const fn session(guard: Guard) -> &'static str {
    match guard {
        Guard::Updated => "id",
        _ => "sessionId",
    }
}

/// When the session that the parameter `session` names was changed last, as far as is
/// stored.
fn changed(session: &str) -> String {
    format!("(SELECT updated_at FROM sessions WHERE id = ?1 ->> '{session}')")
}

/// True where the stored row `held` has all that will come of it, so that a copy
/// that is older than what is stored of the session has nothing to add.
pub(super) fn whole(guard: Guard) -> &'static str {
    match guard {
        Guard::Never => "false",
        Guard::Updated => "held.updated_at IS NOT NULL",
        Guard::Completed => "(held.role = 'user' OR held.completed_at IS NOT NULL)",
        Guard::Written => "(held.started_at IS NULL OR held.ended_at IS NOT NULL)",
        Guard::Status => "held.status IN ('completed', 'error')",
    }
}

/// True where a copy tells less than was spent, of the time of change that is stored:
/// OpenCode 1.18 adds the last step to a session's totals and tells nobody.
pub(super) const SPENT_LESS: &str = "\
coalesce(?1 ->> 'copiedAt' = held.updated_at AND coalesce(?1 ->> 'cost', 0) < held.cost, 0)";

/// The totals of a copy that has more than what is stored of the same time of change,
/// whatever ranks higher.
pub(super) fn more_spent() -> String {
    let totals: Vec<String> = totals()
        .map(|Column { name, json, .. }| format!("{name} = coalesce(?1 ->> '{json}', {name})"))
        .collect();
    format!(
        "UPDATE sessions SET {}, changed = {STAMP}\nWHERE id = ?1 ->> 'id' AND ?1 ->> 'copyRank' IS NOT NULL\n  AND ?1 ->> 'copiedAt' = updated_at AND ?1 ->> 'cost' > cost + 1e-9",
        totals.join(", ")
    )
}

/// The title and the directory of a session from which they were taken out, where a
/// copy has them, however old that is.
pub(super) fn what_was_taken_out() -> String {
    format!(
        "\
UPDATE sessions SET
  title = ?1 ->> 'title',
  project_path = coalesce(project_path, ?1 ->> 'projectPath'),
  project_name = coalesce(project_name, ?1 ->> 'projectName'),
  changed = {STAMP}
WHERE id = ?1 ->> 'id' AND ?1 ->> 'copyRank' IS NOT NULL AND ?1 ->> 'title' <> ''
  AND {} AND NOT {}",
        redaction::of_text("title"),
        redaction::of_text("(?1 ->> 'title')")
    )
}

/// An alternative that holds where words are stored that a copy does not
/// replace: by what it has taken out, and by an empty text, in any case; unless it is
/// newer than what is stored of the session, or ranks higher, by none, and where the
/// row has all that will come of it, by no others.
pub(super) fn below<R: Row>(column: &Column) -> String {
    if !R::COLUMNS.iter().any(|column| column.json == "copiedAt") {
        return String::new();
    }
    let Column { name, json, .. } = column;
    let redacted = redacted(column);
    // A title may be emptied by a person.
    let is_emptied = match R::GUARD {
        Guard::Updated => String::new(),
        _ => format!(" OR ?1 ->> '{json}' = ''"),
    };
    // Where a text is derived from none it is empty, and nothing is known of it.
    let is_known = match column.rule {
        Rule::Derived => format!("held.{name} <> ''"),
        _ => format!("held.{name} IS NOT NULL"),
    };
    format!(
        " OR {OF_COPY} AND {is_known}
    AND ({is_redacted}{is_emptied} OR (?1 ->> 'copiedAt' < {changed} OR ?1 ->> 'copiedAt' = {changed} AND {ranks_below})
      AND (?1 ->> '{json}' IS NULL OR {whole} AND NOT {was_redacted}))",
        changed = changed(session(R::GUARD)),
        ranks_below = ranks_below(session(R::GUARD)),
        whole = whole(R::GUARD),
        is_redacted = redacted(&format!("?1 ->> '{json}'")),
        was_redacted = redacted(&format!("held.{name}")),
    )
}

/// How words read that were taken out of a column, as SQL of its value.
fn redacted(column: &Column) -> fn(&str) -> String {
    match column.json {
        "input" => redaction::of_object,
        "data" => redaction::in_json,
        _ => redaction::of_text,
    }
}

/// True where a copy has words that were taken out of the stored row `held`.
pub(super) fn has_words_for<R: Row>() -> String {
    let all: Vec<String> = content::<R>()
        .map(|column| {
            let is_redacted = redacted(column);
            let told = format!("(?1 ->> '{}')", column.json);
            let held = format!("held.{}", column.name);
            format!(
                "{told} <> '' AND NOT {} AND {}",
                is_redacted(&told),
                is_redacted(&held)
            )
        })
        .collect();
    format!("coalesce({}, false)", all.join(" OR "))
}
