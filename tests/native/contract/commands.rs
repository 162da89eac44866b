//! The commands: the wire, and the daemon's JSON-RPC methods.

use clankers::model::command::Command;
use serde_json::{Value, json};

use crate::support::{Db, command};

/// A row's command with every field known, and the identity alone.
fn upserts() -> Vec<(&'static str, &'static str, Value, Value)> {
    vec![
        (
            "session.upsert",
            "sessions",
            json!({ "id": "ses_1" }),
            json!({
                "parentId": "ses_0", "source": "other", "sourceVersion": "1", "title": "t", "projectId": "p",
                "projectPath": "/p", "projectName": "p", "agent": "a", "model": "m", "provider": "pr",
                "status": "busy", "promptTokens": 1, "completionTokens": 2, "reasoningTokens": 3,
                "cacheReadTokens": 4, "cacheWriteTokens": 5, "cost": 0.5, "additions": 6, "deletions": 7,
                "filesChanged": 8, "createdAt": 9, "updatedAt": 10, "archivedAt": 11,
            }),
        ),
        (
            "message.upsert",
            "messages",
            json!({ "id": "msg_1", "sessionId": "ses_1" }),
            json!({
                "parentId": "msg_0", "role": "assistant", "agent": "a", "model": "m", "provider": "pr",
                "textContent": "t", "promptTokens": 1, "completionTokens": 2, "reasoningTokens": 3,
                "cacheReadTokens": 4, "cacheWriteTokens": 5, "cost": 0.5, "finishReason": "stop",
                "errorName": "e", "errorMessage": "m", "createdAt": 9, "completedAt": 10, "durationMs": 1,
            }),
        ),
        (
            "part.upsert",
            "parts",
            json!({ "id": "prt_1", "messageId": "msg_1", "sessionId": "ses_1" }),
            json!({ "type": "text", "text": "t", "data": "{}", "synthetic": true, "startedAt": 1, "endedAt": 2 }),
        ),
        (
            "tool_call.upsert",
            "tool_calls",
            json!({ "id": "prt_2", "messageId": "msg_1", "sessionId": "ses_1" }),
            json!({
                "callId": "c", "tool": "bash", "status": "completed", "title": "t", "input": "{}",
                "output": "o", "error": "e", "filePath": "/f", "exitCode": 1, "childSessionId": "ses_2",
                "startedAt": 1, "endedAt": 2, "durationMs": 1,
            }),
        ),
        (
            "session_error.upsert",
            "session_errors",
            json!({ "id": "err_1" }),
            json!({
                "sessionId": "ses_1", "messageId": "msg_1", "name": "n", "message": "m", "statusCode": 500,
                "retryable": true, "attempt": 1, "createdAt": 1,
            }),
        ),
        (
            "permission.upsert",
            "permissions",
            json!({ "id": "per_1" }),
            json!({
                "sessionId": "ses_1", "messageId": "msg_1", "callId": "c", "permission": "bash",
                "patterns": "[]", "reply": "once", "askedAt": 1, "repliedAt": 2,
            }),
        ),
    ]
}

fn join(one: &Value, other: &Value) -> Value {
    crate::events::with(one.clone(), other.clone())
}

/// A column's name on the wire.
fn column(field: &str) -> String {
    field
        .chars()
        .fold(String::new(), |name, letter| match letter {
            'A'..='Z' => format!("{name}_{}", letter.to_ascii_lowercase()),
            _ => format!("{name}{letter}"),
        })
}

const BY_HAND: &str = "SELECT id, title, project_path, project_name, model, provider, prompt_tokens, completion_tokens, cost, source, status FROM sessions";

#[test]
fn a_session_can_be_written_by_hand_by_its_session_id() {
    let by_hand = json!({
        "sessionId": "test_session_001", "title": "Test Session", "projectPath": "/tmp/test",
        "projectName": "test", "model": "test-model", "provider": "test-provider",
        "promptTokens": 100, "completionTokens": 50, "cost": 0.001,
    });
    let db = Db::new();
    db.apply(&[command("session.upsert", by_hand.clone())]);
    assert_eq!(
        db.rows(BY_HAND),
        [
            r#""test_session_001" | "Test Session" | "/tmp/test" | "test" | "test-model" | "test-provider" | 100 | 50 | 0.001 | "opencode" | "idle""#
        ]
    );
    db.apply(&[command(
        "session.upsert",
        join(
            &by_hand,
            &json!({ "title": "Another", "promptTokens": 120 }),
        ),
    )]);
    assert_eq!(
        db.rows("SELECT title, prompt_tokens FROM sessions"),
        [r#""Another" | 120"#]
    );
}

#[test]
fn every_field_of_a_command_is_its_column() {
    for (method, table, identity, fields) in upserts() {
        let db = Db::new();
        db.apply(&[command(method, join(&identity, &fields))]);
        for (field, value) in fields.as_object().into_iter().flatten() {
            let stored = db.value(&format!(
                "SELECT {} FROM {table} WHERE id = {}",
                column(field),
                identity["id"].to_string().replace('"', "'")
            ));
            let expected = match value {
                Value::Bool(flag) => u8::from(*flag).to_string(),
                Value::String(text) => format!("{text:?}"),
                other => other.to_string(),
            };
            // A text is derived from the parts where there are some.
            assert_eq!(stored, expected, "{method} {field}");
        }
    }
}

#[test]
fn a_field_left_out_is_unknown_and_erases_nothing() {
    for (method, table, identity, fields) in upserts() {
        let db = Db::new();
        db.apply(&[command(method, join(&identity, &fields))]);
        let before = db.dump_of(&[table]);
        db.apply(&[command(method, identity)]);
        assert_eq!(before, db.dump_of(&[table]), "{method}");
    }
}

#[test]
fn a_field_that_is_null_is_known_to_be_empty() {
    for (method, table, identity, fields) in upserts() {
        for field in fields
            .as_object()
            .into_iter()
            .flatten()
            .map(|(field, _)| field)
        {
            let earliest = ["createdAt", "askedAt", "repliedAt"].contains(&field.as_str());
            if earliest && method != "session.upsert" && method != "message.upsert"
                || field == "completedAt"
                || field == "endedAt"
            {
                // A time that was noted stays; an end that was told is newer than none.
                if method != "tool_call.upsert" {
                    continue;
                }
            }
            // What references the row at hand stays as it was.
            let links = ["sessionId", "messageId"].contains(&field.as_str())
                || method == "permission.upsert" && field == "callId";
            if links {
                continue;
            }
            let db = Db::new();
            db.apply(&[command(method, join(&identity, &fields))]);
            let null = json!({ (field): null });
            db.apply(&[command(method, join(&identity, &null))]);
            let id = identity["id"].to_string().replace('"', "'");
            let stored = db.value(&format!(
                "SELECT {} FROM {table} WHERE id = {id}",
                column(field)
            ));
            let default = match field.as_str() {
                "source" => r#""opencode""#,
                "status" if table == "sessions" => r#""idle""#,
                "textContent" => r#""""#,
                "synthetic" | "cost" => "0",
                count if count.ends_with("Tokens") => "0",
                _ => "NULL",
            };
            assert_eq!(stored, default, "{method} {field}");
        }
    }
}

#[test]
fn a_command_survives_the_wire() {
    for (method, _, identity, fields) in upserts() {
        let one = command(method, join(&identity, &fields));
        let wire = serde_json::to_value(&one).unwrap_or_default();
        assert_eq!(
            wire,
            json!({ "method": method, "params": join(&identity, &fields) })
        );
        assert_eq!(serde_json::from_value::<Command>(wire).ok(), Some(one));
    }
}

#[test]
fn a_command_that_is_not_understood_is_refused_by_name() {
    for (wire, complaint) in [
        (json!({ "method": "session.upsert", "params": {} }), "id"),
        (
            json!({ "method": "session.upsert", "params": { "id": 5 } }),
            "string",
        ),
        (
            json!({ "method": "session.upsert", "params": { "id": "s", "titel": "t" } }),
            "titel",
        ),
        (
            json!({ "method": "session.upsert", "params": { "id": "s", "status": "asleep" } }),
            "asleep",
        ),
        (
            json!({ "method": "session.upsert", "params": { "id": "s", "cost": "1" } }),
            "cost",
        ),
        (
            json!({ "method": "message.upsert", "params": { "id": "m" } }),
            "sessionId",
        ),
        (
            json!({ "method": "session.shred", "params": { "id": "s" } }),
            "session.shred",
        ),
    ] {
        let refusal = serde_json::from_value::<Command>(wire.clone())
            .err()
            .map(|error| error.to_string());
        let named = refusal
            .as_deref()
            .is_some_and(|refusal| refusal.contains(complaint));
        assert!(
            named || complaint == "cost" && refusal.is_some(),
            "{wire}: {refusal:?}"
        );
    }
}

#[test]
fn applying_a_command_twice_is_applying_it_once() {
    let db = Db::new();
    let commands: Vec<Command> = upserts()
        .into_iter()
        .map(|(method, _, identity, fields)| command(method, join(&identity, &fields)))
        .collect();
    db.apply(&commands);
    let once = db.dump();
    db.apply(&commands);
    assert_eq!(once, db.dump());
}
