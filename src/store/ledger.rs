//! The ledger: a row for each step that a provider answered. Nothing that is
//! there is ever removed or lowered, but for one row of a session: what only its
//! own totals show (titles, calls that were tried again). It is what those come
//! to beyond the other rows, so that it falls when a missed step becomes known.

use super::STAMP;
use super::guards::takes_session;
use crate::model::column::{Column, Row, Rule};
use crate::model::row::UsageRow;

/// True where a row of the ledger, or a message, accounts for anything.
const SPENT: &str = "(prompt_tokens OR completion_tokens OR reasoning_tokens
    OR cache_read_tokens OR cache_write_tokens OR cost)";

/// What was paid for: an answer of a compaction, a step, or one that failed. The
/// last only where the row is its message's own, as `is_own` says: a message
/// may have several steps.
fn kind(is_own: &str) -> String {
    format!(
        "CASE WHEN messages.kind = 'compaction' THEN 'compaction'
    WHEN {is_own} AND messages.error_name IS NOT NULL THEN 'failed' ELSE 'step' END"
    )
}

/// Whether a message is a fork's copy: it is older than its session.
const INHERITED: &str = "\
coalesce(messages.created_at < (
    SELECT created_at FROM sessions WHERE sessions.id = messages.session_id), 0)";

/// The amounts of a row of the ledger.
fn amounts() -> impl Iterator<Item = &'static Column> {
    UsageRow::COLUMNS
        .iter()
        .filter(|column| column.rule == Rule::Greatest)
}

fn names() -> String {
    amounts()
        .map(|column| column.name)
        .collect::<Vec<_>>()
        .join(", ")
}

/// What is there is never lowered.
fn never_lowered() -> String {
    let greatest = |column: &Column| {
        let name = column.name;
        format!("{name} = max(usage.{name}, excluded.{name})")
    };
    let is_greater = |column: &Column| format!("excluded.{0} > usage.{0}", column.name);
    let updates: Vec<String> = amounts().map(greatest).collect();
    let rises: Vec<String> = amounts().map(is_greater).collect();
    format!(
        "ON CONFLICT (id) DO UPDATE SET\n  {},\n  changed = excluded.changed\nWHERE {}",
        updates.join(",\n  "),
        rises.join(" OR ")
    )
}

/// Which model answered, where a step says it: `column` of the row of `usage`
/// that `id` names, over what its message says.
fn told_by_step(column: &str, id: &str, message: &str) -> String {
    format!("coalesce((SELECT {column} FROM usage_own WHERE id = {id}), {message})")
}

/// Notes which model answered a step, where that says it.
pub(super) fn own() -> String {
    "\
INSERT INTO usage_own (id, model, provider)
SELECT ?1 ->> 'id', ?1 ->> 'model', ?1 ->> 'provider'
WHERE coalesce(?1 ->> 'model', ?1 ->> 'provider') IS NOT NULL
ON CONFLICT (id) DO UPDATE SET
  model = coalesce(model, excluded.model), provider = coalesce(provider, excluded.provider)"
        .to_owned()
}

/// Where a step that is there says only now which model answered it.
pub(super) fn of_own() -> String {
    format!(
        "\
UPDATE usage SET
  model = coalesce(own.model, usage.model), provider = coalesce(own.provider, usage.provider),
  changed = {STAMP}
FROM usage_own AS own
WHERE usage.id = ?1 ->> 'id' AND own.id = usage.id AND (usage.model, usage.provider)
  IS NOT (coalesce(own.model, usage.model), coalesce(own.provider, usage.provider))"
    )
}

/// The ledger's row of a step. Its message may have been purged, with a row of
/// its own in the ledger left.
pub(super) fn of_step() -> String {
    let who = |column: &str| {
        let message = format!("iif(messages.id IS NULL, own.{column}, messages.{column})");
        told_by_step(column, "?1 ->> 'id'", &message)
    };
    let told: Vec<String> = amounts()
        .map(|column| format!("coalesce(?1 ->> '{}', 0)", column.json))
        .collect();
    format!(
        "\
INSERT INTO usage (id, session_id, message_id, agent, model, provider, {names},
  inherited, at, kind, changed)
SELECT ?1 ->> 'id', ?1 ->> 'sessionId', ?1 ->> 'messageId',
  iif(messages.id IS NULL, own.agent, messages.agent),
  {model},
  {provider},
  {told},
  iif(messages.id IS NULL, coalesce(own.inherited, 0), {INHERITED}),
  iif(messages.id IS NULL, own.at, coalesce(messages.completed_at, messages.created_at)),
  iif(messages.id IS NULL, coalesce(own.kind, 'step'), {kind}),
  {STAMP}
FROM (SELECT 1)
LEFT JOIN messages ON messages.id = ?1 ->> 'messageId'
LEFT JOIN usage AS own ON own.id = ?1 ->> 'messageId'
WHERE true
{never_lowered}",
        names = names(),
        model = who("model"),
        provider = who("provider"),
        told = told.join(", "),
        kind = kind("false"),
        never_lowered = never_lowered(),
    )
}

/// A step's own row takes the place of its message's, if it accounts for anything.
pub(super) fn replace_message() -> String {
    format!(
        "\
DELETE FROM usage WHERE id = ?1 ->> 'messageId'
  AND EXISTS (SELECT 1 FROM usage WHERE id = ?1 ->> 'id' AND {SPENT})"
    )
}

/// The ledger's row of a completed answer that no step accounts for (release
/// 1.0's compactions), by its own id, until a step of it comes.
pub(super) fn of_message() -> String {
    format!(
        "\
INSERT INTO usage (id, session_id, message_id, agent, model, provider, {names},
  inherited, at, kind, changed)
SELECT id, session_id, id, agent, model, provider, {names}, {INHERITED},
  coalesce(completed_at, created_at),
  {kind}, {STAMP}
FROM messages
WHERE id = ?1 ->> 'id' AND {SPENT}
  AND (role = 'assistant' AND completed_at IS NOT NULL OR role IS NULL AND kind = 'compaction')
  AND NOT EXISTS (
    SELECT 1 FROM usage WHERE message_id = ?1 ->> 'id' AND id <> ?1 ->> 'id' AND {SPENT})
{never_lowered}",
        names = names(),
        kind = kind("true"),
        never_lowered = never_lowered(),
    )
}

/// What only the message knows of its steps: who was asked, when, and for what.
pub(super) fn complete() -> String {
    let kind = kind("usage.id = messages.id");
    let who = |column: &str| told_by_step(column, "usage.id", &format!("messages.{column}"));
    let (model, provider) = (who("model"), who("provider"));
    format!(
        "\
UPDATE usage SET
  agent = messages.agent,
  model = {model},
  provider = {provider},
  at = coalesce(messages.completed_at, messages.created_at),
  inherited = {INHERITED},
  kind = {kind},
  changed = {STAMP}
FROM messages
WHERE messages.id = ?1 ->> 'id' AND usage.message_id = ?1 ->> 'id'
  AND (usage.agent, usage.model, usage.provider, usage.at, usage.inherited, usage.kind)
  IS NOT (messages.agent, {model}, {provider},
    coalesce(messages.completed_at, messages.created_at), {INHERITED}, {kind})"
    )
}

/// When a session's creation becomes known after its messages, the steps that
/// are older than it are a fork's copies. Before the session's upsert.
pub(super) fn inherit() -> String {
    format!(
        "\
UPDATE usage SET
  inherited = coalesce(messages.created_at < ?1 ->> 'createdAt', 0),
  changed = {STAMP}
FROM messages
WHERE messages.id = usage.message_id AND usage.session_id = (
  SELECT held.id FROM sessions AS held
  WHERE held.id = ?1 ->> 'id' AND held.created_at IS NOT ?1 ->> 'createdAt'{})",
        takes_session()
    )
}

/// True where a session has a row for what only its totals show.
pub(super) const HAS_OVERHEAD: &str =
    "EXISTS (SELECT 1 FROM usage WHERE id = (?1 ->> 'sessionId') || ':overhead')";

/// What a session reports beyond what the other rows account for is a row of its
/// own; none where that is nothing. Not a fork's copies: it does not report them.
/// And none where steps are parts of their messages: such a session began in an
/// engine whose totals are of other things, so that nothing follows from them.
pub(super) fn balance(condition: &str) -> [String; 2] {
    let rest = |column: &Column| {
        let name = column.name;
        let digits = if name == "cost" { 12 } else { 0 };
        format!(
            "iif(others.are_parts, 0, \
             max(0, round(sessions.{name} - coalesce(others.{name}, 0), {digits}))) AS {name}"
        )
    };
    let sum =
        |column: &Column| format!("sum({0}) FILTER (WHERE NOT inherited) AS {0}", column.name);
    let list = |of: &dyn Fn(&Column) -> String| amounts().map(of).collect::<Vec<_>>().join(", ");
    let update = list(&|column| format!("{0} = excluded.{0}", column.name));
    let stored = list(&|column| format!("usage.{}", column.name));
    let told = list(&|column| format!("excluded.{}", column.name));
    let overhead = format!(
        "\
SELECT sessions.id, sessions.created_at, {rest}
  FROM sessions LEFT JOIN (
    SELECT {sum}, max(id <> message_id) AS are_parts FROM usage
    WHERE session_id = ?1 ->> 'sessionId' AND kind <> 'overhead') AS others
  WHERE sessions.id = ?1 ->> 'sessionId'",
        rest = list(&rest),
        sum = list(&sum),
    );
    let names = names();
    [
        format!(
            "\
DELETE FROM usage
WHERE id = (?1 ->> 'sessionId') || ':overhead' AND {condition}
  AND EXISTS (SELECT 1 FROM ({overhead}) WHERE NOT {SPENT})"
        ),
        format!(
            "\
INSERT INTO usage (id, session_id, {names}, inherited, at, kind, changed)
SELECT id || ':overhead', id, {names}, 0, created_at, 'overhead', {STAMP}
FROM ({overhead})
WHERE {SPENT} AND {condition}
ON CONFLICT (id) DO UPDATE SET {update}, at = excluded.at, changed = excluded.changed
WHERE ({stored}, usage.at) IS NOT ({told}, excluded.at)"
        ),
    ]
}
