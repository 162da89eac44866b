//! Events make the rows that OpenCode's own answers make.

use std::collections::BTreeMap;

use clankers::Core;
use clankers::catch_up::{Answer, Request};
use clankers::model::command::Command;
use clankers::store::STORED_MESSAGES;
use serde_json::{Value, json};

use super::{Recording, core, recordings, replayed};
use crate::support::{Db, Recorded, assert_same};

/// Where the recordings were made.
pub(super) const DIRECTORY: &str = "/home/user/project";

/// The database that holds what was answered of these sessions.
pub(super) fn answered(truth: &Value) -> Db {
    let db = Db::new();
    fetch(&db, truth);
    db
}

/// Fetches all of these sessions.
pub(super) fn fetch(db: &Db, truth: &Value) {
    let stored = |request: &Request| {
        let params = serde_json::to_value(request).unwrap();
        let is_it = matches!(request, Request::StoredMessages { .. });
        is_it.then(|| db.read(STORED_MESSAGES, &params))
    };
    fetch_into(truth, stored, |commands| db.apply(commands));
}

/// The same with another store: what it has stored, and where commands go.
pub(super) fn fetch_into(
    truth: &Value,
    stored: impl Fn(&Request) -> Option<Value>,
    mut sink: impl FnMut(&[Command]),
) {
    let mut core = core();
    let sessions = sessions(truth);
    let ids = sessions.keys().map(|&id| id.to_owned()).collect();
    core.fetch(DIRECTORY, ids);
    let now = 9e12;
    while let Some(request) = core.next_request(now) {
        let answer = match &request {
            Request::StoredMessages { .. } => stored(&request),
            request => answer_of(&sessions, request),
        };
        give(&mut core, &request, answer, now);
        sink(core.drain());
        core.settle(true);
    }
}

/// What was answered of each session, by its id.
pub(super) fn sessions(truth: &Value) -> BTreeMap<&str, &Value> {
    let all = truth["sessions"].as_array().unwrap().iter();
    all.map(|one| (one["session"]["id"].as_str().unwrap(), one))
        .collect()
}

/// What OpenCode that has these sessions answers to a request.
pub(super) fn answer_of(sessions: &BTreeMap<&str, &Value>, request: &Request) -> Option<Value> {
    let of = |id: &str| sessions.get(id).copied();
    Some(match request {
        Request::Session { session_id, .. } => of(session_id)?["session"].clone(),
        Request::Messages { session_id, .. } => json!({ "items": of(session_id)?["messages"] }),
        Request::Message {
            session_id,
            message_id,
            ..
        } => {
            let mut all = of(session_id)?["messages"].as_array()?.iter();
            all.find(|one| one["id"] == message_id.as_str())?.clone()
        }
        _ => return None,
    })
}

/// Hands an answer to the core. A message that is asked for by itself and is not there is gone.
pub(super) fn give(core: &mut Core, request: &Request, answer: Option<Value>, now: f64) {
    match answer {
        Some(value) => core.answer(Answer::Found(&&value), now),
        None if matches!(request, Request::Message { .. }) => {
            core.answer::<&Value>(Answer::None, now)
        }
        None => core.answer::<&Value>(Answer::NotOffered, now),
    };
}

/// What both an event and an answer can know, of what is alive. When a session
/// that nobody spoke in was changed only an answer tells.
const BOTH: &[(&str, &str)] = &[
    (
        "sessions",
        "SELECT id, parent_id, title, project_id, project_path, project_name, agent, model, provider,
          prompt_tokens, completion_tokens, reasoning_tokens, cache_read_tokens, cache_write_tokens,
          round(cost, 9), created_at,
          coalesce(updated_at, created_at) FROM sessions WHERE coalesce(deleted_at, missing_since) IS NULL ORDER BY id",
    ),
    (
        "messages",
        "SELECT id, session_id, kind, role, agent, model, provider, text_content, prompt_tokens,
          completion_tokens, reasoning_tokens, cache_read_tokens, cache_write_tokens, cost,
          finish_reason, error_name, error_message, created_at, completed_at, duration_ms
          FROM messages WHERE coalesce(deleted_at, missing_since) IS NULL ORDER BY id",
    ),
    (
        "parts",
        "SELECT id, message_id, session_id, position, type, text, data, synthetic
          FROM parts WHERE message_id IN (SELECT id FROM messages WHERE coalesce(deleted_at, missing_since) IS NULL) ORDER BY id",
    ),
    (
        "tool_calls",
        "SELECT id, message_id, session_id, position, call_id, tool, status, title, input, output,
          error, file_path, exit_code, child_session_id, started_at, ended_at, duration_ms
          FROM tool_calls WHERE coalesce(deleted_at, missing_since) IS NULL ORDER BY id",
    ),
    (
        "usage",
        "SELECT id, session_id, message_id, agent, model, provider, prompt_tokens,
          completion_tokens, reasoning_tokens, cache_read_tokens, cache_write_tokens,
          round(cost, 9), inherited, at, kind
          FROM usage WHERE session_id IN (SELECT id FROM sessions WHERE coalesce(deleted_at, missing_since) IS NULL) ORDER BY id",
    ),
];

/// The tables but these.
pub(super) fn rows(db: &Db, but: &str) -> String {
    let table = |(name, sql): &(&str, &str)| format!("## {name}\n{}\n", db.rows(sql).join("\n"));
    BOTH.iter()
        .filter(|(name, _)| *name != but)
        .map(table)
        .collect()
}

/// The table that an answer does not tell all of: what was taken back it knows
/// only as a part of the total.
pub(super) fn unanswered(one: &Recording) -> &'static str {
    if one.name.contains("revert-committed") {
        "usage"
    } else {
        ""
    }
}

/// Where OpenCode was ended in mid-stream: it has less of the text than was
/// told, or an end that was not told.
pub(super) fn was_ended(one: &Recording) -> bool {
    one.name.ends_with("killed-in-stream") || one.name.ends_with("stopped-in-stream")
}

/// Whether events tell all of a recording's sessions: not of a fork, whose copies
/// no event tells, and not of one that began before.
pub(super) fn is_told_whole(one: &Recording) -> bool {
    let sessions = one.truth["sessions"].as_array().unwrap();
    sessions.iter().all(|of| {
        let is_its_creation = |told: &&Recorded| {
            told.event["type"] == "session.created"
                && told.event["data"]["sessionID"] == of["session"]["id"]
        };
        let times = one.events.iter().filter(is_its_creation).count();
        of["session"].get("fork").is_none() && times == 1
    })
}

#[test]
fn events_make_the_rows_that_answers_make() {
    let mut count = 0;
    for one in recordings().filter(|one| is_told_whole(one) && !was_ended(one)) {
        count += 1;
        let (expected, found) = (answered(&one.truth), replayed(&one.events));
        let but = unanswered(&one);
        assert_same(&one.name, &rows(&expected, but), &rows(&found, but));
    }
    assert!(count > 40, "{count}");
}

#[test]
fn what_events_left_out_an_answer_tells() {
    for one in recordings().filter(|one| !one.name.ends_with("killed-in-stream")) {
        let but = unanswered(&one);
        for parts in [1, 2, 3, 5] {
            if parts > 1 && but == "usage" {
                // Where taking back begins, only the first half tells. The plugin
                // would have fetched it by then.
                continue;
            }
            let from = one.events.len() * (parts - 1) / parts;
            let db = replayed(&one.events[from..]);
            fetch(&db, &one.truth);
            let expected = rows(&answered(&one.truth), but);
            assert_same(
                &format!("{}, the last {parts}th", one.name),
                &expected,
                &rows(&db, but),
            );
        }
    }
}

#[test]
fn of_a_text_that_was_cut_off_the_longer_one_stays() {
    let one = recordings()
        .find(|one| one.name.ends_with("killed-in-stream"))
        .unwrap();
    let texts = "SELECT text FROM parts ORDER BY text";
    let kept = answered(&one.truth).rows(texts);
    assert!(kept.contains(&r#""""#.to_owned()), "{kept:?}");
    let db = replayed(&one.events);
    let told = db.rows(texts);
    fetch(&db, &one.truth);
    assert_eq!(db.rows(texts), told);
    assert!(!told.contains(&r#""""#.to_owned()), "{told:?}");
}

#[test]
fn the_ledger_has_what_a_session_reports() {
    let unlike = "SELECT sessions.id, round(sessions.cost, 9), round(sum(usage.cost), 9),
        prompt_tokens, sum(usage.prompt_tokens) FROM sessions
      LEFT JOIN usage ON session_id = sessions.id AND NOT inherited
      GROUP BY sessions.id
      HAVING round(coalesce(sum(usage.cost), 0) - sessions.cost, 9) <> 0
        OR coalesce(sum(usage.prompt_tokens), 0) <> sessions.prompt_tokens
        OR coalesce(sum(usage.completion_tokens), 0) <> sessions.completion_tokens
        OR coalesce(sum(usage.cache_read_tokens), 0) <> sessions.cache_read_tokens";
    let unlike = unlike.replace(
        "        prompt_tokens, sum",
        "        sessions.prompt_tokens, sum",
    );
    for one in recordings() {
        for db in [replayed(&one.events), answered(&one.truth)] {
            assert_eq!(db.rows(&unlike), [""; 0], "{}", one.name);
        }
    }
}

#[test]
fn an_answer_has_nothing_that_is_refused() {
    for one in recordings() {
        let db = answered(&one.truth);
        let refused = db.rows("SELECT event_type, code, path, expected, found FROM rejections");
        assert!(refused.is_empty(), "{}:\n{}", one.name, refused.join("\n"));
    }
}

#[test]
fn a_compaction_that_failed_is_the_same_failure_in_events_and_answers() {
    let failures = |db: &Db| {
        db.rows("SELECT id, session_id, message_id, name, message, created_at FROM session_errors")
    };
    let failed = recordings().filter(|one| {
        one.name.ends_with("failed-compaction") || one.name.ends_with("failed-auto-compaction")
    });
    for one in failed {
        let told = failures(&replayed(&one.events));
        assert_eq!(told.len(), 1, "{}", one.name);
        assert!(!told[0].ends_with("null"), "{told:?}");
        assert_eq!(failures(&answered(&one.truth)), told, "{}", one.name);
    }
}
