//! Permissions, to-do lists, failures and rejections.

use clankers::{Core, Options};
use serde_json::{Value, json};

use crate::events::{Place, answer, event, session, status, tool};
use crate::support::{Db, assert_same, recordings, story, tell, told};

const WAITED: &str = "SELECT id, duration_ms, permission_wait_ms FROM tool_calls ORDER BY id";

fn asked(id: &str, message: &str, call: &str) -> Value {
    event(
        "permission.asked",
        json!({
            "id": id, "sessionID": "ses_1", "permission": "bash", "patterns": ["ls *"], "metadata": {},
            "always": [], "tool": { "messageID": message, "callID": call },
        }),
    )
}

fn replied(id: &str, reply: &str) -> Value {
    event(
        "permission.replied",
        json!({ "sessionID": "ses_1", "requestID": id, "reply": reply }),
    )
}

/// A call of ten seconds, in which everything is asked.
fn ten_seconds(place: Place<'_>) -> Value {
    tool(
        place,
        "c",
        json!({ "time": { "start": 999_000, "end": 1_009_000 } }),
    )
}

#[test]
fn a_permission_is_asked_and_answered_in_both_spellings() {
    let old_asked = event(
        "permission.updated",
        json!({
            "id": "per_1", "type": "bash", "pattern": "ls *", "sessionID": "ses_1", "messageID": "msg_1",
            "callID": "c", "title": "ls", "metadata": {}, "time": { "created": 1_000_000 },
        }),
    );
    let old_replied = event(
        "permission.replied",
        json!({ "sessionID": "ses_1", "permissionID": "per_1", "response": "always" }),
    );
    let old = told([old_asked, old_replied]);
    let new = told([asked("per_1", "msg_1", "c"), replied("per_1", "always")]);
    assert_eq!(
        new.rows(&format!(
            "SELECT {} FROM permissions",
            new.columns("permissions")
        )),
        [
            r#""per_1" | "ses_1" | "msg_1" | "c" | "bash" | "[\"ls *\"]" | "always" | 1000000 | 1001000"#
        ]
    );
    assert_same("old and new", &new.dump(), &old.dump());
}

#[test]
fn a_call_knows_how_long_the_person_was_asked_whichever_comes_first() {
    let call = || ten_seconds(("ses_1", "msg_1", "prt_1"));
    for events in [
        [
            asked("per_1", "msg_1", "c"),
            replied("per_1", "once"),
            call(),
        ],
        [
            call(),
            asked("per_1", "msg_1", "c"),
            replied("per_1", "once"),
        ],
        [
            asked("per_1", "msg_1", "c"),
            call(),
            replied("per_1", "once"),
        ],
    ] {
        let db = Db::new();
        let waits = if events[1]["type"] == "message.part.updated" {
            2000
        } else {
            1000
        };
        for one in story(events) {
            crate::support::replay(&db, &[one]);
        }
        assert_eq!(db.rows(WAITED), [format!(r#""prt_1" | 10000 | {waits}"#)]);
    }
}

#[test]
fn the_waits_of_one_call_add_up_and_one_that_is_not_answered_counts_nothing() {
    let db = told([
        ten_seconds(("ses_1", "msg_1", "prt_1")),
        asked("per_1", "msg_1", "c"),
        replied("per_1", "once"),
        asked("per_2", "msg_1", "c"),
        replied("per_2", "reject"),
        asked("per_3", "msg_1", "c"),
    ]);
    assert_eq!(db.rows(WAITED), [r#""prt_1" | 10000 | 2000"#]);
}

#[test]
fn a_wait_is_inside_the_duration_of_its_call() {
    // Some releases say anew when a call started, once the person answered.
    let late = json!({ "time": { "start": 1_002_500, "end": 1_002_510 } });
    let db = told([
        asked("per_1", "msg_1", "c"),
        replied("per_1", "once"),
        tool(("ses_1", "msg_1", "prt_1"), "c", late),
    ]);
    assert_eq!(db.rows(WAITED), [r#""prt_1" | 10 | 0"#]);
}

#[test]
fn waits_that_overlap_are_no_longer_than_their_call() {
    let time = json!({ "time": { "start": 1_000_000, "end": 1_004_000 } });
    let all = ["per_1", "per_2", "per_3"];
    let call = tool(("ses_1", "msg_1", "prt_1"), "c", time);
    let asked = all.map(|id| asked(id, "msg_1", "c"));
    let replied = all.map(|id| replied(id, "once"));
    let db = told([call].into_iter().chain(asked).chain(replied));
    assert_eq!(db.rows(WAITED), [r#""prt_1" | 4000 | 4000"#]);
}

#[test]
fn a_call_id_that_a_fork_copied_is_another_call_without_the_wait() {
    let db = told([
        ten_seconds(("ses_1", "msg_1", "prt_1")),
        ten_seconds(("ses_2", "msg_2", "prt_2")),
        asked("per_1", "msg_1", "c"),
        replied("per_1", "once"),
    ]);
    assert_eq!(
        db.rows(WAITED),
        [r#""prt_1" | 10000 | 1000"#, r#""prt_2" | 10000 | 0"#]
    );
}

#[test]
fn a_permission_told_again_later_was_asked_and_answered_when_it_was_told_first() {
    let events = [asked("per_1", "msg_1", "c"), replied("per_1", "once")];
    let db = told(events.clone());
    let before = db.dump();
    let mut late = story(events);
    late.iter_mut().for_each(|one| one.at += 60_000.0);
    crate::support::replay(&db, &late);
    assert_eq!(before, db.dump());
}

#[test]
fn a_to_do_list_is_replaced_whole() {
    let list = |contents: &[&str]| {
        let todo = |content: &&str| json!({ "content": content, "status": "pending", "priority": "high", "id": "1" });
        event(
            "todo.updated",
            json!({ "sessionID": "ses_1", "todos": contents.iter().map(todo).collect::<Vec<_>>() }),
        )
    };
    let db = told([list(&["a", "b", "c"])]);
    let rows = |db: &Db| db.rows("SELECT position, content, status, priority FROM todos");
    assert_eq!(rows(&db).len(), 3);
    tell(&db, Options::default(), [list(&["c", "d"])]);
    assert_eq!(
        rows(&db),
        [
            r#"0 | "c" | "pending" | "high""#,
            r#"1 | "d" | "pending" | "high""#
        ]
    );
    tell(&db, Options::default(), [list(&[])]);
    assert_eq!(rows(&db), [""; 0]);
}

#[test]
fn a_failure_told_by_the_session_and_by_its_answer_is_one_row() {
    let error = json!({ "name": "APIError", "data": { "message": "no", "statusCode": 401, "isRetryable": false } });
    let writing = answer(
        "ses_1",
        "msg_1",
        json!({ "time": { "created": 1000 }, "finish": null }),
    );
    let failed = answer("ses_1", "msg_1", json!({ "error": error }));
    let told_of = event(
        "session.error",
        json!({ "sessionID": "ses_1", "error": error }),
    );
    for events in [
        vec![writing.clone(), told_of.clone(), failed.clone()],
        vec![writing.clone(), failed.clone(), told_of.clone()],
        vec![writing, told_of.clone(), told_of.clone(), failed, told_of],
    ] {
        let db = told(events);
        assert_eq!(
            db.rows("SELECT session_id, message_id, name, message, status_code, retryable, attempt FROM session_errors"),
            [r#""ses_1" | "msg_1" | "APIError" | "no" | 401 | 0 | NULL"#]
        );
    }
}

#[test]
fn a_failure_without_a_session_is_a_row() {
    let error = json!({ "name": "UnknownError", "data": { "message": "no" } });
    let db = told([event("session.error", json!({ "error": error }))]);
    assert_eq!(
        db.rows("SELECT session_id, name, message FROM session_errors"),
        [r#"NULL | "UnknownError" | "no""#]
    );
}

#[test]
fn each_retry_is_a_row_however_often_it_is_told() {
    let retry = |attempt: u32| {
        status(
            "ses_1",
            json!({ "type": "retry", "attempt": attempt, "message": "busy", "next": 5000 + attempt }),
        )
    };
    let db = told([retry(1), retry(1), retry(2), retry(2), retry(3)]);
    assert_eq!(
        db.rows("SELECT attempt, message, retryable FROM session_errors ORDER BY 1"),
        [
            r#"1 | "busy" | 1"#,
            r#"2 | "busy" | 1"#,
            r#"3 | "busy" | 1"#
        ]
    );
}

#[test]
fn a_rejection_is_keyed_so_that_many_bad_events_are_one_row_with_a_count() {
    let db = Db::new();
    let mut core = Core::new(Options::default());
    let bad = event(
        "session.idle",
        json!({ "sessionID": 5, "secret": "SECRET" }),
    );
    for at in 0..10_000 {
        core.observe(&&bad, 1000.0 + f64::from(at));
        if at % 100 == 99 {
            db.apply(core.drain());
            core.settle(at % 200 == 99 || at == 9_999);
            // A batch that failed is put back, so what was applied of it is undone here.
            if at % 200 != 99 && at != 9_999 {
                db.0.execute_batch("UPDATE rejections SET count = count - 100")
                    .unwrap_or_default();
            }
        }
    }
    assert_eq!(
        db.rows(
            "SELECT event_type, code, path, found, count, first_seen, last_seen FROM rejections"
        ),
        [
            r#""session.idle" | "missing_identity" | "properties.sessionID" | "nothing" | 10000 | 1000 | 10999"#
        ]
    );
    assert_eq!(core.notices().len(), 1);
    assert_eq!(core.notices().len(), 0);
}

#[test]
fn a_rejections_sample_holds_keys_and_types_and_never_content() {
    let db = told([
        session("ses_1", json!({})),
        event(
            "nobody.knows",
            json!({ "text": "SECRET", "list": ["SECRET"], "deep": { "er": { "SECRET": 1 } } }),
        ),
    ]);
    assert_eq!(
        db.rows("SELECT event_type, code, source_version FROM rejections"),
        [r#""nobody.knows" | "unknown_event" | "1.18.34""#]
    );
    let sample = db.value("SELECT sample ->> '$.properties.text' FROM rejections");
    assert_eq!(sample, r#""string""#);
    // Nor a name that may be content, since no known release sends it.
    let sample = db.value("SELECT sample FROM rejections");
    assert!(
        !sample.contains("SECRET") && !sample.contains("deep"),
        "{sample}"
    );
}

/// So that a sample tells what is new in a release, and not what is known.
#[test]
fn a_sample_names_every_field_of_an_event_that_is_no_tools_or_models_own() {
    // What is below these is named by a tool, a model, a provider or a person.
    const FREE: [&str; 10] = [
        "input",
        "metadata",
        "structured",
        "arguments",
        "answer",
        "answers",
        "headers",
        "responseHeaders",
        "providerState",
        "canonical",
    ];
    fn without_free(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|name, _| !FREE.contains(&name.as_str()));
                fields.values_mut().for_each(without_free);
            }
            Value::Array(items) => items.iter_mut().for_each(without_free),
            _ => {}
        }
    }
    let mut seen = 0;
    for recording in recordings() {
        let db = Db::new();
        let mut events = recording.events.clone();
        for recorded in &mut events {
            let kind = recorded.event["type"].as_str().unwrap_or_default();
            recorded.event["type"] = format!("nobody.knows.{kind}").into();
            without_free(&mut recorded.event);
        }
        recording.replay(&db, &events);
        let others = "SELECT event_type, sample FROM rejections WHERE sample LIKE '%(others)%'";
        assert_eq!(db.rows(others), [""; 0], "{}", recording.name);
        seen += db.rows("SELECT 1 FROM rejections").len();
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn names_of_events_and_places_are_bounded() {
    let long = "é".repeat(1 << 20);
    let db = told([
        event(&long, json!({ &long: 1 })),
        session("ses_1", json!({ &long: 1 })),
    ]);
    let longest = "SELECT max(length(event_type)) < 125, max(length(path)) < 125,
        max(length(sample)) < 4096, count(*) FROM rejections";
    assert_eq!(db.rows(longest), ["1 | 1 | 1 | 2"]);
}

#[test]
fn kinds_of_rejection_are_bounded() {
    let events = (0..2_000).map(|number| event(&format!("nobody.knows.{number}"), json!({})));
    let db = told(events);
    let kinds: usize = db
        .value("SELECT count(*) FROM rejections")
        .parse()
        .unwrap_or_default();
    assert!(kinds <= 513, "{kinds}");
    assert_eq!(db.value("SELECT sum(count) FROM rejections"), "2000");
}
