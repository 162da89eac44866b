//! What the plugin before this one died of: it expected the session's id in a
//! field that OpenCode spells otherwise, and refused whole events because one
//! field that it did not need had changed its type.

use serde_json::{Value, json};

use crate::events::{answer, session_info, with};
use crate::support::{assert_same, told};

const ROW: &str = "SELECT id, title, project_path, project_name, model, provider, prompt_tokens, \
    completion_tokens, cost FROM sessions";
const EXPECTED: &str =
    r#""ses_1" | "A title" | "/home/user/project" | "project" | "m" | "p" | 100 | 50 | 0.001"#;

/// A session's info with its id only under `key`.
fn info(key: Option<&str>) -> Value {
    let tokens =
        json!({ "input": 100, "output": 50, "reasoning": 0, "cache": { "read": 0, "write": 0 } });
    let more =
        json!({ "cost": 0.001, "tokens": tokens, "model": { "id": "m", "providerID": "p" } });
    let mut info = session_info("ses_1", more);
    if let Some(fields) = info.as_object_mut() {
        fields.shift_remove("id");
    }
    key.map_or(info.clone(), |key| with(info, json!({ (key): "ses_1" })))
}

fn created(properties: Value) -> Value {
    json!({ "type": "session.created", "properties": properties })
}

#[test]
fn a_session_is_known_by_its_id_in_info_in_any_spelling() {
    for key in ["id", "sessionID", "sessionId", "session_id"] {
        let db = told([created(json!({ "info": info(Some(key)) }))]);
        assert_eq!(db.rows(ROW), [EXPECTED], "info.{key}");
    }
}

#[test]
fn a_session_is_known_by_its_id_beside_info_in_any_spelling() {
    for key in ["sessionID", "sessionId", "session_id"] {
        let db = told([created(json!({ (key): "ses_1", "info": info(None) }))]);
        assert_eq!(db.rows(ROW), [EXPECTED], "properties.{key}");
    }
}

#[test]
fn a_session_is_known_by_its_id_where_there_is_no_info() {
    for key in ["id", "sessionID", "sessionId", "session_id"] {
        let db = told([created(info(Some(key)))]);
        assert_eq!(db.rows(ROW), [EXPECTED], "{key}");
    }
}

#[test]
fn another_spelling_is_the_same_session_and_is_reported() {
    let spellings = ["id", "sessionID", "sessionId", "session_id"];
    let db = told(spellings.map(|key| created(json!({ "info": info(Some(key)) }))));
    assert_eq!(db.value("SELECT count(*) FROM sessions"), "1");
    let reported = db.rows("SELECT code, path FROM rejections ORDER BY path");
    assert!(
        reported.contains(&r#""missing_field" | "properties.info.id""#.to_owned()),
        "{reported:?}"
    );
}

#[test]
fn a_message_is_known_by_its_id_in_any_spelling() {
    let whole = answer("ses_1", "msg_1", json!({}));
    let spelt = |key: &str| {
        let mut event = whole.clone();
        if let Some(info) = event
            .pointer_mut("/properties/info")
            .and_then(Value::as_object_mut)
        {
            info.shift_remove("id");
            info.insert(key.to_owned(), json!("msg_1"));
        }
        event
    };
    let expected = told([whole.clone()]).dump_of(&["messages", "sessions"]);
    for key in ["messageID", "messageId", "message_id"] {
        assert_same(
            key,
            &expected,
            &told([spelt(key)]).dump_of(&["messages", "sessions"]),
        );
    }
}

#[test]
fn a_messages_session_is_known_in_any_spelling() {
    let whole = answer("ses_1", "msg_1", json!({}));
    let expected = told([whole.clone()]).dump_of(&["messages", "sessions"]);
    for key in ["sessionID", "sessionId", "session_id"] {
        for place in ["/properties/info", "/properties"] {
            let mut event = whole.clone();
            for inside in ["/properties/info", "/properties"] {
                event = crate::events::without(event, inside, "sessionID");
            }
            if let Some(fields) = event.pointer_mut(place).and_then(Value::as_object_mut) {
                fields.insert(key.to_owned(), json!("ses_1"));
            }
            assert_same(
                key,
                &expected,
                &told([event]).dump_of(&["messages", "sessions"]),
            );
        }
    }
}

#[test]
fn a_path_of_another_type_costs_no_session() {
    for path in [
        json!("packages/core"),
        json!(""),
        json!({ "cwd": "/", "root": "/" }),
        json!(7),
        json!([]),
        json!(true),
    ] {
        let mut info = info(Some("id"));
        info["path"] = path.clone();
        let db = told([created(json!({ "info": info }))]);
        assert_eq!(db.rows(ROW), [EXPECTED], "info.path = {path}");
        let reported = db.rows("SELECT path, expected, found FROM rejections");
        assert_eq!(
            reported.is_empty(),
            path.is_string(),
            "info.path = {path}: {reported:?}"
        );
    }
}

#[test]
fn a_field_of_the_wrong_type_costs_that_field() {
    let mut info = info(Some("id"));
    info["title"] = json!({ "text": "A title" });
    info["tokens"]["input"] = json!("100");
    let db = told([created(json!({ "info": info }))]);
    let row = db.rows(ROW);
    assert_eq!(
        row,
        [r#""ses_1" | NULL | "/home/user/project" | "project" | "m" | "p" | 0 | 50 | 0.001"#]
    );
    let reported = db.rows("SELECT path, expected, found FROM rejections ORDER BY path");
    assert_eq!(
        reported,
        [
            r#""properties.info.title" | "string" | "object""#,
            r#""properties.info.tokens.input" | "number" | "string""#,
        ]
    );
}

#[test]
fn a_conversation_is_one_session_and_its_messages_reference_it() {
    let id = json!({ "sessionID": "ses_1" });
    let message = |id: &str| answer("ses_1", id, json!({}));
    let db = told([
        json!({ "type": "session.created", "properties": with(id.clone(), json!({ "info": info(None) })) }),
        message("msg_1"),
        json!({ "type": "session.updated", "properties": with(id.clone(), json!({ "info": info(Some("sessionID")) })) }),
        message("msg_2"),
        json!({ "type": "session.idle", "properties": id }),
    ]);
    assert_eq!(db.rows(ROW), [EXPECTED]);
    assert_eq!(
        db.rows("SELECT messages.id, sessions.title FROM messages JOIN sessions ON sessions.id = session_id"),
        [r#""msg_1" | "A title""#, r#""msg_2" | "A title""#]
    );
}

#[test]
fn an_event_without_any_id_is_refused_and_reported() {
    let db = told([created(json!({ "info": info(None) }))]);
    assert_eq!(db.value("SELECT count(*) FROM sessions"), "0");
    let reported = db.rows("SELECT event_type, code, path, expected, found FROM rejections WHERE code = 'missing_identity'");
    assert_eq!(
        reported,
        [r#""session.created" | "missing_identity" | "properties.info.id" | "string" | "nothing""#]
    );
}
