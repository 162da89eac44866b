//! What OpenCode clears becomes NULL again.

use clankers::Options;
use serde_json::{Value, json};

use super::mirror::at;
use crate::events::{answer, event, part, session, tool, with, without};
use crate::support::{Db, tell, told};

const PLACE: (&str, &str, &str) = ("ses_1", "msg_1", "prt_1");

/// What these columns are after each of two events, told apart.
fn before_and_after(columns: &str, events: [Value; 2]) -> [Vec<String>; 2] {
    let db = Db::new();
    events.map(|event| {
        tell(&db, Options::default(), [event]);
        db.rows(columns)
    })
}

/// The state of a tool call, without these fields.
fn state_without(event: Value, fields: &[&str]) -> Value {
    fields.iter().fold(event, |event, field| {
        without(event, "/properties/part/state", field)
    })
}

#[test]
fn unarchiving_clears_when_it_was_archived_in_every_spelling() {
    let archived = json!({ "time": { "created": 1000, "updated": 2000, "archived": 1500 } });
    for cleared in [
        json!({ "created": 1000, "updated": 3000 }),
        json!({ "created": 1000, "updated": 3000, "archived": null }),
        json!({ "created": 1000, "updated": 3000, "archived": 0 }),
    ] {
        let events = [
            session("ses_1", archived.clone()),
            session("ses_1", json!({ "time": cleared })),
        ];
        let archived_at = before_and_after("SELECT archived_at FROM sessions", events);
        assert_eq!(archived_at, [["1500"], ["NULL"]]);
    }
}

#[test]
fn what_no_release_sends_is_noted_of_an_unarchived_session_too() {
    let times = json!({ "created": 1000, "updated": 3000, "archived": 0, "surprise": 1 });
    let db = told([session("ses_1", json!({ "time": times }))]);
    assert_eq!(
        db.rows("SELECT code, path FROM rejections"),
        [r#""unknown_field" | "properties.info.time.surprise""#]
    );
}

#[test]
fn an_answer_told_again_without_its_error_has_none() {
    let error = json!({ "name": "APIError", "data": { "message": "no" } });
    let failed = answer("ses_1", "msg_1", json!({ "error": error }));
    let well = answer("ses_1", "msg_1", json!({}));
    let errors = "SELECT error_name, error_message FROM messages";
    assert_eq!(
        before_and_after(errors, [failed, well]),
        [[r#""APIError" | "no""#], ["NULL | NULL"]]
    );
}

#[test]
fn an_answer_told_again_without_why_it_stopped_has_no_reason() {
    let stopped = answer("ses_1", "msg_1", json!({}));
    let cleared = without(stopped.clone(), "/properties/info", "finish");
    assert_eq!(
        before_and_after("SELECT finish_reason FROM messages", [stopped, cleared]),
        [[r#""stop""#], ["NULL"]]
    );
}

#[test]
fn a_call_that_ends_in_an_error_has_no_title_and_no_output() {
    let events = [
        tool(PLACE, "c", json!({ "status": "running" })),
        state_without(
            tool(PLACE, "c", json!({ "status": "error", "error": "no" })),
            &["title", "output"],
        ),
    ];
    assert_eq!(
        before_and_after("SELECT title, output, error FROM tool_calls", events),
        [
            [r#""ls" | "README.md\n" | NULL"#],
            [r#"NULL | NULL | "no""#]
        ]
    );
}

#[test]
fn a_part_told_again_with_less_holds_less() {
    let ignored = json!({ "text": "t", "ignored": true });
    let events = [
        part(PLACE, "text", ignored),
        part(PLACE, "text", json!({ "text": "t" })),
    ];
    assert_eq!(
        before_and_after("SELECT ignored FROM parts", events),
        [["1"], ["NULL"]]
    );
}

#[test]
fn what_an_event_does_not_tell_clears_nothing() {
    let archived = json!({ "time": { "created": 1000, "updated": 2000, "archived": 1500 } });
    let db = told([session("ses_1", with(archived, json!({ "agent": "own" })))]);
    tell(
        &db,
        Options::default(),
        [
            crate::events::idle("ses_1"),
            answer("ses_1", "msg_1", json!({})),
        ],
    );
    assert_eq!(
        db.rows("SELECT title, agent, archived_at FROM sessions"),
        [r#""A title" | "own" | 1500"#]
    );
}

/// What a session may have or not.
const OPTIONAL: &str = "SELECT parent_id, agent, model, provider, additions, deletions, \
    files_changed, archived_at FROM sessions";

fn with_optional(more: Value) -> Value {
    let all = json!({
        "parentID": "ses_0", "agent": "build", "model": { "id": "m", "providerID": "p" },
        "summary": { "additions": 1, "deletions": 2, "files": 3 },
        "time": { "created": 1000, "updated": 2000, "archived": 7 },
    });
    session("ses_1", with(all, more))
}

#[test]
fn what_opencode_clears_of_a_session_is_empty_again() {
    let db = told([with_optional(json!({})), session("ses_1", at(3000))]);
    assert_eq!(
        db.rows(OPTIONAL),
        ["NULL | NULL | NULL | NULL | NULL | NULL | NULL | NULL"]
    );
}

#[test]
fn what_a_session_lacks_is_not_cleared_where_it_may_be_called_otherwise_now() {
    let renamed = json!({ "parentId": "ses_0", "time": { "created": 1000, "updated": 3000, "archivedAt": 7 } });
    let db = told([with_optional(json!({})), session("ses_1", renamed)]);
    let all = [r#""ses_0" | "build" | "m" | "p" | 1 | 2 | 3 | 7"#];
    assert_eq!(db.rows(OPTIONAL), all);
    let wrong = with_optional(json!({
        "parentID": 5, "agent": 5, "model": 5, "summary": 5,
        "time": { "created": 1000, "updated": 4000, "archived": "7" },
    }));
    let partial = |time: Value| {
        let info = json!({ "id": "ses_1", "time": time });
        event(
            "session.updated",
            json!({ "sessionID": "ses_1", "info": info }),
        )
    };
    tell(
        &db,
        Options::default(),
        [
            wrong,
            partial(json!({ "created": 1000, "updated": 5000 })),
            partial(json!({ "created": 1000 })),
            partial(json!({ "created": 1000, "updated": "x" })),
        ],
    );
    assert_eq!(db.rows(OPTIONAL), all);
}

#[test]
fn what_an_answer_or_a_call_lacks_is_not_cleared_where_it_may_be_called_otherwise_now() {
    let error = json!({ "name": "APIError", "data": { "message": "no" } });
    let failed = answer("ses_1", "msg_1", json!({ "error": error.clone() }));
    for changed in [
        answer("ses_1", "msg_1", json!({ "error": "no" })),
        answer("ses_1", "msg_1", json!({ "failure": error })),
    ] {
        let errors = "SELECT error_name, error_message FROM messages";
        let all = [r#""APIError" | "no""#];
        assert_eq!(
            before_and_after(errors, [failed.clone(), changed]),
            [all, all]
        );
    }
    let ended = tool(PLACE, "c", json!({}));
    let lacks = |field: &str| state_without(ended.clone(), &[field]);
    let renamed = |field: &str| {
        let mut event = lacks(field);
        event["properties"]["part"]["state"]["renamed"] = json!("x");
        event
    };
    for changed in [
        tool(PLACE, "c", json!({ "output": { "text": "x" }, "title": 5 })),
        // No known release ends a call without one.
        lacks("output"),
        lacks("title"),
        renamed("output"),
        renamed("title"),
    ] {
        let told = "SELECT title, output FROM tool_calls";
        let all = [r#""ls" | "README.md\n""#];
        assert_eq!(before_and_after(told, [ended.clone(), changed]), [all, all]);
    }
}
