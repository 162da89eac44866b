//! `permissions`: what was asked, and what the person said.

use serde_json::{Value, json};

use crate::events::event;
use crate::support::told;

fn asked(patterns: Value) -> Value {
    event(
        "permission.asked",
        json!({
            "id": "per_1", "sessionID": "ses_1", "permission": "bash", "patterns": patterns, "metadata": {},
            "always": [], "tool": { "messageID": "msg_1", "callID": "c" },
        }),
    )
}

fn asked_in_old_words(pattern: Option<Value>) -> Value {
    let mut asked = json!({
        "id": "per_1", "type": "bash", "sessionID": "ses_1", "messageID": "msg_1", "callID": "c",
        "title": "t", "metadata": {}, "time": { "created": 1 },
    });
    if let Some(pattern) = pattern {
        asked["pattern"] = pattern;
    }
    event("permission.updated", asked)
}

#[test]
fn a_permission_that_is_not_answered_has_no_reply_and_no_time_of_one() {
    let db = told([asked(json!([]))]);
    assert_eq!(
        db.rows("SELECT permission, reply, replied_at FROM permissions"),
        [r#""bash" | NULL | NULL"#]
    );
}

#[test]
fn a_reply_is_once_always_or_reject_in_both_spellings() {
    for word in ["once", "always", "reject"] {
        let new = json!({ "sessionID": "ses_1", "requestID": "per_1", "reply": word });
        let old = json!({ "sessionID": "ses_1", "permissionID": "per_1", "response": word });
        for reply in [new, old] {
            let db = told([asked(json!([])), event("permission.replied", reply)]);
            assert_eq!(
                db.rows("SELECT id, reply FROM permissions"),
                [format!(r#""per_1" | {word:?}"#)]
            );
        }
    }
}

#[test]
fn a_reply_of_another_word_is_refused_and_not_stored() {
    let reply = json!({ "sessionID": "ses_1", "requestID": "per_1", "reply": "perhaps" });
    let db = told([asked(json!([])), event("permission.replied", reply)]);
    assert_eq!(db.value("SELECT reply FROM permissions"), "NULL");
    assert_eq!(
        db.rows("SELECT path FROM rejections"),
        [r#""properties.reply""#]
    );
}

#[test]
fn patterns_are_a_json_list_however_they_are_told() {
    for (event, list) in [
        (
            asked(json!(["ls *", "cat \"a\""])),
            r#"["ls *","cat \"a\""]"#,
        ),
        (asked(json!([])), "[]"),
        (asked_in_old_words(Some(json!("ls *"))), r#"["ls *"]"#),
        (asked_in_old_words(Some(json!(["a", "b"]))), r#"["a","b"]"#),
    ] {
        let db = told([event]);
        assert_eq!(
            db.rows("SELECT patterns FROM permissions WHERE json_type(patterns) = 'array'"),
            [format!("{list:?}")]
        );
    }
    let db = told([asked_in_old_words(None)]);
    assert_eq!(db.value("SELECT patterns FROM permissions"), "NULL");
}
