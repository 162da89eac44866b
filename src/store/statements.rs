//! The statements that are not plain upserts.

use super::copies::{OF_COPY, is_outdated, outranked};
use super::erased::{content, erased_either, erased_session, set_content};
use super::totals::reports;
use super::{AGE, NOT_PURGED, STAMP};
use crate::model::column::{Column, Row};
use crate::model::row::{SessionErrorRow, TodoRow};

/// A child's session goes before it: a placeholder, where it is not there yet.
pub(super) fn ensure_session() -> String {
    format!(
        "\
INSERT OR IGNORE INTO sessions (id, changed)
SELECT ?1 ->> 'sessionId', {STAMP}
WHERE NOT EXISTS (SELECT 1 FROM sessions WHERE id = ?1 ->> 'sessionId')
  AND NOT EXISTS (SELECT 1 FROM purged WHERE id = ?1 ->> 'sessionId')"
    )
}

/// A part's message goes before it: a placeholder, where it is not there yet.
pub(super) fn ensure_message() -> String {
    format!(
        "\
INSERT OR IGNORE INTO messages (id, session_id, deleted_at, changed)
SELECT ?1 ->> 'messageId', id, deleted_at, {STAMP} FROM sessions
WHERE id = ?1 ->> 'sessionId'
  AND NOT EXISTS (SELECT 1 FROM messages WHERE id = ?1 ->> 'messageId')
  AND NOT EXISTS (SELECT 1 FROM purged WHERE id = ?1 ->> 'messageId')"
    )
}

/// Which session had started one that was purged, where that is told late.
pub(super) fn parent_of_purged() -> String {
    "\
UPDATE purged SET parent_id = ?1 ->> 'parentId'
WHERE id = ?1 ->> 'id' AND parent_id IS NULL AND ?1 ->> 'parentId' IS NOT NULL"
        .to_owned()
}

/// What OpenCode says of the session itself. After the session's upsert, which
/// reads whether totals were reported before. What one copy lacks, no other has lost.
pub(super) fn session_own() -> String {
    format!(
        "\
INSERT INTO session_own (session_id, agent, model, provider, whole_at, reports_usage, copied_at,
  copy_rank)
SELECT ?1 ->> 'id',
  iif(json_type(?1, '$.agent') IS NULL OR is_older, held.agent, ?1 ->> 'agent'),
  iif(json_type(?1, '$.model') IS NULL OR is_older, held.model, ?1 ->> 'model'),
  iif(json_type(?1, '$.provider') IS NULL OR is_older, held.provider, ?1 ->> 'provider'),
  CASE WHEN json_type(?1, '$.wholeAt') IS NULL THEN held.whole_at
    WHEN ?1 ->> 'copyRank' IS NOT NULL
      THEN coalesce(max(held.whole_at, ?1 ->> 'wholeAt'), held.whole_at, ?1 ->> 'wholeAt')
    WHEN is_older AND {OF_COPY} AND held.whole_at IS NOT NULL THEN held.whole_at
    ELSE ?1 ->> 'wholeAt' END,
  coalesce(held.reports_usage, 0) OR (NOT is_older AND {reports}),
  iif(of_agent, NULL, held.copied_at), iif(of_agent, NULL, held.copy_rank)
FROM (SELECT is_older, NOT is_older AND NOT {OF_COPY} AND json_type(?1, '$.updatedAt') IS NOT NULL
    AS of_agent
  FROM (SELECT coalesce({AGE} < (SELECT updated_at FROM sessions WHERE id = ?1 ->> 'id'), 0)
    OR {outranked} AS is_older)) AS told
LEFT JOIN session_own AS held ON held.session_id = ?1 ->> 'id'
WHERE {NOT_PURGED}
ON CONFLICT (session_id) DO UPDATE SET
  agent = excluded.agent, model = excluded.model, provider = excluded.provider,
  whole_at = excluded.whole_at, reports_usage = excluded.reports_usage,
  copied_at = excluded.copied_at, copy_rank = excluded.copy_rank",
        reports = reports(),
        outranked = outranked(),
    )
}

/// A session's agent, model and provider, from itself and its last answer; of
/// a deleted or missing one, from the last that went with it. `param` names the parameter that holds the session's id.
pub(super) fn derive_session(param: &str) -> String {
    format!(
        "\
UPDATE sessions SET
  agent = derived.agent, model = derived.model, provider = derived.provider, changed = {STAMP}
FROM (
  SELECT coalesce(session_own.agent, answer.agent) AS agent,
    coalesce(answer.model, session_own.model) AS model,
    iif(answer.model IS NULL, session_own.provider, answer.provider) AS provider
  FROM (SELECT 1)
  LEFT JOIN session_own ON session_own.session_id = ?1 ->> '{param}'
  LEFT JOIN (
    SELECT agent, model, provider FROM messages
    WHERE session_id = ?1 ->> '{param}' AND role = 'assistant' AND (deleted_at, missing_since) IS (
      SELECT deleted_at, missing_since FROM sessions WHERE id = ?1 ->> '{param}')
    ORDER BY created_at DESC, id DESC LIMIT 1) AS answer) AS derived
WHERE id = ?1 ->> '{param}' AND (sessions.agent, sessions.model, sessions.provider)
  IS NOT (derived.agent, derived.model, derived.provider)"
    )
}

/// True where the part that the command is about is a text, as it is stored.
const IS_TEXT: &str = "EXISTS (SELECT 1 FROM parts WHERE id = ?1 ->> 'id' AND type = 'text')";

/// The message of the part that the command is about, as it is stored.
const OF_PART: &str = "(SELECT message_id FROM parts WHERE id = ?1 ->> 'id')";

/// A message's text, from its text parts, once one of them changed.
pub(super) fn derive_text() -> String {
    text_of_message("true", IS_TEXT)
}

/// The same without the part that the command is about, before it goes or is
/// no text any more, which `condition` tells.
pub(super) fn derive_text_without(condition: &str) -> String {
    text_of_message("id <> ?1 ->> 'id'", &format!("{condition} AND {IS_TEXT}"))
}

fn text_of_message(parts: &str, condition: &str) -> String {
    format!(
        "\
UPDATE messages SET text_content = derived.text, changed = {STAMP}
FROM (SELECT coalesce(group_concat(text, char(10)), '') AS text FROM (
  SELECT text FROM parts
  WHERE message_id = {OF_PART} AND type = 'text' AND text IS NOT NULL AND NOT synthetic
    AND missing_since IS NULL
    AND NOT coalesce(ignored, 0) AND {parts}
  ORDER BY position, started_at, id)) AS derived
WHERE id = {OF_PART} AND text_content <> derived.text AND {condition}"
    )
}

/// A text that is being written, with what came to it. It stays what it is
/// where it has ended, holds more already, is not there up to the offset, or
/// has a character around it.
pub(super) fn append() -> String {
    format!(
        "\
UPDATE parts SET
  text = CAST(substr(CAST(text AS BLOB), 1, ?1 ->> 'offset') AS TEXT) || (?1 ->> 'text'),
  changed = {STAMP}
WHERE id = ?1 ->> 'id' AND ended_at IS NULL AND length(CAST(text AS BLOB)) >= ?1 ->> 'offset'
  AND hex(substr(CAST(text AS BLOB), (?1 ->> 'offset') + 1, 1)) NOT BETWEEN '80' AND 'BF'
  AND length(CAST(text AS BLOB)) < (?1 ->> 'offset') + length(CAST(?1 ->> 'text' AS BLOB))"
    )
}

/// How long a person was asked during a call: what of the asking lies inside
/// it, and no longer than it took where they were asked several things at once.
/// Some releases say that a call started when it was allowed to.
fn wait(which: &str) -> String {
    format!(
        "\
UPDATE tool_calls SET permission_wait_ms = {WAIT}, changed = {STAMP}
WHERE {which} AND permission_wait_ms <> {WAIT}"
    )
}

const WAIT: &str = "coalesce((
    SELECT min(coalesce(duration_ms, 9e15), sum(max(0, min(replied_at, coalesce(ended_at, replied_at))
      - max(asked_at, coalesce(started_at, asked_at))))) FROM permissions
    WHERE message_id = tool_calls.message_id AND call_id = tool_calls.call_id), 0)";

/// That, once the call has changed.
pub(super) fn wait_of_call() -> String {
    wait(
        "id = ?1 ->> 'id' AND EXISTS (SELECT 1 FROM permissions
  WHERE message_id = tool_calls.message_id AND call_id = tool_calls.call_id)",
    )
}

/// That, once the permission has changed.
pub(super) fn wait_of_permission() -> String {
    wait(
        "(message_id, call_id) = (SELECT message_id, call_id FROM permissions WHERE id = ?1 ->> 'id')",
    )
}

/// The last answer that had begun when a failure was seen.
const ANSWER_THEN: &str = "\
SELECT messages.id FROM messages
WHERE messages.session_id = failure.session_id AND messages.role = 'assistant'
  AND messages.created_at <= failure.created_at
ORDER BY messages.created_at DESC, messages.id DESC LIMIT 1";

/// A retry, or a failure, that a writer saw without having seen the answer.
pub(super) fn failure_of_answer() -> Vec<String> {
    // The same failure is told by `session.error` and by the answer itself.
    let twins = format!(
        "failure.session_id = ?1 ->> 'sessionId' AND failure.message_id IS NULL
  AND failure.attempt IS NULL AND answer.id = ({ANSWER_THEN}) || ':error'
  AND answer.attempt IS NULL AND answer.name IS failure.name
  AND ?1 ->> 'id' IN (answer.id, failure.id)"
    );
    vec![
        format!(
            "\
UPDATE session_errors AS failure SET message_id = ({ANSWER_THEN}), changed = {STAMP}
WHERE id = ?1 ->> 'id' AND message_id IS NULL AND attempt IS NOT NULL"
        ),
        erase_content::<SessionErrorRow>(),
        format!(
            "\
UPDATE session_errors AS answer SET
  created_at = min(answer.created_at, (SELECT min(failure.created_at) FROM session_errors AS failure WHERE {twins})),
  changed = {STAMP}
WHERE EXISTS (SELECT 1 FROM session_errors AS failure WHERE {twins})"
        ),
        format!(
            "\
DELETE FROM session_errors AS failure
WHERE failure.session_id = ?1 ->> 'sessionId'
  AND EXISTS (SELECT 1 FROM session_errors AS answer WHERE {twins})"
        ),
    ]
}

/// What is told without its session or message, and learns later that it was
/// erased with it.
pub(super) fn erase_content<R: Row>() -> String {
    let table = R::TABLE;
    let is_held: Vec<String> = content::<R>()
        .map(|column| format!("{} IS NOT {}", column.name, column.default))
        .collect();
    format!(
        "\
UPDATE {table} SET {}, changed = {STAMP}
WHERE id = ?1 ->> 'id' AND ({}) AND {}",
        set_content::<R>(|column| column.default.to_owned()),
        is_held.join(" OR "),
        erased_either(
            &format!("{table}.session_id"),
            &format!("{table}.message_id")
        )
    )
}

/// A session's list is replaced whole; a deleted session's stays erased, and one
/// that is answered of an older state of the session, or by a copy that ranks lower
/// than that which told the session, only fills an empty one.
pub(super) fn todo_replace() -> Vec<String> {
    let stays = format!(
        "{NOT_PURGED} AND NOT {}
  AND NOT coalesce({}
    AND EXISTS (SELECT 1 FROM todos WHERE session_id = ?1 ->> 'sessionId'), false)",
        erased_session("?1 ->> 'sessionId'"),
        is_outdated("sessionId")
    );
    let each = |write: fn(&Column) -> String| {
        let columns = TodoRow::KEYS.iter().chain(TodoRow::COLUMNS);
        columns.map(write).collect::<Vec<_>>().join(", ")
    };
    let names = each(|column| column.name.to_owned());
    vec![
        format!(
            "\
DELETE FROM todos
WHERE session_id = ?1 ->> 'sessionId' AND position >= json_array_length(?1, '$.todos') AND {stays}"
        ),
        format!(
            "\
INSERT INTO todos (session_id, position, {names}, changed)
SELECT ?1 ->> 'sessionId', todo.key, {told}, {STAMP}
FROM json_each(?1, '$.todos') AS todo
WHERE {stays}
ON CONFLICT (session_id, position) DO UPDATE SET
  {newer}, changed = excluded.changed
WHERE ({held})
  IS NOT ({excluded})",
            told = each(|column| format!("todo.value ->> '{}'", column.json)),
            newer = each(|Column { name, .. }| format!("{name} = excluded.{name}")),
            held = each(|column| format!("todos.{}", column.name)),
            excluded = each(|column| format!("excluded.{}", column.name)),
        ),
    ]
}

/// A kind of rejection was met again.
pub(super) fn rejection_record() -> String {
    format!(
        "\
INSERT INTO rejections (event_type, code, path, expected, found, sample, source_version, count,
  first_seen, last_seen, changed)
SELECT ?1 ->> 'eventType', ?1 ->> 'code', ?1 ->> 'path', ?1 ->> 'expected', ?1 ->> 'found',
  ?1 ->> 'sample', ?1 ->> 'sourceVersion', ?1 ->> 'count', ?1 ->> 'firstSeen', ?1 ->> 'lastSeen',
  {STAMP}
WHERE true
ON CONFLICT (event_type, code, path) DO UPDATE SET
  expected = excluded.expected,
  found = excluded.found,
  sample = excluded.sample,
  source_version = coalesce(excluded.source_version, rejections.source_version),
  count = rejections.count + excluded.count,
  first_seen = min(rejections.first_seen, excluded.first_seen),
  last_seen = max(rejections.last_seen, excluded.last_seen),
  changed = excluded.changed"
    )
}
