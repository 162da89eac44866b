//! Deleting: what becomes a tombstone, what of it is erased, and what is purged.
//! The ledger is never among it.

use super::statements::ENSURE_SESSION;

/// True where content is to be erased.
const ERASES: &str = "?1 ->> 'onDelete' <> 'keep'";
/// True where the rows are to go.
const PURGES: &str = "?1 ->> 'onDelete' = 'purge'";

/// The first time of a deletion stays, whichever is told first: a message that
/// was removed before its session was deleted is not one that went with it.
const EARLIEST: &str = "min(coalesce(deleted_at, ?1 ->> 'deletedAt'), ?1 ->> 'deletedAt')";

/// What is purged is remembered by its id alone, so that nothing that is told
/// late, again or by another writer brings it back.
const REMEMBER_PURGED: &str = "\
INSERT OR IGNORE INTO purged (id) SELECT ?1 ->> 'id' WHERE ?1 ->> 'onDelete' = 'purge'";

/// A session is deleted, and with it all that belongs to it.
pub(super) fn session() -> Vec<String> {
    let own = "session_id = ?1 ->> 'id'";
    let mut all = vec![
        REMEMBER_PURGED.to_owned(),
        "INSERT OR IGNORE INTO sessions (id) VALUES (?1 ->> 'id')".to_owned(),
        format!(
            "\
UPDATE sessions SET
  deleted_at = {EARLIEST},
  status = 'idle',
  title = iif({ERASES}, NULL, title)
WHERE id = ?1 ->> 'id'"
        ),
    ];
    all.extend(messages(
        "SELECT id FROM messages WHERE session_id = ?1 ->> 'id'",
    ));
    all.extend(others(own, own));
    all.extend([
        format!("DELETE FROM todos WHERE {ERASES} AND {own}"),
        format!("DELETE FROM session_own WHERE {PURGES} AND {own}"),
        format!("DELETE FROM sessions WHERE {PURGES} AND id = ?1 ->> 'id'"),
    ]);
    all
}

/// A message is removed, and with it its parts and tool calls.
pub(super) fn message() -> Vec<String> {
    let mut all = vec![
        REMEMBER_PURGED.to_owned(),
        ENSURE_SESSION.to_owned(),
        "\
INSERT OR IGNORE INTO messages (id, session_id)
SELECT ?1 ->> 'id', id FROM sessions WHERE id = ?1 ->> 'sessionId'"
            .to_owned(),
    ];
    all.extend(messages("SELECT ?1 ->> 'id'"));
    // Failures are indexed by their session.
    all.extend(others(
        "session_id = ?1 ->> 'sessionId' AND message_id = ?1 ->> 'id'",
        "message_id = ?1 ->> 'id'",
    ));
    all
}

/// A part is removed: its row goes, a tool call becomes a tombstone. Its id is
/// remembered as that of what is purged: there is no row to keep it away.
pub(super) fn part() -> Vec<String> {
    vec![
        "INSERT OR IGNORE INTO purged (id) VALUES (?1 ->> 'id')".to_owned(),
        "DELETE FROM parts WHERE id = ?1 ->> 'id'".to_owned(),
        entomb_calls("id = ?1 ->> 'id'"),
        format!("DELETE FROM tool_calls WHERE {PURGES} AND id = ?1 ->> 'id'"),
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
  text_content = iif({ERASES}, '', text_content),
  error_message = iif({ERASES}, NULL, error_message)
WHERE id IN ({query})"
        ),
        entomb_calls(&theirs),
        format!("UPDATE parts SET text = NULL, data = NULL WHERE {ERASES} AND {theirs}"),
        format!("DELETE FROM tool_calls WHERE {PURGES} AND {theirs}"),
        format!("DELETE FROM parts WHERE {PURGES} AND {theirs}"),
        format!("DELETE FROM messages WHERE {PURGES} AND id IN ({query})"),
    ]
}

/// The failures and the permissions that these conditions name.
fn others(failures: &str, permissions: &str) -> Vec<String> {
    vec![
        format!("UPDATE session_errors SET message = NULL WHERE {ERASES} AND {failures}"),
        format!("UPDATE permissions SET patterns = NULL WHERE {ERASES} AND {permissions}"),
        format!("DELETE FROM session_errors WHERE {PURGES} AND {failures}"),
        format!("DELETE FROM permissions WHERE {PURGES} AND {permissions}"),
    ]
}

fn entomb_calls(which: &str) -> String {
    format!(
        "\
UPDATE tool_calls SET
  deleted_at = {EARLIEST},
  title = iif({ERASES}, NULL, title),
  input = iif({ERASES}, NULL, input),
  output = iif({ERASES}, NULL, output),
  error = iif({ERASES}, NULL, error)
WHERE {which}"
    )
}
