//! What was said in a session since it was stored, though its time of change is the same:
//! `OpenCode` 2 moves that time with a prompt, and not with what is said after it, and of
//! two copies of one moment either may lack something.

use std::collections::BTreeMap;

use clankers::model::copy_rank::CopyRank;
use rusqlite::Connection;
use serde_json::Value;

use super::source::{Source, id_of};
use crate::error::Result;
use crate::store::{Row, rows};

/// What is stored of a session.
struct StoredSession {
    whole_at: f64,
    /// Which copy told it last, if one did.
    copy_rank: Option<CopyRank>,
}

/// Sessions that are stored whole, without their deleted ones.
const SESSIONS: &str = "SELECT id, whole_at, copy_rank
FROM sessions JOIN session_own ON session_id = id
WHERE deleted_at IS NULL AND whole_at IS NOT NULL";

/// The messages that are stored of a session, or were, and whether each is an answer
/// that is not complete.
const MESSAGES: &str = "SELECT id,
  role = 'assistant' AND completed_at IS NULL AND deleted_at IS NULL AS is_open
FROM messages WHERE session_id = ?1
UNION ALL SELECT id, 0 FROM purged WHERE session_id = ?1";

/// Those of the listed sessions of which the copy has messages, or the end of an answer,
/// that are not stored.
pub(super) fn said_since(
    source: &mut dyn Source,
    listed: &[Value],
    db: &Connection,
) -> Result<Vec<String>> {
    let stored = stored_sessions(db)?;
    let rank = source.rank();
    let mut found = Vec::new();
    for info in listed {
        let Some(stored) = stored.get(id_of(info)) else {
            continue;
        };
        let updated = info.pointer("/time/updated").and_then(Value::as_f64);
        let is_of_its_time =
            updated.is_some_and(|updated| updated.total_cmp(&stored.whole_at).is_eq());
        if is_of_its_time && has_more(source, info, stored, rank, db)? {
            found.push(id_of(info).to_owned());
        }
    }
    Ok(found)
}

fn has_more(
    source: &mut dyn Source,
    info: &Value,
    stored: &StoredSession,
    rank: CopyRank,
    db: &Connection,
) -> Result<bool> {
    // What a copy of a higher rank told of a message, this one does not change.
    let ranks_above = |held: CopyRank| rank.total_cmp(held).is_gt();
    let may_complete = stored.copy_rank.is_some_and(ranks_above);
    let mut messages = BTreeMap::new();
    for row in rows(db, MESSAGES, [id_of(info)])? {
        let is_open = row.int("is_open") == Some(1);
        messages.insert(row.text("id").unwrap_or_default().to_owned(), is_open);
    }
    let said = source.said(info)?;
    Ok(said.iter().any(|said| match messages.get(&said.id) {
        None => true,
        Some(is_open) => *is_open && said.is_complete && may_complete,
    }))
}

fn stored_sessions(db: &Connection) -> Result<BTreeMap<String, StoredSession>> {
    let of_row = |row: &Row| {
        let stored = StoredSession {
            whole_at: row.real("whole_at"),
            copy_rank: row
                .0
                .get("copy_rank")
                .and_then(Value::as_f64)
                .map(CopyRank::of_store),
        };
        (row.text("id").unwrap_or_default().to_owned(), stored)
    };
    Ok(rows(db, SESSIONS, [])?.iter().map(of_row).collect())
}
