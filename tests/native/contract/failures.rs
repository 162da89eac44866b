//! `session_errors`: provider failures, aborts and each retry.

use serde_json::{Value, json};

use crate::events::{answer, event, part, session, status};
use crate::support::told;

const ROWS: &str = "SELECT session_id, message_id, name, message, status_code, retryable, attempt \
    FROM session_errors ORDER BY attempt";

fn failed(error: &Value) -> Value {
    event(
        "session.error",
        json!({ "sessionID": "ses_1", "error": error }),
    )
}

fn aborted() -> Value {
    json!({ "name": "MessageAbortedError", "data": { "message": "The operation was aborted." } })
}

#[test]
fn an_abort_is_a_row_by_its_name() {
    let writing = json!({ "time": { "created": 1000 }, "finish": null });
    let row = r#""ses_1" | "msg_1" | "MessageAbortedError" | "The operation was aborted." | NULL | NULL | NULL"#;
    let ended = answer("ses_1", "msg_1", json!({ "error": aborted() }));
    for events in [
        vec![ended.clone()],
        vec![
            answer("ses_1", "msg_1", writing.clone()),
            failed(&aborted()),
        ],
        vec![answer("ses_1", "msg_1", writing), failed(&aborted()), ended],
    ] {
        assert_eq!(told(events).rows(ROWS), [row]);
    }
}

#[test]
fn an_abort_is_the_answers_error_too() {
    let db = told([answer("ses_1", "msg_1", json!({ "error": aborted() }))]);
    assert_eq!(
        db.rows("SELECT error_name, error_message FROM messages"),
        [r#""MessageAbortedError" | "The operation was aborted.""#]
    );
}

#[test]
fn a_providers_failure_has_its_status_and_whether_it_is_worth_another_try() {
    for (code, retryable, stored) in [(500, true, "1"), (401, false, "0")] {
        let data = json!({ "message": "no", "statusCode": code, "isRetryable": retryable, "responseBody": "b" });
        let error = json!({ "name": "APIError", "data": data });
        for told_of in [
            failed(&error),
            answer("ses_1", "msg_1", json!({ "error": error })),
        ] {
            let db = told([session("ses_1", json!({})), told_of]);
            assert_eq!(
                db.rows("SELECT name, message, status_code, retryable FROM session_errors"),
                [format!(r#""APIError" | "no" | {code} | {stored}"#)]
            );
        }
    }
}

#[test]
fn what_a_failure_does_not_tell_is_null() {
    let error = json!({ "name": "MessageOutputLengthError", "data": {} });
    let db = told([failed(&error)]);
    assert_eq!(
        db.rows(ROWS),
        [r#""ses_1" | NULL | "MessageOutputLengthError" | NULL | NULL | NULL | NULL"#]
    );
}

#[test]
fn each_retry_has_its_attempt_and_its_answer() {
    let writing = json!({ "time": { "created": 1000 }, "finish": null });
    let retry = |attempt: u32| {
        let next = 5000 + attempt;
        status(
            "ses_1",
            json!({ "type": "retry", "attempt": attempt, "message": "busy", "next": next }),
        )
    };
    let db = told([answer("ses_1", "msg_1", writing), retry(1), retry(2)]);
    let row = |attempt| format!(r#""ses_1" | "msg_1" | "Retry" | "busy" | NULL | 1 | {attempt}"#);
    assert_eq!(db.rows(ROWS), [row(1), row(2)]);
}

#[test]
fn each_retry_that_a_part_tells_has_its_attempt_and_what_failed() {
    let retry = |id: &'static str, attempt: u32| {
        let data = json!({ "message": "down", "statusCode": 503, "isRetryable": true });
        let error = json!({ "name": "APIError", "data": data });
        let time = json!({ "created": 7000 + attempt });
        part(
            ("ses_1", "msg_1", id),
            "retry",
            json!({ "attempt": attempt, "error": error, "time": time }),
        )
    };
    let db = told([retry("prt_1", 1), retry("prt_2", 2), retry("prt_2", 2)]);
    let row = |attempt| format!(r#""ses_1" | "msg_1" | "APIError" | "down" | 503 | 1 | {attempt}"#);
    assert_eq!(db.rows(ROWS), [row(1), row(2)]);
    assert_eq!(
        db.rows("SELECT created_at FROM session_errors ORDER BY attempt"),
        ["7001", "7002"]
    );
}
