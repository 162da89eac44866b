//! The wire: every command, called by hand.

use std::collections::BTreeSet;

use clankers::model::command::Command;
use rusqlite::types::Value as Sql;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::home::Home;
use crate::support::recording;

/// A call of each command, and a query that tells that it was done.
#[expect(clippy::too_many_lines, reason = "a table, a row a command")]
fn calls() -> [(&'static str, Value, &'static str); 18] {
    let place = json!({ "messageId": "msg_1", "sessionId": "ses_1" });
    let with = |mut more: Value| {
        let fields = place.as_object().unwrap().clone();
        more.as_object_mut().unwrap().extend(fields);
        more
    };
    [
        (
            "session.upsert",
            json!({ "sessionId": "ses_1", "title": "A session" }),
            "SELECT title = 'A session' FROM sessions",
        ),
        (
            "message.upsert",
            json!({ "id": "msg_1", "sessionId": "ses_1", "role": "assistant" }),
            "SELECT role = 'assistant' FROM messages",
        ),
        (
            "part.upsert",
            with(json!({ "id": "prt_1", "type": "text", "text": "hello" })),
            "SELECT text = 'hello' FROM parts",
        ),
        (
            "part.append",
            with(json!({ "id": "prt_1", "offset": 5, "text": " there" })),
            "SELECT text = 'hello there' FROM parts",
        ),
        (
            "tool_call.upsert",
            with(json!({ "id": "prt_2", "tool": "bash", "status": "completed" })),
            "SELECT tool = 'bash' FROM tool_calls",
        ),
        (
            "usage.upsert",
            with(json!({ "id": "prt_3", "promptTokens": 7, "cost": 0.5 })),
            "SELECT cost = 0.5 FROM usage",
        ),
        (
            "usage.balance",
            json!({ "sessionId": "ses_1" }),
            "SELECT count(*) = 1 FROM usage WHERE cost = 0.5",
        ),
        (
            "session.revert",
            json!({ "sessionId": "ses_1", "to": "msg_9", "deletedAt": 6 }),
            "SELECT count(deleted_at) = 0 FROM messages",
        ),
        (
            "session_error.upsert",
            json!({ "id": "err_1", "sessionId": "ses_1", "name": "APIError" }),
            "SELECT name = 'APIError' FROM session_errors",
        ),
        (
            "permission.upsert",
            json!({ "id": "per_1", "sessionId": "ses_1", "permission": "bash", "reply": "once" }),
            "SELECT reply = 'once' FROM permissions",
        ),
        (
            "todo.replace",
            json!({ "sessionId": "ses_1", "todos": [{ "content": "one" }, { "content": "two" }] }),
            "SELECT count(*) = 2 FROM todos",
        ),
        (
            "rejection.record",
            json!({
                "eventType": "x", "code": "wrong_type", "path": "a", "expected": "a", "found": "b",
                "sample": "{}", "sourceVersion": null, "count": 1, "firstSeen": 1, "lastSeen": 1,
            }),
            "SELECT count = 1 FROM rejections",
        ),
        (
            "part.missing",
            with(json!({ "id": "prt_2", "storeId": "store", "since": 7 })),
            "SELECT missing_since = 7 FROM tool_calls",
        ),
        (
            "message.missing",
            json!({ "id": "msg_1", "sessionId": "ses_1", "storeId": "store", "since": 8 }),
            "SELECT missing_since = 8 FROM messages",
        ),
        (
            "session.missing",
            json!({ "id": "ses_1", "storeId": "store", "since": 9 }),
            "SELECT missing_since = 9 FROM sessions",
        ),
        (
            "part.delete",
            with(json!({ "id": "prt_1", "deletedAt": 9 })),
            "SELECT count(*) = 0 FROM parts",
        ),
        (
            "message.delete",
            json!({ "id": "msg_1", "sessionId": "ses_1", "deletedAt": 9 }),
            "SELECT deleted_at = 9 FROM messages",
        ),
        (
            "session.delete",
            json!({ "id": "ses_1", "deletedAt": 9 }),
            "SELECT deleted_at = 9 FROM sessions",
        ),
    ]
}

#[test]
fn every_command_is_a_method_that_can_be_called_by_hand() {
    let home = Home::new();
    let _daemon = home.daemon();
    let mut client = Client::connect(&home.socket());
    let db = home.open();
    for (method, params, done) in calls() {
        assert_eq!(
            client.call(method, &params),
            Ok(json!({ "applied": 1 })),
            "{method}"
        );
        let done: bool = db.query_row(done, [], |row| row.get(0)).unwrap();
        assert!(done, "{method}");
    }
    let called: BTreeSet<&str> = calls().iter().map(|(method, ..)| *method).collect();
    assert_eq!(called, Command::METHODS.iter().copied().collect());
}

#[test]
fn a_batch_of_every_command_does_what_they_do_one_by_one() {
    let (one_by_one, together) = (Home::new(), Home::new());
    let _daemons = [one_by_one.daemon(), together.daemon()];
    let mut client = Client::connect(&one_by_one.socket());
    let mut commands = Vec::new();
    for (method, params, _) in calls() {
        client.call(method, &params).unwrap();
        commands.push(json!({ "method": method, "params": params }));
    }
    assert_eq!(
        Client::connect(&together.socket()).call("batch", &json!({ "commands": commands })),
        Ok(json!({ "applied": Command::METHODS.len() }))
    );
    assert_eq!(
        recording::dump(&one_by_one.open()),
        recording::dump(&together.open())
    );
}

#[test]
fn the_protocol_names_every_command_and_no_other() {
    let protocol = include_str!("../../../docs/protocol.md");
    let (_, commands) = protocol.split_once("### Commands").unwrap();
    let (table, _) = commands.split_once("Their parameters").unwrap();
    let named: BTreeSet<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .flat_map(|line| line.split(" | ").next().unwrap_or_default().split(", "))
        .map(|method| method.trim_matches('`'))
        .collect();
    assert_eq!(named, Command::METHODS.iter().copied().collect());
}

#[test]
fn a_field_left_out_keeps_what_is_stored_and_null_empties_it() {
    let home = Home::new();
    let _daemon = home.daemon();
    let mut client = Client::connect(&home.socket());
    let db = home.open();
    let mut after = |method: &str, params: Value, sql: &str| -> (Sql, Sql) {
        client.call(method, &params).unwrap();
        db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
    };
    let text = |text: &str| Sql::Text(text.to_owned());

    let session = "SELECT title, archived_at FROM sessions";
    let told = json!({ "id": "ses_1", "title": "t", "archivedAt": 5 });
    assert_eq!(
        after("session.upsert", told, session),
        (text("t"), Sql::Integer(5))
    );
    let unknown = json!({ "id": "ses_1", "title": "u" });
    assert_eq!(
        after("session.upsert", unknown, session),
        (text("u"), Sql::Integer(5))
    );
    let empty = json!({ "id": "ses_1", "archivedAt": null });
    assert_eq!(
        after("session.upsert", empty, session),
        (text("u"), Sql::Null)
    );

    let place = || json!({ "id": "prt_1", "messageId": "msg_1", "sessionId": "ses_1" });
    let with = |field: &str, value: Value| {
        let mut params = place();
        params[field] = value;
        params
    };
    let call = "SELECT output, exit_code FROM tool_calls";
    after("tool_call.upsert", with("output", json!("o")), call);
    assert_eq!(
        after("tool_call.upsert", with("exitCode", json!(1)), call),
        (text("o"), Sql::Integer(1))
    );
    assert_eq!(
        after("tool_call.upsert", with("output", Value::Null), call),
        (Sql::Null, Sql::Integer(1))
    );
    assert_eq!(
        after("tool_call.upsert", place(), call),
        (Sql::Null, Sql::Integer(1))
    );
}
