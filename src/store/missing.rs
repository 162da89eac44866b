//! What OpenCode has no more though nobody told a deletion, and what it has
//! again. Absence erases nothing: a row is marked, and its content stays.
//!
//! A mark falls when the store that lacked the row answers with it later. A
//! deletion is over when the store that told it last answers with the row after
//! that time, or tells of it in an event that was made later. Replays and
//! imports carry no later time of a store, so they bring nothing back. Another
//! store brings back a session that was changed there after the deletion: somebody
//! goes on with it, and what is said from then on nobody deleted. What was deleted
//! with it stays so.
//!
//! Times are of the clocks of those who tell. A clock may be put back: a stored
//! time that has not come yet bars no answer (`SOON`).

use super::statements::derive_text;
use super::{SOON, STAMP};

/// When the store told what the command holds, by an event or an answer.
const TOLD_AT: &str = "max(coalesce(?1 ->> 'seenAt', 0), coalesce(?1 ->> 'answeredAt', 0))";

/// And that its deletion was not told.
const UNDELETED: &str = " AND deleted_at IS NULL";

/// True where a store was asked for what the command holds.
const IS_ANSWER: &str = "?1 ->> 'answeredAt' IS NOT NULL";

/// True where the row's deletion is over.
const REVIVED: &str =
    "EXISTS (SELECT 1 FROM deletions WHERE id = ?1 ->> 'id' AND revived_at IS NOT NULL)";

/// True where the store that told a deletion tells what the command holds.
const IS_ITS_STORE: &str = "store_id = ?1 ->> 'storeId'";

/// Notes that a deletion is over, if `who` tells it and `and` holds: that it was
/// told before what the command holds. What was purged is recorded again then.
fn end_deletion_if(who: &str, and: &str) -> [String; 2] {
    [
        format!(
            "\
UPDATE deletions SET revived_at = {TOLD_AT}
WHERE id = ?1 ->> 'id' AND {who}
  AND (at < {TOLD_AT} OR at > {SOON} AND {IS_ANSWER})
  AND (coalesce(revived_at, 0) < {TOLD_AT} OR revived_at > {SOON}){and}"
        ),
        format!("DELETE FROM purged WHERE id = ?1 ->> 'id' AND {REVIVED}"),
    ]
}

/// That of a session: by its store, or by another that is known and in which it
/// was changed since.
pub(super) fn end_deletion_of_session() -> [String; 2] {
    let who = format!(
        "({IS_ITS_STORE}
    OR store_id IS NOT NULL AND ?1 ->> 'storeId' IS NOT NULL AND at < ?1 ->> 'seenAt')"
    );
    end_deletion_if(&who, "")
}

/// That of a part of any kind.
pub(super) fn end_deletion() -> [String; 2] {
    end_deletion_if(IS_ITS_STORE, "")
}

/// That of a message: not while its session is deleted.
pub(super) fn end_deletion_of_message() -> [String; 2] {
    end_deletion_if(
        IS_ITS_STORE,
        "
  AND NOT EXISTS (SELECT 1 FROM sessions WHERE id = ?1 ->> 'sessionId' AND deleted_at IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM purged WHERE purged.id = ?1 ->> 'sessionId')",
    )
}

/// A deleted session that is there again. Its messages are not before they are
/// answered with: each keeps a deletion of its own, and one that another store
/// told is still that store's: of the session's own, where another store goes on
/// with it. What was made after the deletion is of the store
/// that goes on with the session. Of what was erased any telling is news, however
/// old.
pub(super) fn revive_session() -> [String; 3] {
    let keep = |store: &str, messages: &str| {
        format!(
            "\
INSERT INTO deletions (id, kept, store_id, at)
SELECT messages.id, gone.kept, {store}, gone.at
FROM deletions AS gone {messages}
WHERE gone.id = ?1 ->> 'id' AND gone.revived_at IS NOT NULL
ON CONFLICT (id) DO UPDATE SET
  at = max(coalesce(at, 0), excluded.at), store_id = excluded.store_id, revived_at = NULL
WHERE revived_at IS NOT NULL OR store_id IS excluded.store_id
  OR excluded.store_id IS NOT ?1 ->> 'storeId'"
        )
    };
    [
        keep(
            "iif(messages.created_at > gone.at, ?1 ->> 'storeId', gone.store_id)",
            "JOIN sessions ON sessions.id = gone.id AND sessions.deleted_at IS NOT NULL
JOIN messages ON messages.session_id = gone.id AND messages.deleted_at IS NOT NULL",
        ),
        keep(
            "gone.store_id",
            "JOIN purged AS messages ON messages.session_id = gone.id",
        ),
        format!(
            "\
UPDATE sessions SET
  deleted_at = NULL, changed = {STAMP}, updated_at = iif(title IS NULL, NULL, updated_at)
WHERE id = ?1 ->> 'id' AND deleted_at IS NOT NULL AND {REVIVED}"
        ),
    ]
}

/// A deleted message that is there again, with its tool calls but for those
/// that were removed by themselves.
pub(super) fn revive_message() -> [String; 3] {
    [
        format!(
            "\
UPDATE tool_calls SET
  deleted_at = NULL, status = iif(input IS NULL, NULL, status), changed = {STAMP}
WHERE message_id = ?1 ->> 'id' AND deleted_at IS NOT NULL AND {REVIVED}
  AND (SELECT deleted_at FROM messages WHERE id = ?1 ->> 'id') IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM purged WHERE purged.id = tool_calls.id)"
        ),
        format!(
            "\
UPDATE parts SET ended_at = NULL, changed = {STAMP}
WHERE message_id = ?1 ->> 'id' AND text IS NULL AND {REVIVED}
  AND (SELECT deleted_at FROM messages WHERE id = ?1 ->> 'id') IS NOT NULL"
        ),
        format!(
            "UPDATE messages SET deleted_at = NULL, changed = {STAMP} WHERE id = ?1 ->> 'id' AND deleted_at IS NOT NULL AND {REVIVED}"
        ),
    ]
}

/// A removed tool call that is there again. Before it is forgotten as removed.
pub(super) fn revive_call() -> String {
    format!(
        "\
UPDATE tool_calls SET deleted_at = NULL, changed = {STAMP}
WHERE id = ?1 ->> 'id' AND deleted_at IS NOT NULL AND {REVIVED}
  AND EXISTS (SELECT 1 FROM purged WHERE id = ?1 ->> 'id')
  AND (SELECT deleted_at FROM messages WHERE messages.id = tool_calls.message_id) IS NULL"
    )
}

/// A session is missing where every store that had it lacks it.
fn derive_session() -> String {
    format!(
        "\
UPDATE sessions SET missing_since = had.missing_since, changed = {STAMP}
FROM (
  SELECT iif(count(*) = count(missing_since), max(missing_since), NULL) AS missing_since
  FROM session_stores WHERE session_id = ?1 ->> 'id') AS had
WHERE id = ?1 ->> 'id' AND deleted_at IS NULL
  AND sessions.missing_since IS NOT had.missing_since"
    )
}

/// The store that tells of a session has it.
pub(super) fn session_is_seen() -> [String; 2] {
    [
        format!(
            "\
INSERT INTO session_stores (session_id, store_id, seen_at, answered_at, whole_at)
SELECT id, ?1 ->> 'storeId', {TOLD_AT}, coalesce(?1 ->> 'answeredAt', 0), ?1 ->> 'wholeAt'
FROM sessions WHERE id = ?1 ->> 'id' AND ?1 ->> 'storeId' IS NOT NULL
ON CONFLICT (session_id, store_id) DO UPDATE SET
  seen_at = iif(seen_at > {SOON}, excluded.seen_at, max(seen_at, excluded.seen_at)),
  answered_at = iif(answered_at > {SOON}, excluded.answered_at, max(answered_at, excluded.answered_at)),
  whole_at = iif(json_type(?1, '$.wholeAt') IS NULL, whole_at, excluded.whole_at),
  missing_since = iif(excluded.seen_at >= missing_since OR missing_since > {SOON} AND {IS_ANSWER},
    NULL, missing_since)"
        ),
        derive_session(),
    ]
}

/// A row of `table` that is answered with is not missing.
pub(super) fn is_answered(table: &str) -> String {
    format!(
        "\
UPDATE {table} SET missing_since = NULL, changed = {STAMP}
WHERE id = ?1 ->> 'id' AND (missing_since <= ?1 ->> 'answeredAt' OR missing_since > {SOON} AND {IS_ANSWER})"
    )
}

/// A store does not answer with a session that it had. What told of it since
/// it was asked knows better.
pub(super) fn session() -> Vec<String> {
    vec![
        format!(
            "\
INSERT INTO session_stores (session_id, store_id, missing_since)
SELECT id, ?1 ->> 'storeId', ?1 ->> 'since' FROM sessions WHERE id = ?1 ->> 'id'
ON CONFLICT (session_id, store_id) DO UPDATE SET
  missing_since = coalesce(missing_since, excluded.missing_since)
WHERE seen_at <= excluded.missing_since OR seen_at > {SOON}"
        ),
        derive_session(),
    ]
}

/// A row of `table` is not answered with any more, unless the store has answered
/// with the whole session since. What is deleted is not missing: `and` says so.
fn mark(table: &str, and: &str) -> String {
    format!(
        "\
UPDATE {table} SET missing_since = ?1 ->> 'since', changed = {STAMP}
WHERE id = ?1 ->> 'id' AND missing_since IS NULL{and} AND NOT EXISTS (
  SELECT 1 FROM session_stores WHERE session_id = ?1 ->> 'sessionId'
    AND store_id = ?1 ->> 'storeId' AND answered_at > ?1 ->> 'since' AND answered_at <= {SOON})"
    )
}

/// A message is not answered with any more.
pub(super) fn message() -> String {
    mark("messages", UNDELETED)
}

/// A part of any kind is not answered with any more. A text leaves its
/// message's text.
pub(super) fn part() -> Vec<String> {
    let call = mark("tool_calls", UNDELETED);
    // A part that is removed has no row.
    vec![call, mark("parts", ""), derive_text()]
}
