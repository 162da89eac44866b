//! Builds the upsert of a table from the declaration of its row: what each
//! column becomes is worked out beside the stored row, and written once.

use super::copies::{SPENT_LESS, below};
use super::erased::{erased_either, erased_message, erased_session};
use super::guards::not_older;
use super::totals::{REPORTED, reports};
use super::{NOT_PURGED, STAMP};
use crate::model::column::{Column, Row, Rule};
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

const HAS_TEXTS: &str =
    "EXISTS (SELECT 1 FROM parts WHERE message_id = ?1 ->> 'id' AND type = 'text')";

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
        Rule::First | Rule::Provenance => format!("coalesce(held.{name}, ?1 ->> '{json}')"),
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
