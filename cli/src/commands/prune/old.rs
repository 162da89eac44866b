//! Sessions that were last changed long ago.

use rusqlite::{Connection, params};

use super::selection::{Selection, Target, line};
use crate::error::Result;
use crate::output::{count, counted};
use crate::store::rows;

/// Old sessions, and those of sub-agents with the session that started them.
const OLD: &str = "\
WITH RECURSIVE old (id) AS (
  SELECT id FROM sessions
  WHERE coalesce(updated_at, created_at) < ?1 AND parent_id IS NULL AND (deleted_at IS NULL OR ?3)
    AND (?2 IS NULL OR project_name LIKE ?2 ESCAPE '\\' OR project_path LIKE ?2 ESCAPE '\\')
  UNION
  SELECT sessions.id FROM sessions JOIN old ON sessions.parent_id = old.id
)
SELECT sessions.id, title, parent_id, coalesce(updated_at, created_at) AS at
FROM old JOIN sessions USING (id) ORDER BY at, sessions.id";

/// Selects sessions that were last changed before `before`; `with_deleted` those
/// too that are deleted already.
pub(super) fn select(
    db: &Connection,
    before: Option<i64>,
    project: Option<&str>,
    with_deleted: bool,
) -> Result<Selection> {
    let found = rows(db, OLD, params![before, project, with_deleted])?;
    let roots = found.iter().filter(|row| row.text("parent_id").is_none());
    let started = roots.clone().count();
    let summary = format!(
        "{} and {} of {} sub-agents'",
        counted(started, "session"),
        count(found.len() - started),
        if started == 1 { "its" } else { "their" }
    );
    let id = |row: &crate::store::Row| row.text("id").unwrap_or_default().to_owned();
    let list = roots
        .map(|row| line(row.int("at"), &id(row), row))
        .collect();
    let targets = found
        .iter()
        .map(|row| Target::Session { id: id(row) })
        .collect();
    Ok(Selection {
        targets,
        summary,
        list,
    })
}
