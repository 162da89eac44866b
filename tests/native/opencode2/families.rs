//! Shapes that no recording has, and what becomes of them.

use serde_json::{Value, json};

use super::replayed;
use crate::support::{Db, Recorded};

const SESSION: &str = "ses_1";

/// Events a second apart, numbered from 0.
fn told(events: impl IntoIterator<Item = (&'static str, Value)>) -> Db {
    let mut at = 1_000_000.0;
    let mut number = 0;
    let story: Vec<Recorded> = events
        .into_iter()
        .map(|(kind, mut data)| {
            at += 1000.0;
            if data.get("sessionID").is_none() {
                data["sessionID"] = json!(SESSION);
            }
            let event = json!({
                "id": format!("evt_{number:04}"), "created": at, "type": kind, "data": data,
                "durable": { "aggregateID": SESSION, "seq": number, "version": 1 },
            });
            number += 1;
            Recorded { at, event }
        })
        .collect();
    replayed(&story)
}

fn created() -> (&'static str, Value) {
    (
        "session.created",
        json!({
            "projectID": "prj", "location": { "directory": "/home/user/project" }, "subpath": "",
            "slug": "s", "title": "A title", "version": "2.0.15",
        }),
    )
}

fn step(id: &str) -> (&'static str, Value) {
    (
        "session.step.started",
        json!({
            "assistantMessageID": id, "agent": "build", "model": { "id": "m", "providerID": "p" },
            "snapshot": "s", "started": 1_002_500,
        }),
    )
}

fn tokens(input: u32) -> Value {
    json!({ "input": input, "output": 1, "reasoning": 0, "cache": { "read": 0, "write": 0 } })
}

fn failed(id: &str, more: Value) -> (&'static str, Value) {
    let mut data = json!({
        "assistantMessageID": id, "error": { "type": "provider.content-filter", "message": "No." },
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        data[key] = value.clone();
    }
    ("session.step.failed", data)
}

#[test]
fn a_step_that_failed_and_was_paid_for_is_in_the_ledger_as_failed() {
    let db = told([
        created(),
        step("msg_a"),
        failed(
            "msg_a",
            json!({ "finish": "content-filter", "cost": 0.5, "tokens": tokens(7) }),
        ),
    ]);
    let row = db.rows("SELECT id, kind, cost, prompt_tokens FROM usage");
    assert_eq!(row, [r#""msg_a" | "failed" | 0.5 | 7"#]);
    let message = db.rows("SELECT finish_reason, error_name FROM messages");
    assert_eq!(message, [r#""content-filter" | "provider.content-filter""#]);
}

#[test]
fn a_step_that_failed_for_nothing_is_not_in_the_ledger() {
    let db = told([created(), step("msg_a"), failed("msg_a", json!({}))]);
    assert_eq!(db.rows("SELECT id FROM usage"), [""; 0]);
    assert_eq!(
        db.rows("SELECT id, name FROM session_errors"),
        [r#""msg_a:error" | "provider.content-filter""#]
    );
}

#[test]
fn what_only_the_total_shows_is_a_row_that_falls_when_a_step_is_known() {
    let total = || {
        (
            "session.usage.updated",
            json!({ "cost": 0.75, "tokens": tokens(10) }),
        )
    };
    let overhead = "SELECT cost, prompt_tokens FROM usage WHERE kind = 'overhead'";
    let db = told([created(), total()]);
    assert_eq!(db.rows(overhead), ["0.75 | 10"]);
    let ended = (
        "session.step.ended",
        json!({
            "assistantMessageID": "msg_a", "finish": "stop", "cost": 0.5, "tokens": tokens(7),
        }),
    );
    let db = told([created(), total(), step("msg_a"), ended.clone()]);
    assert_eq!(db.rows(overhead), ["0.25 | 3"]);
    let whole = (
        "session.usage.updated",
        json!({ "cost": 0.5, "tokens": tokens(7) }),
    );
    let db = told([created(), step("msg_a"), ended, whole]);
    assert_eq!(db.rows(overhead), [""; 0]);
}

#[test]
fn a_prompt_that_is_taken_back_before_it_is_delivered_is_no_message() {
    let prompt = json!({
        "inboxID": "msg_a", "item": { "type": "user", "payload": { "text": "t" }, "delivery": "queue" },
    });
    let inbox = json!({ "inboxID": "msg_a" });
    let db = told([
        created(),
        ("session.inbox.enqueued", prompt),
        ("session.inbox.cancelled", inbox),
    ]);
    assert_eq!(db.rows("SELECT id FROM messages"), [""; 0]);
}

#[test]
fn a_prompt_is_read_as_the_betas_of_2_0_told_it() {
    let input = json!({
        "inputID": "msg_a", "delivery": "steer",
        "prompt": { "text": "one", "files": [{ "uri": "file:///a" }] },
    });
    let typed = |id: &str, kind: &str, text: &str| {
        json!({
            "inputID": id, "input": { "type": kind, "data": { "text": text }, "delivery": "queue" },
        })
    };
    let promoted = |id: &str| json!({ "inputID": id });
    let db = told([
        created(),
        ("session.prompt.admitted", input),
        ("session.prompt.promoted", promoted("msg_a")),
        ("session.input.admitted", typed("msg_b", "user", "two")),
        (
            "session.input.admitted",
            typed("msg_c", "synthetic", "three"),
        ),
        ("session.input.promoted", promoted("msg_c")),
        ("session.input.promoted", promoted("msg_b")),
        (
            "session.input.admitted",
            typed("msg_d", "user", "not promoted"),
        ),
    ]);
    assert_eq!(
        db.rows("SELECT id, kind, role, text_content FROM messages ORDER BY position"),
        [
            r#""msg_a" | NULL | "user" | "one""#,
            r#""msg_c" | "synthetic" | NULL | "three""#,
            r#""msg_b" | NULL | "user" | "two""#,
        ]
    );
    assert_eq!(
        db.rows("SELECT type FROM parts WHERE message_id = 'msg_a' ORDER BY position"),
        [r#""text""#, r#""file""#]
    );
    assert_eq!(db.rows("SELECT code, path FROM rejections"), [""; 0]);
}

#[test]
fn an_item_of_a_kind_that_is_not_known_keeps_its_text_and_is_counted() {
    let prompt = json!({
        "inboxID": "msg_a", "item": { "type": "novel", "payload": { "text": "t" }, "delivery": "steer" },
    });
    let db = told([
        created(),
        ("session.inbox.enqueued", prompt),
        ("session.inbox.delivered", json!({ "inboxID": "msg_a" })),
    ]);
    assert_eq!(
        db.rows("SELECT kind, role, text_content, position FROM messages"),
        [r#""synthetic" | NULL | "t" | 2"#]
    );
    assert_eq!(
        db.rows("SELECT path FROM rejections"),
        [r#""data.item.type""#]
    );
}

#[test]
fn a_call_that_returns_a_picture_has_no_output_and_its_refusal_none_either() {
    let call = json!({ "assistantMessageID": "msg_a", "id": "c", "name": "draw" });
    let run = json!({
        "assistantMessageID": "msg_a", "id": "c", "input": { "path": "/a.png" }, "executed": true,
    });
    let picture = json!({
        "assistantMessageID": "msg_a", "id": "c", "executed": true,
        "content": [{ "type": "file", "uri": "data:", "mime": "image/png" }],
    });
    let db = told([
        created(),
        step("msg_a"),
        ("session.tool.input.started", call),
        ("session.tool.called", run),
        ("session.tool.success", picture),
    ]);
    assert_eq!(
        db.rows(
            "SELECT id, tool, status, output, file_path, position, duration_ms FROM tool_calls"
        ),
        [r#""msg_a:tool:c" | "draw" | "completed" | NULL | "/a.png" | 0 | 1000"#]
    );
}

#[test]
fn what_is_told_of_another_aggregate_is_no_session() {
    let db = told([(
        "worktree.resolved",
        json!({ "projectID": "prj", "directory": "/", "previous": "/" }),
    )]);
    assert_eq!(db.rows("SELECT id FROM sessions"), [""; 0]);
    assert_eq!(db.rows("SELECT code FROM rejections"), [""; 0]);
}
