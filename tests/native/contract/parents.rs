//! Placeholders, and foreign keys that never fail.

use clankers::model::command::Command;
use clankers::{Core, Options};
use proptest::prelude::*;
use serde_json::json;

use crate::events::{answer, session, text, tool};
use crate::support::{Db, Recording, recordings, replay_into, tell, told};

#[test]
fn what_has_no_session_or_message_yet_lands_under_placeholders() {
    let place = |id| ("ses_1", "msg_1", id);
    let db = told([
        text(place("prt_1"), "hello"),
        tool(place("prt_2"), "c", json!({})),
    ]);
    assert_eq!(
        db.rows("SELECT id, title, created_at FROM sessions"),
        [r#""ses_1" | NULL | NULL"#]
    );
    assert_eq!(
        db.rows("SELECT id, role, text_content FROM messages"),
        [r#""msg_1" | NULL | "hello""#]
    );
    assert_eq!(db.rows("SELECT id FROM tool_calls"), [r#""prt_2""#]);
}

#[test]
fn a_placeholder_is_completed_by_what_comes_later() {
    let events = [
        session("ses_1", json!({})),
        answer("ses_1", "msg_1", json!({})),
        text(("ses_1", "msg_1", "prt_1"), "hello"),
    ];
    let in_order = told(events.clone());
    let db = Db::new();
    for late in events.into_iter().rev() {
        tell(&db, Options::default(), [late]);
    }
    assert_eq!(in_order.dump(), db.dump());
}

#[test]
fn parents_go_before_children_in_every_batch() {
    let place = ("ses_1", "msg_1", "prt_1");
    let mut core = Core::new(Options::default());
    core.observe(&&text(place, "hello"), 1.0);
    let methods: Vec<&str> = core.drain().iter().map(Command::method).collect();
    assert_eq!(methods, ["session.upsert", "message.upsert", "part.upsert"]);
}

#[test]
fn a_batch_holds_a_row_once() {
    for recording in recordings() {
        let Recording { name, events, .. } = &recording;
        replay_into(&mut recording.core(), events, |commands| {
            let mut rows: Vec<String> = commands
                .iter()
                .map(|command| {
                    let wire = serde_json::to_value(command).unwrap_or_default();
                    let params = &wire["params"];
                    let key =
                        ["id", "eventType", "code", "path"].map(|key| params[key].to_string());
                    format!(
                        "{} {key:?} {}",
                        wire["method"],
                        if params["id"].is_null() {
                            &params["sessionId"]
                        } else {
                            &params["id"]
                        }
                    )
                })
                .collect();
            let all = rows.len();
            rows.sort();
            rows.dedup();
            assert_eq!(rows.len(), all, "{name}");
        });
    }
}

/// The commands of a long recording, each alone.
fn commands() -> Vec<Command> {
    let mut all = Vec::new();
    let served = |recording: &Recording| recording.name.ends_with("/served");
    if let Some(recording) = recordings().filter(served).last() {
        replay_into(&mut recording.core(), &recording.events, |commands| {
            all.extend_from_slice(commands);
        });
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_foreign_key_fails_in_any_order_of_commands(order in Just(commands()).prop_shuffle()) {
        let db = Db::new();
        // Fails at the first command that cannot be applied.
        db.apply(&order);
        prop_assert_eq!(db.rows("PRAGMA foreign_key_check"), [""; 0]);
    }
}

#[test]
fn every_row_of_a_recording_has_the_parent_it_names() {
    for recording in recordings() {
        let name = &recording.name;
        let db = recording.replayed();
        assert_eq!(
            db.rows("SELECT id FROM messages WHERE role IS NULL"),
            [""; 0],
            "{name}: placeholders"
        );
        assert_eq!(
            db.rows("SELECT id FROM sessions WHERE created_at IS NULL"),
            [""; 0],
            "{name}: placeholders"
        );
    }
}

#[test]
fn a_sub_agents_session_goes_after_the_one_that_started_it() {
    let mut core = Core::new(Options::default());
    for (id, parent) in [
        ("ses_a", Some("ses_b")),
        ("ses_b", Some("ses_c")),
        ("ses_c", None),
    ] {
        let mut info = json!({
            "id": id, "title": id, "version": "1.18.34", "projectID": "global",
            "directory": "/home/user/project", "time": { "created": 1, "updated": 1 },
        });
        if let Some(parent) = parent {
            info["parentID"] = json!(parent);
        }
        core.observe(
            &&json!({ "type": "session.created", "properties": { "info": info } }),
            1.0,
        );
    }
    let ids: Vec<String> = core
        .drain()
        .iter()
        .map(|command| serde_json::to_value(command).unwrap()["params"]["id"].to_string())
        .collect();
    assert_eq!(ids, ["\"ses_c\"", "\"ses_b\"", "\"ses_a\""]);
}
