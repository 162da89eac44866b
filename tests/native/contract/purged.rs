//! What was purged stays away, whatever another writer tells of it late.

use clankers::model::row::OnDelete;
use serde_json::{Value, json};

use super::deleting::after;
use crate::events::{message_removed, session_deleted};
use crate::support::{assert_same, command, tell};

/// Each kind of command about the session, its message and what is in it.
fn late() -> Vec<(&'static str, Value)> {
    let place = json!({ "messageId": "msg_1", "sessionId": "ses_1" });
    let with = |more: Value| crate::events::with(place.clone(), more);
    vec![
        (
            "session.upsert",
            json!({ "id": "ses_1", "title": "t", "createdAt": 1, "updatedAt": 9e12, "promptTokens": 5 }),
        ),
        (
            "message.upsert",
            json!({ "id": "msg_1", "sessionId": "ses_1", "role": "assistant", "textContent": "t", "createdAt": 1, "completedAt": 9e12 }),
        ),
        (
            "message.upsert",
            json!({ "id": "msg_new", "sessionId": "ses_1", "role": "user", "createdAt": 1 }),
        ),
        (
            "part.upsert",
            with(json!({ "id": "prt_1", "type": "text", "text": "t" })),
        ),
        (
            "part.upsert",
            with(json!({ "id": "prt_new", "type": "text", "text": "t" })),
        ),
        (
            "tool_call.upsert",
            with(json!({ "id": "prt_4", "callId": "call", "tool": "bash", "status": "completed" })),
        ),
        (
            "tool_call.upsert",
            with(json!({ "id": "prt_new", "tool": "bash", "status": "completed" })),
        ),
        (
            "todo.replace",
            json!({ "sessionId": "ses_1", "todos": [{ "content": "c", "status": "pending" }] }),
        ),
        (
            "permission.upsert",
            with(json!({ "id": "per_1", "permission": "bash", "patterns": "[]", "reply": "once" })),
        ),
        (
            "session_error.upsert",
            with(json!({ "id": "msg_1:error", "name": "APIError", "message": "no" })),
        ),
        (
            "part.delete",
            with(json!({ "id": "prt_1", "deletedAt": 9e12 })),
        ),
    ]
}

/// Whether what is the session's own would be brought back by it.
fn is_the_sessions(method: &str, params: &Value) -> bool {
    ["session.upsert", "todo.replace"].contains(&method) || params["id"] == "msg_new"
}

#[test]
fn no_late_command_brings_a_purged_session_back() {
    for (method, params) in late() {
        let db = after(OnDelete::Purge, session_deleted("ses_1"));
        let before = db.dump();
        db.apply(&[command(method, params.clone())]);
        assert_same(&format!("{method} {params}"), &before, &db.dump());
    }
}

#[test]
fn no_late_command_brings_a_purged_message_back() {
    for (method, params) in late() {
        if is_the_sessions(method, &params) {
            continue;
        }
        let db = after(OnDelete::Purge, message_removed("ses_1", "msg_1"));
        let before = db.dump();
        db.apply(&[command(method, params.clone())]);
        assert_same(&format!("{method} {params}"), &before, &db.dump());
    }
}

#[test]
fn late_commands_together_bring_nothing_back_in_any_order() {
    let purges = [session_deleted("ses_1"), message_removed("ses_1", "msg_1")];
    for last in purges {
        let is_message = last["type"] == "message.removed";
        let late = late().into_iter();
        let late = late.filter(|(method, params)| !is_message || !is_the_sessions(method, params));
        let mut late: Vec<_> = late
            .map(|(method, params)| command(method, params))
            .collect();
        for _ in 0..late.len() {
            late.rotate_left(1);
            let db = after(OnDelete::Purge, last.clone());
            let before = db.dump();
            db.apply(&late);
            assert_same(&last["type"].to_string(), &before, &db.dump());
        }
    }
}

#[test]
fn a_late_step_of_what_was_purged_is_in_the_ledger_and_nowhere_else() {
    for last in [session_deleted("ses_1"), message_removed("ses_1", "msg_1")] {
        let db = after(OnDelete::Purge, last);
        let others = ["sessions", "messages", "parts", "tool_calls"];
        let before = db.dump_of(&others);
        let step = crate::events::step(
            ("ses_1", "msg_1", "prt_9"),
            0.25,
            crate::events::tokens(1, 1),
        );
        tell(&db, super::deleting::options(OnDelete::Purge), [step]);
        assert_same("rows", &before, &db.dump_of(&others));
        assert_eq!(
            db.rows("SELECT id, cost FROM usage ORDER BY id"),
            [r#""prt_6" | 0.5"#, r#""prt_9" | 0.25"#]
        );
    }
}
