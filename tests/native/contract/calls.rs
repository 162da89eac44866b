//! `tool_calls`: what a call worked on and how it ended, where its tool says so.

use serde_json::{Value, json};

use crate::events::{tool, without};
use crate::support::{Db, told};

const PLACE: (&str, &str, &str) = ("ses_1", "msg_1", "prt_1");

/// A completed call of a tool with these arguments, and what it says of itself.
fn call(name: &str, input: Value, metadata: Value) -> Value {
    let state = json!({ "input": input, "metadata": metadata });
    let mut event = tool(PLACE, "c", state);
    event["properties"]["part"]["tool"] = json!(name);
    event
}

fn only(db: &Db, column: &str) -> String {
    db.value(&format!("SELECT {column} FROM tool_calls"))
}

#[test]
fn the_file_of_a_call_is_the_one_in_its_arguments() {
    for (name, more) in [
        ("read", json!({ "offset": 5 })),
        ("write", json!({ "content": "c" })),
        ("edit", json!({ "oldString": "a", "newString": "b" })),
    ] {
        let input = crate::events::with(json!({ "filePath": "/home/user/a" }), more);
        let db = told([call(name, input, json!({ "filepath": "/elsewhere" }))]);
        assert_eq!(only(&db, "file_path"), r#""/home/user/a""#, "{name}");
    }
}

#[test]
fn the_file_of_a_call_is_what_the_tool_says_where_the_arguments_do_not() {
    let db = told([call(
        "write",
        json!({ "content": "c" }),
        json!({ "filepath": "/home/user/a" }),
    )]);
    assert_eq!(only(&db, "file_path"), r#""/home/user/a""#);
}

#[test]
fn a_call_of_a_tool_without_a_file_has_none() {
    for (name, input) in [
        ("bash", json!({ "command": "cat /home/user/a" })),
        ("grep", json!({ "pattern": "a", "path": "/home/user" })),
        ("task", json!({ "prompt": "p" })),
        ("todowrite", json!({ "todos": [] })),
    ] {
        let db = told([call(name, input, json!({}))]);
        assert_eq!(only(&db, "file_path"), "NULL", "{name}");
    }
}

#[test]
fn the_exit_code_of_a_command_is_kept_whatever_it_is() {
    for code in [0, 1, 127, -1] {
        let db = told([call(
            "bash",
            json!({ "command": "c" }),
            json!({ "exit": code }),
        )]);
        assert_eq!(only(&db, "exit_code"), code.to_string());
    }
}

#[test]
fn a_call_that_has_no_exit_code_has_none_here() {
    for (name, metadata) in [
        // Cut off by a signal or a timeout.
        ("bash", json!({ "exit": null })),
        ("bash", json!({ "output": "" })),
        ("read", json!({ "preview": "" })),
    ] {
        let db = told([call(name, json!({}), metadata)]);
        assert_eq!(only(&db, "exit_code"), "NULL", "{name}");
    }
}

#[test]
fn the_duration_of_a_call_is_from_its_start_to_its_end() {
    for status in ["completed", "error"] {
        let time = json!({ "start": 1_795_405_040_778_u64, "end": 1_795_405_041_000_u64 });
        let state = json!({ "status": status, "error": "no", "time": time });
        let db = told([tool(PLACE, "c", state)]);
        assert_eq!(
            db.rows("SELECT started_at, ended_at, duration_ms FROM tool_calls"),
            ["1795405040778 | 1795405041000 | 222"],
            "{status}"
        );
    }
}

#[test]
fn a_call_that_started_anew_took_from_then_to_its_end() {
    let running = tool(
        PLACE,
        "c",
        json!({ "status": "running", "time": { "start": 5000 } }),
    );
    let ended = tool(
        PLACE,
        "c",
        json!({ "time": { "start": 6000, "end": 9000 } }),
    );
    let db = told([running]);
    crate::support::tell(&db, clankers::Options::default(), [ended]);
    assert_eq!(
        db.rows("SELECT started_at, ended_at, duration_ms FROM tool_calls"),
        ["6000 | 9000 | 3000"]
    );
}

#[test]
fn a_call_that_has_not_ended_has_no_end_and_no_duration() {
    for state in [
        json!({ "status": "running", "time": { "start": 5000 } }),
        json!({ "status": "pending", "time": null }),
    ] {
        let event = without(
            tool(PLACE, "c", state),
            "/properties/part/state",
            "metadata",
        );
        let db = told([event]);
        assert_eq!(
            db.rows("SELECT ended_at, duration_ms, exit_code FROM tool_calls"),
            ["NULL | NULL | NULL"]
        );
    }
}

#[test]
fn the_child_of_a_call_is_the_session_that_it_started() {
    let child = json!({ "sessionId": "ses_child", "model": {} });
    let db = told([call("task", json!({ "prompt": "p" }), child)]);
    assert_eq!(only(&db, "child_session_id"), r#""ses_child""#);
    let db = told([call("bash", json!({}), json!({ "exit": 0 }))]);
    assert_eq!(only(&db, "child_session_id"), "NULL");
}

#[test]
fn the_arguments_of_a_call_are_json() {
    let input = json!({ "filePath": "/a", "deep": { "er": [1, 2.5, null, "\n"] } });
    let db = told([call("read", input.clone(), json!({}))]);
    let stored: Option<String> = serde_json::from_str(&only(&db, "input")).ok();
    let stored: Option<Value> = stored.and_then(|stored| serde_json::from_str(&stored).ok());
    assert_eq!(stored, Some(input));
}
