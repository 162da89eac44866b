//! Deleting: what becomes a tombstone, what of it is erased, and what is purged.
//! The ledger is never among it.
//!
//! What was erased or purged stays so, whoever tells of it late; what is told
//! late of what was kept is kept as well. Only the store that told a deletion
//! last can end it (`missing`); repeated after that, it deletes nothing.

use super::erased::{erased_either, erased_message, erased_session, set_content};
use super::statements::{derive_text_without, ensure_session};
use super::{NOT_PURGED, SOON, STAMP};
use crate::model::column::Row;
use crate::model::row::{
    MessageRow, PartRow, PermissionRow, SessionErrorRow, SessionRow, ToolCallRow,
};

/// True where content is to be erased.
const ERASES: &str = "?1 ->> 'onDelete' <> 'keep'";
/// True where the rows are to go.
const PURGES: &str = "?1 ->> 'onDelete' = 'purge'";

/// The first time of a deletion stays, whichever is told first: a message that
/// was removed before its session was deleted is not one that went with it.
const EARLIEST: &str = "min(coalesce(deleted_at, ?1 ->> 'deletedAt'), ?1 ->> 'deletedAt')";

/// True where the deletion of this id that the command tells is over: its store
/// has had it again since, and the command is a repetition.
fn is_over(id: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM deletions AS over WHERE over.id = {id} AND (
    over.revived_at BETWEEN ?1 ->> 'deletedAt' AND {SOON}
    OR over.revived_at IS NOT NULL AND over.at = ?1 ->> 'deletedAt'))"
    )
}

/// True unless the deletion of the command's own row is over.
fn not_over() -> String {
    format!("NOT {}", is_over("?1 ->> 'id'"))
}

/// What is purged is remembered by its id, so that nothing that is told late,
/// again or by another writer brings it back; and of a session the one that
/// started it, in whose sum it stays. What belonged to something purged has no
/// row either, however it is deleted itself.
fn remember_purged() -> String {
    format!(
        "\
INSERT OR IGNORE INTO purged (id, parent_id)
SELECT ?1 ->> 'id', (SELECT parent_id FROM sessions WHERE id = ?1 ->> 'id')
WHERE ({PURGES} OR NOT {NOT_PURGED}) AND {}",
        not_over()
    )
}

/// What is remembered of a deletion that is told again: who told the latest one,
/// be it nobody known.
fn deleted_again() -> String {
    let is_earlier = format!("revived_at IS NULL AND at > excluded.at AND at <= {SOON}");
    format!(
        "\
kept = iif(revived_at IS NULL, min(kept, excluded.kept), excluded.kept),
  store_id = iif({is_earlier}, store_id, excluded.store_id),
  at = iif({is_earlier}, at, excluded.at),
  revived_at = NULL"
    )
}

/// Remembers whether content is kept, unless it `is_erased` already. What one
/// writer erases, no other keeps.
fn remember_deletion(is_erased: &str) -> String {
    format!(
        "\
INSERT INTO deletions (id, kept, store_id, at)
SELECT ?1 ->> 'id', NOT ({ERASES} OR {is_erased}), ?1 ->> 'storeId', ?1 ->> 'deletedAt'
WHERE {}
ON CONFLICT (id) DO UPDATE SET {}",
        not_over(),
        deleted_again()
    )
}

/// A session is deleted, and with it all that belongs to it.
pub(super) fn session() -> Vec<String> {
    let not_over = &not_over();
    let own = format!("session_id = ?1 ->> 'id' AND {not_over}");
    let messages_of =
        &format!("SELECT id FROM messages WHERE session_id = ?1 ->> 'id' AND {not_over}");
    let mut all = vec![
        remember_purged(),
        remember_deletion(&erased_session("?1 ->> 'id'")),
        format!("UPDATE deletions SET kept = 0 WHERE {ERASES} AND id IN ({messages_of})"),
        // Those that were there again are deleted with it.
        format!(
            "\
UPDATE deletions SET store_id = ?1 ->> 'storeId', at = ?1 ->> 'deletedAt', revived_at = NULL
WHERE revived_at IS NOT NULL AND id IN ({messages_of})"
        ),
    ];
    all.extend([
        format!(
            "\
INSERT OR IGNORE INTO purged (id, session_id)
SELECT id, session_id FROM messages WHERE {PURGES} AND id IN ({messages_of})"
        ),
        format!(
            "INSERT OR IGNORE INTO sessions (id, changed) SELECT ?1 ->> 'id', {STAMP} WHERE {NOT_PURGED}"
        ),
        format!(
            "\
UPDATE sessions SET
  deleted_at = {EARLIEST},
  missing_since = NULL,
  status = 'idle',
  {},
  changed = {STAMP}
WHERE id = ?1 ->> 'id' AND {not_over}",
            erase_or_keep::<SessionRow>()
        ),
    ]);
    all.extend(others(&format!("({own} OR message_id IN ({messages_of}))")));
    all.extend(messages(messages_of));
    all.extend([
        format!("DELETE FROM todos WHERE {ERASES} AND {own}"),
        format!("DELETE FROM session_own WHERE {PURGES} AND {own}"),
        format!("DELETE FROM session_stores WHERE {PURGES} AND {own}"),
        format!("DELETE FROM sessions WHERE {PURGES} AND id = ?1 ->> 'id' AND {not_over}"),
    ]);
    all
}

/// A message is removed, and with it its parts and tool calls.
pub(super) fn message() -> Vec<String> {
    let not_over = &not_over();
    let mut all = vec![
        remember_purged(),
        remember_deletion(&erased_either("?1 ->> 'sessionId'", "?1 ->> 'id'")),
        ensure_session(),
        format!(
            "\
INSERT OR IGNORE INTO messages (id, session_id, changed)
SELECT ?1 ->> 'id', id, {STAMP} FROM sessions WHERE id = ?1 ->> 'sessionId' AND {NOT_PURGED}"
        ),
    ];
    all.extend(messages(&format!("SELECT ?1 ->> 'id' WHERE {not_over}")));
    all.extend(others(&format!("message_id = ?1 ->> 'id' AND {not_over}")));
    all
}

/// The messages of a session that were taken back, as far as they are not there
/// again. Their places decide, or when they were made where one has no place.
fn taken_back() -> String {
    format!(
        "\
SELECT messages.id FROM messages JOIN messages AS first ON first.id = ?1 ->> 'to'
WHERE messages.session_id = ?1 ->> 'sessionId' AND first.session_id = messages.session_id
  AND iif(messages.position IS NULL OR first.position IS NULL,
    messages.created_at BETWEEN first.created_at AND ?1 ->> 'deletedAt',
    messages.position >= first.position
      AND messages.position < coalesce(?1 ->> 'before', 9e15))
  AND NOT {}",
        is_over("messages.id")
    )
}

/// Messages are taken back, each as if its removal were told.
pub(super) fn reverted() -> Vec<String> {
    let erased = erased_message("messages.id");
    let reverted = &taken_back();
    let mut all = vec![
        format!("INSERT OR IGNORE INTO purged (id) SELECT id FROM ({reverted}) WHERE {PURGES}"),
        format!(
            "\
INSERT INTO deletions (id, kept, store_id, at)
SELECT id, NOT ({ERASES} OR {erased}), ?1 ->> 'storeId', ?1 ->> 'deletedAt'
FROM messages WHERE id IN ({reverted})
ON CONFLICT (id) DO UPDATE SET {}",
            deleted_again()
        ),
    ];
    all.extend(others(&format!("message_id IN ({reverted})")));
    all.extend(messages(reverted));
    all
}

/// A part is removed: its row goes, a tool call becomes a tombstone. Its id is
/// remembered as that of what is purged: there is no row to keep it away.
pub(super) fn part() -> Vec<String> {
    let not_over = &not_over();
    vec![
        format!("INSERT OR IGNORE INTO purged (id) SELECT ?1 ->> 'id' WHERE {not_over}"),
        remember_deletion("false"),
        derive_text_without(not_over),
        format!("DELETE FROM parts WHERE id = ?1 ->> 'id' AND {not_over}"),
        entomb_calls(&format!("id = ?1 ->> 'id' AND {not_over}")),
        format!("DELETE FROM tool_calls WHERE {PURGES} AND id = ?1 ->> 'id' AND {not_over}"),
    ]
}

/// The messages whose ids `query` selects, with their parts and tool calls.
fn messages(query: &str) -> Vec<String> {
    let theirs = format!("message_id IN ({query})");
    vec![
        format!(
            "\
UPDATE messages SET
  deleted_at = {EARLIEST},
  missing_since = NULL,
  {},
  changed = {STAMP}
WHERE id IN ({query})",
            erase_or_keep::<MessageRow>()
        ),
        entomb_calls(&theirs),
        erase::<PartRow>(&theirs),
        format!("DELETE FROM tool_calls WHERE {PURGES} AND {theirs}"),
        format!("DELETE FROM parts WHERE {PURGES} AND {theirs}"),
        format!("DELETE FROM messages WHERE {PURGES} AND id IN ({query})"),
    ]
}

/// The failures and the permissions that `which` names.
fn others(which: &str) -> Vec<String> {
    vec![
        erase::<SessionErrorRow>(which),
        erase::<PermissionRow>(which),
        format!("DELETE FROM session_errors WHERE {PURGES} AND {which}"),
        // The answer to one names neither its message nor its call.
        format!(
            "INSERT OR IGNORE INTO purged (id) SELECT id FROM permissions WHERE {PURGES} AND {which}"
        ),
        format!("DELETE FROM permissions WHERE {PURGES} AND {which}"),
    ]
}

/// A permission of something purged is purged, whichever is told first: that it
/// was asked, of which message, or how it was answered. Before its upsert, and after.
pub(super) fn permission_of_purged() -> [String; 2] {
    [
        format!("INSERT OR IGNORE INTO purged (id) SELECT ?1 ->> 'id' WHERE NOT ({NOT_PURGED})"),
        "DELETE FROM permissions WHERE id = (SELECT id FROM purged WHERE id = ?1 ->> 'id')"
            .to_owned(),
    ]
}

fn entomb_calls(which: &str) -> String {
    format!(
        "\
UPDATE tool_calls SET
  deleted_at = {EARLIEST},
  missing_since = NULL,
  {},
  changed = {STAMP}
WHERE {which}",
        erase_or_keep::<ToolCallRow>()
    )
}

/// The content of rows that `which` names, where it is to be erased.
fn erase<R: Row>(which: &str) -> String {
    format!(
        "UPDATE {} SET {}, changed = {STAMP} WHERE {ERASES} AND {which}",
        R::TABLE,
        set_content::<R>(|column| column.default.to_owned())
    )
}

/// What sets the columns of content of a row that is deleted, erased or not.
fn erase_or_keep<R: Row>() -> String {
    set_content::<R>(|column| format!("iif({ERASES}, {}, {})", column.default, column.name))
}
