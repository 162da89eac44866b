//! What OpenCode does not have any more though nobody deleted it.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::selection::{Selection, Target, line};
use crate::error::Result;
use crate::output::counted;
use crate::store::{Row, rows};

/// What is missing: each session, message or part, but none that goes with
/// another. A session that has a message which is not missing stays, so that
/// nothing is erased but what is missing.
///
/// Before `?1`, of the project `?2`, among the ids in the JSON list `?3`; each
/// may be NULL.
const MISSING: &str = "\
WITH
  missing_sessions AS (
    SELECT id, missing_since FROM sessions
    WHERE missing_since IS NOT NULL AND deleted_at IS NULL AND NOT EXISTS (
      SELECT 1 FROM messages
      WHERE session_id = sessions.id AND missing_since IS NULL AND deleted_at IS NULL)),
  missing_messages AS (
    SELECT id, session_id, missing_since FROM messages
    WHERE missing_since IS NOT NULL AND deleted_at IS NULL),
  missing_parts AS (
    SELECT id, message_id, missing_since FROM tool_calls
    WHERE missing_since IS NOT NULL AND deleted_at IS NULL
    UNION ALL
    SELECT parts.id, message_id, parts.missing_since
    FROM parts JOIN messages ON messages.id = message_id
    WHERE parts.missing_since IS NOT NULL AND messages.deleted_at IS NULL),
  missing AS (
    SELECT 'session' AS kind, id, id AS session_id, NULL AS message_id, missing_since
    FROM missing_sessions
    UNION ALL
    SELECT 'message', id, session_id, id, missing_since FROM missing_messages
    WHERE session_id NOT IN (SELECT id FROM missing_sessions)
    UNION ALL
    SELECT 'part', missing_parts.id, session_id, message_id, missing_parts.missing_since
    FROM missing_parts JOIN messages ON messages.id = message_id
    WHERE message_id NOT IN (SELECT id FROM missing_messages))
SELECT kind, missing.id, session_id, message_id, missing.missing_since, title
FROM missing JOIN sessions ON sessions.id = session_id
WHERE (?1 IS NULL OR missing.missing_since < ?1)
  AND (?2 IS NULL OR project_name LIKE ?2 ESCAPE '\\' OR project_path LIKE ?2 ESCAPE '\\')
  AND (?3 IS NULL OR missing.id IN (SELECT value FROM json_each(?3)))
ORDER BY session_id, missing.missing_since, missing.id";

/// Selects what has been missing since before `before`.
pub(super) fn select(
    db: &Connection,
    before: Option<i64>,
    project: Option<&str>,
) -> Result<Selection> {
    let found = rows(db, MISSING, params![before, project, None::<String>])?;
    Ok(Selection {
        summary: summary(&found),
        list: list(&found),
        targets: found.iter().filter_map(target).collect(),
    })
}

/// Those of `targets` that are missing now.
pub(super) fn still(db: &Connection, targets: &[Target]) -> Result<Vec<Target>> {
    let id = |target: &Target| match target {
        Target::Session { id } | Target::Message { id, .. } | Target::Part { id, .. } => id.clone(),
    };
    let ids = serde_json::to_string(&targets.iter().map(id).collect::<Vec<_>>())?;
    let found = rows(db, MISSING, params![None::<i64>, None::<String>, ids])?;
    Ok(found.iter().filter_map(target).collect())
}

fn target(row: &Row) -> Option<Target> {
    let text = |name: &str| row.text(name).map(str::to_owned);
    let (id, session_id) = (text("id")?, text("session_id")?);
    Some(match row.text("kind")? {
        "session" => Target::Session { id },
        "message" => Target::Message { id, session_id },
        _ => Target::Part {
            id,
            message_id: text("message_id")?,
            session_id,
        },
    })
}

fn summary(found: &[Row]) -> String {
    let kinds = ["session", "message", "part"];
    let counts: Vec<String> = kinds
        .into_iter()
        .filter_map(|kind| some(found.iter(), kind))
        .collect();
    let what = match counts.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    };
    format!("{what} that OpenCode does not have any more")
}

/// The number of rows of a kind, where there are any.
fn some<'r>(rows: impl Iterator<Item = &'r Row>, kind: &str) -> Option<String> {
    let count = rows.filter(|row| row.text("kind") == Some(kind)).count();
    (count > 0).then(|| counted(count, kind))
}

/// A line for each session. Of one that is there, with how much of it is missing.
fn list(found: &[Row]) -> Vec<String> {
    let mut sessions: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in found {
        let id = row.text("session_id").unwrap_or_default();
        sessions.entry(id).or_default().push(row);
    }
    let line_of = |(id, rows): (&&str, &Vec<&Row>)| {
        let first = rows.first()?;
        let line = line(first.int("missing_since"), id, first);
        let counts = ["message", "part"].map(|kind| some(rows.iter().copied(), kind));
        let counts: Vec<String> = counts.into_iter().flatten().collect();
        Some(if counts.is_empty() {
            line
        } else {
            format!("{line}  ({})", counts.join(", "))
        })
    };
    sessions.iter().filter_map(line_of).collect()
}
