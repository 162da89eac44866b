//! What becomes of what OpenCode deletes: `tombstone`, `keep` and `purge`.

use clankers::Options;
use clankers::model::row::OnDelete;
use serde_json::{Value, json};

use crate::events::{
    answer, event, message_removed, part, part_removed, session, session_deleted, step, text,
    tokens, tool,
};
use crate::support::{Db, TABLES, assert_same, tell};

/// What must not be found after it was erased.
const CONTENT: &str = "SECRET";
/// The rows that outlive what they are about.
const KEPT: &str = "SELECT count(*) FROM usage";

/// A session with content in every column that can hold some.
pub(super) fn history() -> Vec<Value> {
    let place = |id| ("ses_1", "msg_1", id);
    let error = json!({ "name": "APIError", "data": { "message": CONTENT, "statusCode": 500 } });
    vec![
        session("ses_1", json!({ "title": CONTENT })),
        answer(
            "ses_1",
            "msg_1",
            json!({ "error": error, "tokens": tokens(10, 5), "cost": 0.5 }),
        ),
        text(place("prt_1"), CONTENT),
        part(
            place("prt_2"),
            "reasoning",
            json!({ "text": CONTENT, "time": { "start": 1, "end": 2 } }),
        ),
        part(
            place("prt_3"),
            "file",
            json!({ "mime": "text/plain", "filename": CONTENT, "url": CONTENT }),
        ),
        tool(
            place("prt_4"),
            "call",
            json!({ "title": CONTENT, "input": { "command": CONTENT }, "output": CONTENT }),
        ),
        tool(
            place("prt_5"),
            "call_2",
            json!({ "status": "error", "error": CONTENT }),
        ),
        step(place("prt_6"), 0.5, tokens(10, 5)),
        event(
            "permission.asked",
            json!({
                "id": "per_1", "sessionID": "ses_1", "permission": "bash", "patterns": [CONTENT],
                "metadata": {}, "always": [], "tool": { "messageID": "msg_1", "callID": "call" },
            }),
        ),
        event(
            "todo.updated",
            json!({
                "sessionID": "ses_1", "todos": [{ "content": CONTENT, "status": "pending", "priority": "high", "id": "1" }],
            }),
        ),
        event(
            "session.error",
            json!({ "sessionID": "ses_1", "error": error }),
        ),
    ]
}

pub(super) fn options(on_delete: OnDelete) -> Options {
    Options {
        on_delete,
        ..Options::default()
    }
}

pub(super) fn after(on_delete: OnDelete, last: Value) -> Db {
    let db = Db::new();
    tell(&db, options(on_delete), history().into_iter().chain([last]));
    db
}

/// The tables that still hold content.
fn leaks(db: &Db) -> Vec<&'static str> {
    TABLES
        .iter()
        .copied()
        .filter(|table| db.dump_of(&[table]).contains(CONTENT))
        .collect()
}

fn counts(db: &Db, tables: &[&str]) -> Vec<String> {
    tables
        .iter()
        .map(|table| db.value(&format!("SELECT count(*) FROM {table}")))
        .collect()
}

#[test]
fn a_deleted_session_is_a_tombstone_without_content_and_with_its_usage() {
    let db = after(OnDelete::Tombstone, session_deleted("ses_1"));
    assert_eq!(leaks(&db), [""; 0]);
    for table in ["sessions", "messages", "tool_calls"] {
        assert_eq!(
            db.value(&format!(
                "SELECT count(*) FROM {table} WHERE deleted_at IS NULL"
            )),
            "0",
            "{table}"
        );
        assert_ne!(
            db.value(&format!("SELECT count(*) FROM {table}")),
            "0",
            "{table}"
        );
    }
    assert_eq!(
        db.rows("SELECT prompt_tokens, cost FROM sessions"),
        ["10 | 0.5"]
    );
    assert_eq!(
        db.rows("SELECT prompt_tokens, cost FROM messages"),
        ["10 | 0.5"]
    );
    assert_eq!(db.value("SELECT count(*) FROM todos"), "0");
    assert_eq!(db.value(KEPT), "1");
}

#[test]
fn a_removed_message_is_a_tombstone_without_content_and_with_its_usage() {
    let db = after(OnDelete::Tombstone, message_removed("ses_1", "msg_1"));
    assert_eq!(
        leaks(&db),
        ["sessions", "todos"],
        "these are the session's own"
    );
    for table in ["messages", "tool_calls"] {
        assert_eq!(
            db.value(&format!(
                "SELECT count(*) FROM {table} WHERE deleted_at IS NULL"
            )),
            "0",
            "{table}"
        );
    }
    assert_eq!(
        db.rows("SELECT prompt_tokens, cost FROM messages"),
        ["10 | 0.5"]
    );
    assert_eq!(db.value(KEPT), "1");
}

#[test]
fn keep_marks_as_deleted_and_keeps_the_content() {
    let mut deleted = session_deleted("ses_1");
    deleted["properties"]["info"]["title"] = json!(CONTENT);
    for last in [deleted, message_removed("ses_1", "msg_1")] {
        let db = after(OnDelete::Keep, last);
        assert_eq!(
            leaks(&db),
            [
                "sessions",
                "messages",
                "parts",
                "tool_calls",
                "session_errors",
                "permissions",
                "todos"
            ]
        );
        assert_eq!(
            db.value("SELECT count(*) FROM messages WHERE deleted_at IS NULL"),
            "0"
        );
        assert_eq!(
            db.value("SELECT count(*) FROM tool_calls WHERE deleted_at IS NULL"),
            "0"
        );
    }
}

#[test]
fn purge_deletes_the_rows_and_keeps_the_ledger() {
    let db = after(OnDelete::Purge, session_deleted("ses_1"));
    let all = [
        "sessions",
        "messages",
        "parts",
        "tool_calls",
        "session_errors",
        "permissions",
        "todos",
    ];
    assert_eq!(counts(&db, &all), ["0"; 7]);
    assert_eq!(db.value(KEPT), "1");
    let db = after(OnDelete::Purge, message_removed("ses_1", "msg_1"));
    assert_eq!(
        counts(&db, &["sessions", "messages", "parts", "tool_calls"]),
        ["1", "0", "0", "0"]
    );
    for table in ["session_errors", "permissions"] {
        let own = format!("SELECT count(*) FROM {table} WHERE message_id = 'msg_1'");
        assert_eq!(db.value(&own), "0", "{table}");
    }
    assert_eq!(db.value(KEPT), "1");
}

#[test]
fn what_is_told_late_brings_no_content_back() {
    for last in [session_deleted("ses_1"), message_removed("ses_1", "msg_1")] {
        for on_delete in [OnDelete::Tombstone, OnDelete::Purge] {
            let db = Db::new();
            let told: Vec<Value> = history().into_iter().chain([last.clone()]).collect();
            let late = history().into_iter().filter(|event| {
                // What is the session's own is not the removed message's.
                let own = ["session.updated", "todo.updated", "session.error"];
                last["type"] != "message.removed" || !own.iter().any(|own| event["type"] == *own)
            });
            tell(&db, options(on_delete), told.clone());
            let before = db.dump();
            tell(&db, options(on_delete), told.into_iter().chain(late));
            assert_same(
                &format!("{on_delete:?} {}", last["type"]),
                &before,
                &db.dump(),
            );
        }
    }
}

#[test]
fn what_another_writer_tells_late_brings_no_content_back_to_a_tombstone() {
    for (last, allowed) in [
        (session_deleted("ses_1"), vec![]),
        (message_removed("ses_1", "msg_1"), vec!["sessions", "todos"]),
    ] {
        for late in history() {
            let db = after(OnDelete::Tombstone, last.clone());
            tell(&db, options(OnDelete::Tombstone), [late.clone()]);
            assert_eq!(leaks(&db), allowed, "after {}, late {late}", last["type"]);
        }
    }
}

#[test]
fn a_delete_before_what_it_deletes_is_a_tombstone_all_the_same() {
    for last in [session_deleted("ses_1"), message_removed("ses_1", "msg_1")] {
        let is_own = last["type"] == "message.removed";
        let db = Db::new();
        tell(&db, options(OnDelete::Tombstone), [last]);
        history()
            .into_iter()
            .for_each(|late| tell(&db, options(OnDelete::Tombstone), [late]));
        let allowed: &[&str] = if is_own { &["sessions", "todos"] } else { &[] };
        assert_eq!(leaks(&db), allowed);
        assert_eq!(
            db.value("SELECT count(*) FROM messages WHERE deleted_at IS NULL"),
            "0"
        );
    }
}

#[test]
fn the_first_time_of_a_deletion_stays() {
    let db = after(OnDelete::Tombstone, session_deleted("ses_1"));
    let before = db.dump();
    // Later than the whole story before it.
    let later = std::iter::repeat_n(answer("ses_0", "msg_0", json!({})), 20);
    let again = later.chain([session_deleted("ses_1")]);
    tell(&db, options(OnDelete::Tombstone), again);
    assert!(
        db.dump()
            .contains(before.lines().nth(1).unwrap_or("no session"))
    );
}

#[test]
fn a_removed_tool_call_is_a_tombstone_kept_or_purged() {
    let place = ("ses_1", "msg_1", "prt_4");
    let call = "SELECT id FROM tool_calls WHERE id = 'prt_4' AND deleted_at IS NOT NULL";
    for (on_delete, row, content) in [
        (OnDelete::Tombstone, 1, false),
        (OnDelete::Keep, 1, true),
        (OnDelete::Purge, 0, false),
    ] {
        let db = after(on_delete, part_removed(place));
        assert_eq!(db.rows(call).len(), row, "{on_delete:?}");
        let kept = db
            .rows("SELECT * FROM tool_calls WHERE id = 'prt_4'")
            .join("")
            .contains(CONTENT);
        assert_eq!(kept, content, "{on_delete:?}");
    }
}
