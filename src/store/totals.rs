//! The totals that OpenCode reports for a session, where it reports any.

use crate::model::column::{Column, Row, Rule};
use crate::model::row::SessionRow;

/// Their columns.
pub(super) fn totals() -> impl Iterator<Item = &'static Column> {
    let is_reported = |column: &&Column| column.rule == Rule::Reported;
    SessionRow::COLUMNS.iter().filter(is_reported)
}

/// Whether OpenCode has reported totals for the session before.
pub(super) const REPORTED: &str =
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
