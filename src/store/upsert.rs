//! Builds the upsert of a table from the declaration of its row: what each
//! column becomes is worked out beside the stored row, and written once.

use super::erased::{content, erased_either, erased_message, erased_session};
use super::{AGE, NOT_PURGED, STAMP};
use crate::model::column::{Column, Guard, Row, Rule};
use crate::model::redaction;
use crate::model::row::{
    MessageRow, PartRow, PermissionRow, SessionErrorRow, SessionRow, ToolCallRow,
};

/// What only the store knows of a table: how its rows stand to others.
struct Standing {
    /// True where the content of the row was erased, or of what it belongs to.
    erased: String,
    /// When what a new row belongs to was deleted, where the table has that column.
    deleted_at: Option<&'static str>,
}

/// The statement for the columns of `R` in its own table. It reads the
/// command's parameters as the JSON text `?1`.
fn upsert<R: Row>(standing: &Standing) -> String {
    let table = R::TABLE;
    let mut names = Vec::new();
    let mut values = Vec::new();
    let is_own = |column: &&Column| column.table == table && column.rule != Rule::Apart;
    for column in R::KEYS.iter().chain(R::COLUMNS).filter(is_own) {
        names.push(column.name);
        values.push(value::<R>(column));
    }
    if let Some(deleted_at) = standing.deleted_at {
        names.push("deleted_at");
        values.push(format!(
            "iif(held.id IS NULL, {deleted_at}, held.deleted_at)"
        ));
    }
    names.push("changed");
    values.push(STAMP.to_owned());
    let updates: Vec<String> = names
        .iter()
        .skip(1)
        .map(|name| format!("{name} = excluded.{name}"))
        .collect();
    // What is told again is not written again.
    let compared = names
        .iter()
        .filter(|name| !["id", "changed"].contains(name));
    let of = |place: &str| {
        let names: Vec<String> = compared
            .clone()
            .map(|name| format!("{place}.{name}"))
            .collect();
        names.join(", ")
    };
    let differs = format!("({}) IS NOT ({})", of(table), of("excluded"));
    let known = [
        ("erased", standing.erased.as_str(), Rule::Content),
        ("has_texts", HAS_TEXTS, Rule::Derived),
        ("reported", REPORTED, Rule::Reported),
        ("reports", &reports(), Rule::Reported),
    ];
    let is_used = |rule: Rule| {
        let is_it = |column: &Column| {
            column.rule == rule || rule == Rule::Content && column.rule == Rule::Derived
        };
        R::COLUMNS.iter().any(is_it)
    };
    let known: Vec<String> = known
        .into_iter()
        .filter(|(_, _, rule)| is_used(*rule))
        .map(|(name, sql, _)| format!("{sql} AS {name}"))
        .collect();
    format!(
        "INSERT INTO {table} ({names})\nSELECT\n  {values}\nFROM (SELECT {known}) AS told\nLEFT JOIN {table} AS held ON held.id = ?1 ->> 'id'\nWHERE {NOT_PURGED}{not_older}\nON CONFLICT (id) DO UPDATE SET\n  {updates}\nWHERE {differs}",
        names = names.join(", "),
        values = values.join(",\n  "),
        known = known.join(",\n  "),
        not_older = not_older::<R>(),
        updates = updates.join(",\n  "),
    )
}

/// What a column of `R` becomes, from the parameter and the stored row `held`.
fn value<R: Row>(column: &Column) -> String {
    let Column {
        name,
        json,
        rule,
        default,
        ..
    } = column;
    let or_default = |value: String| match *default {
        "NULL" => value,
        _ => format!("coalesce({value}, {default})"),
    };
    let told = or_default(format!("?1 ->> '{json}'"));
    let stored = or_default(format!("held.{name}"));
    let unknown = format!("json_type(?1, '$.{json}') IS NULL");
    match rule {
        Rule::First if *name == "id" => told,
        Rule::First | Rule::Teller => format!("coalesce(held.{name}, ?1 ->> '{json}')"),
        Rule::Latest | Rule::Apart => format!("iif({unknown}, {stored}, {told})"),
        Rule::Content | Rule::Derived => {
            let derived = if *rule == Rule::Derived {
                " OR has_texts"
            } else {
                ""
            };
            let below = below::<R>(column);
            format!("iif({unknown} OR erased{derived}{below}, {stored}, {told})")
        }
        Rule::Earliest | Rule::Greatest => {
            let pick = if *rule == Rule::Earliest {
                "min"
            } else {
                "max"
            };
            format!(
                "{pick}(coalesce(held.{name}, ?1 ->> '{json}'), coalesce(?1 ->> '{json}', held.{name}))"
            )
        }
        // What was summed before OpenCode reports totals is none of them.
        Rule::Reported => format!(
            "CASE WHEN NOT reports AND NOT reported OR {SPENT_LESS} THEN {stored}
    WHEN {unknown} THEN iif(reported, {stored}, {default}) ELSE {told} END"
        ),
    }
}

/// True where a copy tells less than was spent, of the time of change that is stored:
/// OpenCode 1.18 adds the last step to a session's totals and tells nobody.
const SPENT_LESS: &str = "\
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

/// True where a copy of OpenCode's data tells it.
pub(super) const OF_COPY: &str = "json_type(?1, '$.copiedAt') IS NOT NULL";

/// True where a copy tells what belongs to the session that the parameter `session`
/// names, and no copy told that session that ranks as low or lower, of the same time of
/// change: another copy ranks above it ([`claim_copy`](super::statements::claim_copy)),
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
fn below<R: Row>(column: &Column) -> String {
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
fn has_words_for<R: Row>() -> String {
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

/// The parameter that holds the session's id.
const fn session(guard: Guard) -> &'static str {
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

/// True where a copy tells an older state of the session that the parameter `session`
/// names than is stored, or one of the same time that a copy told which ranks higher.
pub(super) fn is_behind(session: &str) -> String {
    format!(
        "(?1 ->> 'copiedAt' < {changed} OR EXISTS (SELECT 1 FROM session_own
      WHERE session_id = ?1 ->> '{session}' AND copied_at = ?1 ->> 'copiedAt' AND copy_rank > ?1 ->> 'copyRank'))",
        changed = changed(session),
    )
}

/// True where the stored row `held` has all that will come of it, so that a copy
/// that is older than what is stored of the session has nothing to add.
fn whole(guard: Guard) -> &'static str {
    match guard {
        Guard::Never => "false",
        Guard::Updated => "held.updated_at IS NOT NULL",
        Guard::Completed => "(held.role = 'user' OR held.completed_at IS NOT NULL)",
        Guard::Written => "(held.started_at IS NULL OR held.ended_at IS NOT NULL)",
        Guard::Status => "held.status IN ('completed', 'error')",
    }
}

/// True where what comes in is not older than the stored row `held`.
fn not_older<R: Row>() -> String {
    let guard = R::GUARD;
    let older = match guard {
        Guard::Never => return String::new(),
        Guard::Updated => &format!("({AGE} < held.updated_at OR {})", outranked()),
        Guard::Completed => {
            "held.completed_at IS NOT NULL
  AND (json_type(?1, '$.completedAt') = 'null' OR ?1 ->> 'completedAt' < held.completed_at)"
        }
        Guard::Written => {
            "CASE json_type(?1, '$.endedAt')
  WHEN 'null' THEN held.ended_at IS NOT NULL
    OR length(CAST(?1 ->> 'text' AS BLOB)) < length(CAST(held.text AS BLOB))
  ELSE json_type(?1, '$.endedAt') IS NULL AND held.ended_at IS NOT NULL
    AND ?1 ->> 'startedAt' IS NOT NULL AND json_type(?1, '$.text') IS NOT NULL END"
        }
        Guard::Status => {
            "CASE ?1 ->> 'status' WHEN 'pending' THEN held.status <> 'pending'
  WHEN 'running' THEN held.status IN ('completed', 'error') ELSE false END"
        }
    };
    let but_for_words = match guard {
        Guard::Updated => String::new(),
        _ => format!(" AND NOT {}", has_words_for::<R>()),
    };
    format!(
        "\n  AND NOT coalesce({older}, false)
  AND NOT coalesce({OF_COPY} AND held.id IS NOT NULL AND {whole}
    AND {is_behind}{but_for_words}, false)",
        whole = whole(guard),
        is_behind = is_behind(session(guard)),
    )
}

/// True where what is told of the session in the stored row `held` is taken.
pub(super) fn takes_session() -> String {
    not_older::<SessionRow>()
}

/// True where what is told of a part that is there is taken.
pub(super) fn takes_part() -> String {
    format!(
        "EXISTS (SELECT 1 FROM parts AS held WHERE held.id = ?1 ->> 'id' AND {NOT_PURGED}{})",
        not_older::<PartRow>()
    )
}

const HAS_TEXTS: &str =
    "EXISTS (SELECT 1 FROM parts WHERE message_id = ?1 ->> 'id' AND type = 'text')";

/// Whether OpenCode has reported totals for the session before.
const REPORTED: &str =
    "EXISTS (SELECT 1 FROM session_own WHERE session_id = ?1 ->> 'id' AND reports_usage)";

/// Whether it does now: it says so, or any is not zero.
pub(super) fn reports() -> String {
    let is_spent = totals().map(|Column { json, .. }| format!("coalesce(?1 ->> '{json}', 0) <> 0"));
    let all: Vec<String> = is_spent.collect();
    format!(
        "(coalesce(?1 ->> 'reportsTotals', 0) OR {})",
        all.join("\n    OR ")
    )
}

/// What OpenCode reports for a session, where it reports any.
fn totals() -> impl Iterator<Item = &'static Column> {
    let is_reported = |column: &&Column| column.rule == Rule::Reported;
    SessionRow::COLUMNS.iter().filter(is_reported)
}

pub(super) fn sessions() -> String {
    upsert::<SessionRow>(&Standing {
        erased: erased_session("?1 ->> 'id'"),
        deleted_at: None,
    })
}

/// A column that is taken over also from a session that is older than the stored one.
pub(super) fn session_status() -> String {
    let status = |column: &&Column| column.table == SessionRow::TABLE && column.rule == Rule::Apart;
    let updates: Vec<(&str, String)> = SessionRow::COLUMNS
        .iter()
        .filter(status)
        .map(|column| (column.name, value::<SessionRow>(column)))
        .collect();
    let set: Vec<String> = updates
        .iter()
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    let differs: Vec<String> = updates
        .iter()
        .map(|(name, value)| format!("{name} IS NOT {value}"))
        .collect();
    format!(
        "UPDATE sessions AS held SET {}, changed = {STAMP}\nWHERE id = ?1 ->> 'id' AND ({})",
        set.join(", "),
        differs.join(" OR ")
    )
}

pub(super) fn messages() -> String {
    upsert::<MessageRow>(&Standing {
        erased: format!(
            "iif(EXISTS (SELECT 1 FROM messages WHERE id = ?1 ->> 'id'), {}, {})",
            erased_message("?1 ->> 'id'"),
            erased_session("?1 ->> 'sessionId'")
        ),
        deleted_at: Some("(SELECT deleted_at FROM sessions WHERE id = ?1 ->> 'sessionId')"),
    })
}

pub(super) fn parts() -> String {
    upsert::<PartRow>(&Standing {
        erased: erased_message(&stored_or_told("parts", "message_id", "messageId")),
        deleted_at: None,
    })
}

pub(super) fn tool_calls() -> String {
    upsert::<ToolCallRow>(&Standing {
        erased: erased_message(&stored_or_told("tool_calls", "message_id", "messageId")),
        deleted_at: Some("(SELECT deleted_at FROM messages WHERE id = ?1 ->> 'messageId')"),
    })
}

pub(super) fn session_errors() -> String {
    upsert::<SessionErrorRow>(&with_links("session_errors"))
}

pub(super) fn permissions() -> String {
    upsert::<PermissionRow>(&with_links("permissions"))
}

/// Of a table whose rows may learn late what they belong to.
fn with_links(table: &str) -> Standing {
    Standing {
        erased: erased_either(
            &stored_or_told(table, "session_id", "sessionId"),
            &stored_or_told(table, "message_id", "messageId"),
        ),
        deleted_at: None,
    }
}

fn stored_or_told(table: &str, column: &str, param: &str) -> String {
    format!("coalesce((SELECT {column} FROM {table} WHERE id = ?1 ->> 'id'), ?1 ->> '{param}')")
}
