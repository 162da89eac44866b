//! Which messages a session has, without what is in them.

use rusqlite::Connection;

use super::super::source::{Said, makes_row};
use crate::error::Result;
use crate::store::rows;

/// What the statements for a session's messages give, without those that cannot be read.
pub(super) fn said(db: &Connection, statements: &[String], session_id: &str) -> Result<Vec<Said>> {
    let all = super::all_of(session_id);
    let mut said = Vec::new();
    for messages in statements {
        let sql = format!(
            "SELECT id, type, json_type(data, '$.time.completed') IN ('integer', 'real') AS is_complete
            FROM ({messages}) WHERE json_valid(data)"
        );
        for message in rows(db, &sql, [&all])? {
            if makes_row(message.text("type")) {
                said.push(Said {
                    id: message.text("id").unwrap_or_default().to_owned(),
                    is_complete: message.int("is_complete") == Some(1),
                });
            }
        }
    }
    Ok(said)
}
