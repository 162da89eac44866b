//! The statements that are not plain upserts.

use super::deleting::{erased_either, erased_session};

/// A child's session goes before it: a placeholder, where it is not there yet.
pub(super) const ENSURE_SESSION: &str = "\
INSERT OR IGNORE INTO sessions (id)
SELECT ?1 ->> 'sessionId' WHERE NOT EXISTS (SELECT 1 FROM purged WHERE id = ?1 ->> 'sessionId')";

/// A part's message goes before it: a placeholder, where it is not there yet.
pub(super) const ENSURE_MESSAGE: &str = "\
INSERT OR IGNORE INTO messages (id, session_id, deleted_at)
SELECT ?1 ->> 'messageId', id, deleted_at FROM sessions
WHERE id = ?1 ->> 'sessionId' AND NOT EXISTS (SELECT 1 FROM purged WHERE id = ?1 ->> 'messageId')";

/// The ledger's row of a step-finish part. Its message may have been purged,
/// with a row of its own in the ledger left.
const LEDGER: &str = "\
INSERT INTO usage (id, session_id, message_id, agent, model, provider, prompt_tokens,
  completion_tokens, reasoning_tokens, cache_read_tokens, cache_write_tokens, cost, inherited, at)
SELECT ?1 ->> 'id', ?1 ->> 'sessionId', ?1 ->> 'messageId',
  coalesce(messages.agent, own.agent), coalesce(messages.model, own.model),
  coalesce(messages.provider, own.provider),
  iif(json_type(data, '$.tokens.input') IN ('integer', 'real'), data ->> '$.tokens.input', 0),
  iif(json_type(data, '$.tokens.output') IN ('integer', 'real'), data ->> '$.tokens.output', 0),
  iif(json_type(data, '$.tokens.reasoning') IN ('integer', 'real'), data ->> '$.tokens.reasoning', 0),
  iif(json_type(data, '$.tokens.cache.read') IN ('integer', 'real'), data ->> '$.tokens.cache.read', 0),
  iif(json_type(data, '$.tokens.cache.write') IN ('integer', 'real'), data ->> '$.tokens.cache.write', 0),
  iif(json_type(data, '$.cost') IN ('integer', 'real'), data ->> '$.cost', 0),
  coalesce(messages.created_at < sessions.created_at, own.inherited, 0),
  coalesce(messages.completed_at, messages.created_at, own.at)
FROM (SELECT CASE WHEN json_valid(?1 ->> 'data') THEN ?1 ->> 'data' ELSE '{}' END AS data)
LEFT JOIN messages ON messages.id = ?1 ->> 'messageId'
LEFT JOIN sessions ON sessions.id = ?1 ->> 'sessionId'
LEFT JOIN usage AS own ON own.id = ?1 ->> 'messageId'
WHERE ?1 ->> 'type' = 'step-finish'";

/// True where a row of the ledger, or a message, accounts for anything.
const SPENT: &str = "(prompt_tokens OR completion_tokens OR reasoning_tokens
    OR cache_read_tokens OR cache_write_tokens OR cost)";

/// A step's own row takes the place of its message's, if it accounts for anything.
pub(super) fn ledger_of_step() -> String {
    format!(
        "\
DELETE FROM usage WHERE id = CASE WHEN ?1 ->> 'type' = 'step-finish' THEN ?1 ->> 'messageId' END
  AND EXISTS (SELECT 1 FROM usage WHERE id = ?1 ->> 'id' AND {SPENT})"
    )
}

/// A completed answer, as a row of the ledger by its own id.
const LEDGER_OF_MESSAGE: &str = "\
INSERT INTO usage (id, session_id, message_id, agent, model, provider, prompt_tokens,
  completion_tokens, reasoning_tokens, cache_read_tokens, cache_write_tokens, cost, inherited, at)
SELECT id, session_id, id, agent, model, provider, prompt_tokens, completion_tokens,
  reasoning_tokens, cache_read_tokens, cache_write_tokens, cost,
  coalesce(created_at < (
    SELECT created_at FROM sessions WHERE sessions.id = messages.session_id), 0),
  completed_at
FROM messages
WHERE id = ?1 ->> 'id' AND role = 'assistant' AND completed_at IS NOT NULL";

/// What is there is never lowered.
const NEVER_LOWERED: &str = "\
ON CONFLICT (id) DO UPDATE SET
  prompt_tokens = max(usage.prompt_tokens, excluded.prompt_tokens),
  completion_tokens = max(usage.completion_tokens, excluded.completion_tokens),
  reasoning_tokens = max(usage.reasoning_tokens, excluded.reasoning_tokens),
  cache_read_tokens = max(usage.cache_read_tokens, excluded.cache_read_tokens),
  cache_write_tokens = max(usage.cache_write_tokens, excluded.cache_write_tokens),
  cost = max(usage.cost, excluded.cost)";

/// The ledger's row of a step.
pub(super) fn ledger() -> String {
    format!("{LEDGER}\n{NEVER_LOWERED}")
}

/// The ledger's row of a completed answer that no step accounts for (release
/// 1.0's compactions), until a step of it comes.
pub(super) fn ledger_of_message() -> String {
    format!(
        "\
{LEDGER_OF_MESSAGE} AND {SPENT} AND NOT EXISTS (
  SELECT 1 FROM usage WHERE message_id = ?1 ->> 'id' AND id <> ?1 ->> 'id' AND {SPENT})
{NEVER_LOWERED}"
    )
}

/// What only the message knows of its steps: who was asked, and when.
pub(super) const COMPLETE_LEDGER: &str = "\
UPDATE usage SET
  agent = coalesce(messages.agent, usage.agent),
  model = coalesce(messages.model, usage.model),
  provider = coalesce(messages.provider, usage.provider),
  at = coalesce(messages.completed_at, messages.created_at, usage.at),
  inherited = coalesce(messages.created_at < (
    SELECT created_at FROM sessions WHERE sessions.id = messages.session_id), usage.inherited)
FROM messages
WHERE messages.id = ?1 ->> 'id' AND usage.message_id = ?1 ->> 'id'";

/// When a session's creation becomes known after its messages, the steps that
/// are older than it are a fork's copies.
pub(super) const INHERIT_WHEN_CREATED: &str = "\
UPDATE usage SET inherited = 1
WHERE session_id = CASE
    WHEN ?1 ->> 'createdAt' IS NOT NULL
      AND (SELECT created_at FROM sessions WHERE id = ?1 ->> 'id') IS NULL
    THEN ?1 ->> 'id' END
  AND (SELECT created_at FROM messages WHERE id = usage.message_id) < ?1 ->> 'createdAt'";

/// Which session had started one that was purged, where that is told late.
pub(super) const PARENT_OF_PURGED: &str = "\
UPDATE purged SET parent_id = ?1 ->> 'parentId'
WHERE id = ?1 ->> 'id' AND parent_id IS NULL AND ?1 ->> 'parentId' IS NOT NULL";

/// What OpenCode says of the session itself. Before the session's upsert, which reads it.
pub(super) fn session_own() -> String {
    format!(
        "\
INSERT INTO session_own (session_id, agent, model, provider, whole_at, reports_usage)
SELECT ?1 ->> 'id', ?1 ->> 'agent', ?1 ->> 'model', ?1 ->> 'provider', ?1 ->> 'wholeAt',
  coalesce(?1 ->> 'promptTokens', 0) <> 0 OR coalesce(?1 ->> 'completionTokens', 0) <> 0
  OR coalesce(?1 ->> 'reasoningTokens', 0) <> 0 OR coalesce(?1 ->> 'cacheReadTokens', 0) <> 0
  OR coalesce(?1 ->> 'cacheWriteTokens', 0) <> 0 OR coalesce(?1 ->> 'cost', 0) <> 0
  OR coalesce(?1 ->> 'reportsUsage', 0)
WHERE NOT EXISTS (SELECT 1 FROM sessions WHERE id = ?1 ->> 'id' AND {older}) AND {not_purged}
ON CONFLICT (session_id) DO UPDATE SET
  agent = iif(json_type(?1, '$.agent') IS NULL, session_own.agent, excluded.agent),
  model = iif(json_type(?1, '$.model') IS NULL, session_own.model, excluded.model),
  provider = iif(json_type(?1, '$.provider') IS NULL, session_own.provider, excluded.provider),
  whole_at = iif(json_type(?1, '$.wholeAt') IS NULL, session_own.whole_at, excluded.whole_at),
  reports_usage = session_own.reports_usage OR excluded.reports_usage",
        older = super::OLDER_SESSION,
        not_purged = super::NOT_PURGED
    )
}

/// A session's agent, model and provider, from itself and its last answer; of
/// a deleted or missing one, from the last that went with it. `param` names the parameter that holds the session's id.
pub(super) fn derive_session(param: &str) -> String {
    format!(
        "\
UPDATE sessions SET (agent, model, provider) = (
  SELECT coalesce(session_own.agent, answer.agent), coalesce(answer.model, session_own.model),
    iif(answer.model IS NULL, session_own.provider, answer.provider)
  FROM (SELECT 1)
  LEFT JOIN session_own ON session_own.session_id = ?1 ->> '{param}'
  LEFT JOIN (
    SELECT agent, model, provider FROM messages
    WHERE session_id = ?1 ->> '{param}' AND role = 'assistant' AND (deleted_at, missing_since) IS (
      SELECT deleted_at, missing_since FROM sessions WHERE id = ?1 ->> '{param}')
    ORDER BY created_at DESC, id DESC LIMIT 1) AS answer
)
WHERE id = ?1 ->> '{param}'"
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
UPDATE messages SET text_content = derived.text
FROM (SELECT coalesce(group_concat(text, char(10)), '') AS text FROM (
  SELECT text FROM parts
  WHERE message_id = {OF_PART} AND type = 'text' AND text IS NOT NULL AND NOT synthetic
    AND missing_since IS NULL
    AND NOT coalesce(iif(json_valid(data), data ->> 'ignored', 0), 0) AND {parts}
  ORDER BY id)) AS derived
WHERE id = {OF_PART} AND text_content <> derived.text AND {condition}"
    )
}

/// A text that is being written, with what came to it. It stays what it is
/// where it has ended, holds more already, is not there up to the offset, or
/// has a character around it.
pub(super) const APPEND: &str = "\
UPDATE parts SET text = CAST(substr(CAST(text AS BLOB), 1, ?1 ->> 'offset') AS TEXT) || (?1 ->> 'text')
WHERE id = ?1 ->> 'id' AND ended_at IS NULL AND length(CAST(text AS BLOB)) >= ?1 ->> 'offset'
  AND hex(substr(CAST(text AS BLOB), (?1 ->> 'offset') + 1, 1)) NOT BETWEEN '80' AND 'BF'
  AND length(CAST(text AS BLOB)) < (?1 ->> 'offset') + length(CAST(?1 ->> 'text' AS BLOB))";

/// How long a person was asked during a call: what of the asking lies inside
/// it, and no longer than it took where they were asked several things at once.
/// Some releases say that a call started when it was allowed to.
const WAIT: &str = "\
UPDATE tool_calls SET permission_wait_ms = coalesce((
  SELECT min(coalesce(duration_ms, 9e15), sum(max(0, min(replied_at, coalesce(ended_at, replied_at))
    - max(asked_at, coalesce(started_at, asked_at))))) FROM permissions
  WHERE message_id = tool_calls.message_id AND call_id = tool_calls.call_id), 0)";

/// That, once the call has changed.
pub(super) fn wait_of_call() -> String {
    format!("{WAIT}\nWHERE id = ?1 ->> 'id'")
}

/// That, once the permission has changed.
pub(super) fn wait_of_permission() -> String {
    format!(
        "\
{WAIT}
WHERE (message_id, call_id) = (SELECT message_id, call_id FROM permissions WHERE id = ?1 ->> 'id')"
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
  AND answer.name IS failure.name"
    );
    vec![
        format!(
            "\
UPDATE session_errors AS failure SET message_id = ({ANSWER_THEN})
WHERE id = ?1 ->> 'id' AND message_id IS NULL AND attempt IS NOT NULL"
        ),
        erase_content("session_errors", "message"),
        format!(
            "\
UPDATE session_errors AS answer SET created_at = min(answer.created_at, failure.created_at)
FROM session_errors AS failure WHERE {twins}"
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
pub(super) fn erase_content(table: &str, column: &str) -> String {
    format!(
        "\
UPDATE {table} SET {column} = NULL
WHERE id = ?1 ->> 'id' AND {column} IS NOT NULL AND {}",
        erased_either(
            &format!("{table}.session_id"),
            &format!("{table}.message_id")
        )
    )
}

/// A session's list is replaced whole; a deleted session's stays erased.
pub(super) fn todo_replace() -> Vec<String> {
    let stays = format!(
        "{} AND NOT {}",
        super::NOT_PURGED,
        erased_session("?1 ->> 'sessionId'")
    );
    vec![
        format!("DELETE FROM todos WHERE session_id = ?1 ->> 'sessionId' AND {stays}"),
        format!(
            "\
INSERT INTO todos (session_id, position, content, status, priority)
SELECT ?1 ->> 'sessionId', todo.key, todo.value ->> 'content', todo.value ->> 'status',
  todo.value ->> 'priority'
FROM json_each(?1, '$.todos') AS todo
WHERE {stays}"
        ),
    ]
}

/// A kind of rejection was met again.
pub(super) const REJECTION_RECORD: &str = "\
INSERT INTO rejections (event_type, code, path, expected, found, sample, source_version, count,
  first_seen, last_seen)
SELECT ?1 ->> 'eventType', ?1 ->> 'code', ?1 ->> 'path', ?1 ->> 'expected', ?1 ->> 'found',
  ?1 ->> 'sample', ?1 ->> 'sourceVersion', ?1 ->> 'count', ?1 ->> 'firstSeen', ?1 ->> 'lastSeen'
WHERE true
ON CONFLICT (event_type, code, path) DO UPDATE SET
  expected = excluded.expected,
  found = excluded.found,
  sample = excluded.sample,
  source_version = coalesce(excluded.source_version, rejections.source_version),
  count = rejections.count + excluded.count,
  first_seen = min(rejections.first_seen, excluded.first_seen),
  last_seen = max(rejections.last_seen, excluded.last_seen)";
