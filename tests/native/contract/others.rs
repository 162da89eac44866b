//! A deletion leaves alone what it is not about.

use clankers::model::row::OnDelete;
use serde_json::{Value, json};

use super::deleting::{history, options};
use crate::events::{answer, event, message_removed, part_removed, session_deleted, text, tool};
use crate::support::{Db, TABLES, assert_same, tell};

/// The history, told of a session of another id.
fn of_another() -> Vec<Value> {
    let renamed = |event: Value| {
        let ids = ["ses_", "msg_", "prt_", "per_"];
        let text = ids.iter().fold(event.to_string(), |text, id| {
            text.replace(id, &format!("{id}other_"))
        });
        serde_json::from_str(&text).unwrap_or_default()
    };
    history().into_iter().map(renamed).collect()
}

/// Both sessions, and in the first a second message that has all of it, too.
fn both() -> Vec<Value> {
    let both = history().into_iter().zip(of_another());
    let mut both: Vec<Value> = both.flat_map(|(one, other)| [one, other]).collect();
    let error = json!({ "name": "APIError", "data": { "message": "kept" } });
    let asked = json!({
        "id": "per_20", "sessionID": "ses_1", "permission": "bash", "patterns": ["kept"],
        "tool": { "messageID": "msg_2", "callID": "call_20" },
    });
    both.extend([
        answer("ses_1", "msg_2", json!({ "cost": 0.25, "error": error })),
        event("permission.asked", asked),
        text(("ses_1", "msg_2", "prt_20"), "kept"),
        tool(("ses_1", "msg_2", "prt_21"), "call_20", json!({})),
    ]);
    both
}

/// Every row of every table, all columns, that names one of these.
fn rows_of(db: &Db, names: &[&str]) -> String {
    let table = |table: &&str| {
        let rows = db.rows(&format!("SELECT * FROM {table} ORDER BY 1, 2, 3"));
        let is_of = |row: &String| names.iter().any(|name| row.contains(name));
        let rows: Vec<String> = rows.into_iter().filter(is_of).collect();
        assert!(
            *table == "rejections" || names.len() > 1 || !rows.is_empty(),
            "{table}"
        );
        format!("## {table}\n{}\n", rows.join("\n"))
    };
    TABLES.iter().map(table).collect()
}

fn assert_left_alone(deletion: &Value, names: &[&str]) {
    for on_delete in OnDelete::ALL {
        let db = Db::new();
        tell(&db, options(*on_delete), both());
        let before = rows_of(&db, names);
        tell(&db, options(*on_delete), [deletion.clone()]);
        let what = format!("{on_delete:?} {}", deletion["type"]);
        assert_same(&what, &before, &rows_of(&db, names));
    }
}

#[test]
fn deleting_one_session_leaves_the_others_alone() {
    assert_left_alone(&session_deleted("ses_1"), &["other_"]);
}

#[test]
fn removing_a_message_leaves_other_sessions_and_messages_alone() {
    let removed = message_removed("ses_1", "msg_1");
    assert_left_alone(&removed, &["other_"]);
    assert_left_alone(&removed, &["other_", r#""msg_2""#]);
}

#[test]
fn removing_a_part_leaves_other_sessions_messages_and_parts_alone() {
    let parts = ["prt_1", "prt_2", "prt_3", "prt_4", "prt_5", "prt_6"];
    for removed in parts {
        let quoted = parts.map(|part| format!("{part:?}"));
        let mut left: Vec<&str> = quoted.iter().map(String::as_str).collect();
        left.retain(|part| part.trim_matches('"') != removed);
        left.extend(["other_", r#""msg_2""#, r#""per_1""#]);
        let deletion = part_removed(("ses_1", "msg_1", removed));
        assert_left_alone(&deletion, &["other_"]);
        assert_left_alone(&deletion, &left);
    }
}

#[test]
fn a_sub_agents_session_is_not_deleted_with_the_one_that_started_it() {
    let child = |mut event: Value| {
        if event["type"] == "session.updated" {
            event["properties"]["info"]["parentID"] = json!("ses_1");
        }
        event
    };
    for on_delete in OnDelete::ALL {
        let db = Db::new();
        let events = history()
            .into_iter()
            .chain(of_another().into_iter().map(child));
        tell(&db, options(*on_delete), events);
        let before = rows_of(&db, &["other_"]);
        assert!(before.contains("ses_1"), "its parent");
        tell(&db, options(*on_delete), [session_deleted("ses_1")]);
        assert_same("the child", &before, &rows_of(&db, &["other_"]));
    }
}
