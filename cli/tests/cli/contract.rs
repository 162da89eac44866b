//! The storage contract, as the daemon keeps it: batches, parents, pragmas.

use serde_json::{Value, json};

use crate::daemon::{count, session};
use crate::support::client::Client;
use crate::support::home::Home;
use crate::support::until;

/// Stands for whatever SQLite refuses of a command.
const REFUSES_ONE: &str = "CREATE TRIGGER refuses_one BEFORE INSERT ON sessions \
    WHEN new.id = 'ses_refused' BEGIN SELECT RAISE(ABORT, 'not this one'); END";

fn batch(ids: &[&str]) -> Value {
    let command = |id: &&str| json!({ "method": "session.upsert", "params": session(id) });
    json!({ "commands": ids.iter().map(command).collect::<Vec<_>>() })
}

fn ids(home: &Home) -> Vec<String> {
    let db = home.open();
    let mut statement = db.prepare("SELECT id FROM sessions ORDER BY id").unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn a_reader_sees_all_of_a_batch_or_nothing_of_it() {
    const SIZE: u32 = 2000;
    const BATCHES: u32 = 3;
    let home = Home::new();
    let _daemon = home.daemon();
    let mut client = Client::connect(&home.socket());
    let reader = home.open();
    for at in 0..BATCHES {
        let all: Vec<String> = (0..SIZE).map(|of| format!("ses_{at}_{of}")).collect();
        client.send(
            "batch",
            &batch(&all.iter().map(String::as_str).collect::<Vec<_>>()),
        );
    }
    until("all is stored", || {
        let stored: u32 = reader
            .query_row("SELECT count(*) FROM sessions", [], |row| row.get(0))
            .unwrap();
        assert_eq!(stored % SIZE, 0, "a part of a batch was seen");
        (stored == BATCHES * SIZE).then_some(())
    });
}

#[test]
fn of_a_batch_with_a_command_that_sqlite_refuses_nothing_is_stored() {
    let home = Home::new();
    let _daemon = home.daemon();
    home.open().execute_batch(REFUSES_ONE).unwrap();
    let mut client = Client::connect(&home.socket());
    let error = client
        .call("batch", &batch(&["ses_1", "ses_refused", "ses_2"]))
        .unwrap_err();
    assert_eq!(error["code"], -32003);
    assert_eq!(error["data"], json!({ "retry": false }));
    assert!(
        error["message"].as_str().unwrap().contains("not this one"),
        "{error}"
    );
    assert_eq!(ids(&home), [""; 0]);
    let rest = batch(&["ses_1", "ses_2"]);
    assert_eq!(client.call("batch", &rest), Ok(json!({ "applied": 2 })));
}

#[test]
fn a_batch_that_is_refused_takes_none_of_those_with_it_that_are_stored_together() {
    let home = Home::new();
    let _daemon = home.daemon();
    let db = home.open();
    db.execute_batch(REFUSES_ONE).unwrap();
    let mut client = Client::connect(&home.socket());
    // While the first waits for the lock, the others gather behind it.
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    let batches: [&[&str]; 4] = [
        &["ses_0"],
        &["ses_1"],
        &["ses_lost", "ses_refused"],
        &["ses_2", "ses_3"],
    ];
    for ids in batches {
        client.send("batch", &batch(ids));
    }
    db.execute_batch("COMMIT").unwrap();
    let answers = batches.map(|_| client.receive().unwrap());
    let outcomes = answers.map(|answer| match &answer["error"] {
        Value::Null => answer["result"]["applied"].clone(),
        error => error["code"].clone(),
    });
    assert_eq!(outcomes, [json!(1), json!(1), json!(-32003), json!(2)]);
    assert_eq!(ids(&home), ["ses_0", "ses_1", "ses_2", "ses_3"]);
}

#[test]
fn what_the_commands_are_not_at_fault_for_is_to_be_sent_again() {
    let home = Home::new();
    let _daemon = home.daemon();
    let db = home.open();
    let mut client = Client::connect(&home.socket());
    db.execute_batch("ALTER TABLE sessions RENAME TO hidden")
        .unwrap();
    let error = client.call("batch", &batch(&["ses_1"])).unwrap_err();
    assert_eq!(error["code"], -32003);
    assert_eq!(error["data"], json!({ "retry": true }));
    db.execute_batch("ALTER TABLE hidden RENAME TO sessions")
        .unwrap();
    client.call("batch", &batch(&["ses_1"])).unwrap();
}

#[test]
fn commands_of_a_batch_are_done_in_their_order() {
    let home = Home::new();
    let _daemon = home.daemon();
    let titled = |title: &str| json!({ "method": "session.upsert", "params": { "id": "ses_1", "title": title } });
    let commands = json!({ "commands": [titled("first"), titled("second"), titled("last")] });
    Client::connect(&home.socket())
        .call("batch", &commands)
        .unwrap();
    let title: String = home
        .open()
        .query_row("SELECT title FROM sessions", [], |row| row.get(0))
        .unwrap();
    assert_eq!(title, "last");
}

#[test]
fn the_daemon_puts_the_database_in_wal_mode_whatever_it_was_in() {
    for before in ["DELETE", "WAL"] {
        let home = Home::new();
        std::fs::create_dir_all(home.data()).unwrap();
        home.open()
            .pragma_update(None, "journal_mode", before)
            .unwrap();
        let _daemon = home.daemon();
        let mode: String = home
            .open()
            .query_row("PRAGMA journal_mode", [], |row| row.get(0))
            .unwrap();
        assert_eq!(mode, "wal", "{before}");
    }
}

#[test]
fn the_daemon_holds_rows_to_the_foreign_keys() {
    let home = Home::new();
    let _daemon = home.daemon();
    home.open()
        .execute_batch(
            "CREATE TRIGGER orphan AFTER INSERT ON todos \
             BEGIN INSERT INTO messages (id, session_id) VALUES ('msg_1', 'nobody'); END",
        )
        .unwrap();
    let todos = json!({ "sessionId": "ses_1", "todos": [{ "content": "a" }] });
    let error = Client::connect(&home.socket())
        .call("todo.replace", &todos)
        .unwrap_err();
    assert!(
        error["message"].as_str().unwrap().contains("FOREIGN KEY"),
        "{error}"
    );
    assert_eq!(count(&home, "todos"), 0);
}

#[test]
fn what_comes_before_its_parents_is_stored_and_no_foreign_key_fails() {
    let home = Home::new();
    let _daemon = home.daemon();
    let mut client = Client::connect(&home.socket());
    let orphans = [
        (
            "message.upsert",
            json!({ "id": "msg_1", "sessionId": "ses_1", "parentId": "msg_0" }),
        ),
        (
            "part.upsert",
            json!({ "id": "prt_2", "messageId": "msg_2", "sessionId": "ses_2", "type": "text" }),
        ),
        (
            "tool_call.upsert",
            json!({ "id": "prt_3", "messageId": "msg_3", "sessionId": "ses_3", "childSessionId": "ses_x" }),
        ),
        (
            "session_error.upsert",
            json!({ "id": "err_4", "sessionId": "ses_4", "messageId": "msg_4" }),
        ),
        (
            "permission.upsert",
            json!({ "id": "per_5", "sessionId": "ses_5", "messageId": "msg_5", "callId": "c" }),
        ),
        (
            "todo.replace",
            json!({ "sessionId": "ses_6", "todos": [{ "content": "a" }] }),
        ),
        (
            "session.upsert",
            json!({ "id": "ses_7", "parentId": "ses_y" }),
        ),
        ("session.delete", json!({ "id": "ses_8", "deletedAt": 1 })),
        (
            "message.delete",
            json!({ "id": "msg_9", "sessionId": "ses_9", "deletedAt": 1 }),
        ),
        (
            "part.delete",
            json!({ "id": "prt_a", "messageId": "msg_a", "sessionId": "ses_a", "deletedAt": 1 }),
        ),
    ];
    for (method, params) in &orphans {
        assert_eq!(
            client.call(method, params),
            Ok(json!({ "applied": 1 })),
            "{method}"
        );
    }
    let db = home.open();
    let violations: i64 = db
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(violations, 0);
    let placed: i64 = db
        .query_row(
            "SELECT (SELECT count(*) FROM messages WHERE (id, session_id) IN (VALUES ('msg_1', 'ses_1'), ('msg_2', 'ses_2'), ('msg_3', 'ses_3'))) \
             + (SELECT count(*) FROM parts WHERE id = 'prt_2') + (SELECT count(*) FROM tool_calls WHERE id = 'prt_3') \
             + (SELECT count(*) FROM sessions WHERE id IN ('ses_1', 'ses_2', 'ses_3'))",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(placed, 8);
}
