//! All times are Unix milliseconds, and the days of the views are local.

use serde_json::json;

use crate::events::{
    answer, event, part_removed, session, session_deleted, status, step, text, tokens, tool, user,
};
use crate::support::{Db, Recorded, command, replay, story};

/// Unix milliseconds with a remainder that rounding to seconds would lose.
const T: u64 = 1_795_405_040_700;

#[test]
fn every_time_is_the_millisecond_that_was_told() {
    let place = |id| ("ses_1", "msg_2", id);
    let mut spoken = text(place("prt_1"), "t");
    spoken["properties"]["part"]["time"] = json!({ "start": T + 5, "end": T + 6 });
    let ran = json!({ "time": { "start": T + 7, "end": T + 9 } });
    let events = [
        session(
            "ses_1",
            json!({ "time": { "created": T + 1, "updated": T + 2, "archived": T + 3 } }),
        ),
        user("ses_1", "msg_1", json!({ "time": { "created": T + 4 } })),
        spoken,
        tool(place("prt_2"), "c", ran),
        step(place("prt_3"), 0.5, tokens(1, 1)),
        answer(
            "ses_1",
            "msg_2",
            json!({ "time": { "created": T + 5, "completed": T + 11 } }),
        ),
    ];
    let db = Db::new();
    replay(&db, &story(events));
    for (columns, times) in [
        (
            "created_at, updated_at, archived_at, deleted_at FROM sessions",
            vec![format!("{} | {} | {} | NULL", T + 1, T + 2, T + 3)],
        ),
        (
            "created_at, completed_at, duration_ms FROM messages ORDER BY id",
            vec![
                format!("{} | NULL | NULL", T + 4),
                format!("{} | {} | 6", T + 5, T + 11),
            ],
        ),
        (
            "started_at, ended_at FROM parts WHERE id = 'prt_1'",
            vec![format!("{} | {}", T + 5, T + 6)],
        ),
        (
            "started_at, ended_at, duration_ms FROM tool_calls",
            vec![format!("{} | {} | 2", T + 7, T + 9)],
        ),
        ("at FROM usage", vec![format!("{}", T + 11)]),
    ] {
        assert_eq!(db.rows(&format!("SELECT {columns}")), times, "{columns}");
    }
}

/// An event that was seen at this millisecond.
fn seen(at: u32, event: serde_json::Value) -> Recorded {
    Recorded {
        at: 1_795_405_040_700.0 + f64::from(at),
        event,
    }
}

#[test]
fn what_is_told_without_a_time_has_the_millisecond_it_was_seen() {
    let asked =
        json!({ "id": "per_1", "sessionID": "ses_1", "permission": "bash", "patterns": [] });
    let replied = json!({ "sessionID": "ses_1", "requestID": "per_1", "reply": "once" });
    let failed = json!({ "sessionID": "ses_1", "error": { "name": "UnknownError", "data": { "message": "no" } } });
    let retry = json!({ "type": "retry", "attempt": 1, "message": "m", "next": 5 });
    let db = Db::new();
    replay(
        &db,
        &[
            seen(1, event("permission.asked", asked)),
            seen(2, event("permission.replied", replied)),
            seen(3, event("session.error", failed)),
            seen(4, status("ses_1", retry)),
            seen(5, event("nobody.knows", json!({}))),
            seen(6, event("nobody.knows", json!({}))),
            seen(7, tool(("ses_1", "msg_1", "prt_1"), "c", json!({}))),
            seen(8, part_removed(("ses_1", "msg_1", "prt_1"))),
            seen(9, session_deleted("ses_1")),
        ],
    );
    for (columns, times) in [
        (
            "asked_at, replied_at FROM permissions",
            vec![format!("{} | {}", T + 1, T + 2)],
        ),
        (
            "created_at FROM session_errors ORDER BY 1",
            vec![format!("{}", T + 3), format!("{}", T + 4)],
        ),
        (
            "first_seen, last_seen FROM rejections WHERE event_type = 'nobody.knows'",
            vec![format!("{} | {}", T + 5, T + 6)],
        ),
        ("deleted_at FROM tool_calls", vec![format!("{}", T + 8)]),
        ("deleted_at FROM messages", vec![format!("{}", T + 9)]),
        ("deleted_at FROM sessions", vec![format!("{}", T + 9)]),
    ] {
        assert_eq!(db.rows(&format!("SELECT {columns}")), times, "{columns}");
    }
}

#[test]
fn an_answer_that_failed_did_so_when_it_ended_or_else_when_it_began() {
    let error = json!({ "name": "APIError", "data": { "message": "no" } });
    for (time, at) in [
        (json!({ "created": T, "completed": T + 5 }), T + 5),
        (json!({ "created": T }), T),
    ] {
        let db = crate::support::told([answer(
            "ses_1",
            "msg_1",
            json!({ "error": error, "time": time }),
        )]);
        assert_eq!(
            db.rows("SELECT created_at FROM session_errors"),
            [at.to_string()]
        );
    }
}

#[test]
fn a_step_was_answered_when_its_message_ended_or_else_when_it_began() {
    let db = Db::new();
    let begun = json!({ "time": { "created": T }, "finish": null });
    replay(
        &db,
        &story([
            answer("ses_1", "msg_1", begun),
            step(("ses_1", "msg_1", "prt_1"), 0.5, tokens(1, 1)),
        ]),
    );
    assert_eq!(db.value("SELECT at FROM usage"), T.to_string());
    let ended = json!({ "time": { "created": T, "completed": T + 5 } });
    replay(&db, &story([answer("ses_1", "msg_1", ended)]));
    assert_eq!(db.value("SELECT at FROM usage"), (T + 5).to_string());
}

/// Whether it is another day here than in UTC at noon of 1970-01-02, and the
/// day of a step that was answered then.
fn at_noon() -> (bool, String, String) {
    let db = Db::new();
    let noon = 129_600_000;
    db.apply(&[
        command(
            "message.upsert",
            json!({ "id": "msg_1", "sessionId": "ses_1", "createdAt": noon, "completedAt": noon }),
        ),
        command(
            "usage.upsert",
            json!({ "id": "prt_1", "messageId": "msg_1", "sessionId": "ses_1" }),
        ),
    ]);
    let here = db.value("SELECT date(129600, 'unixepoch', 'localtime')");
    let day = db.value("SELECT day FROM usage_by_day");
    (here != r#""1970-01-02""#, here, day)
}

/// Runs in a zone of its own, too, where noon in UTC is the next day.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a process has one time zone, from its environment"
)]
fn the_day_of_usage_is_the_local_day() {
    let (is_elsewhere, here, day) = at_noon();
    assert_eq!(day, here);
    if is_elsewhere {
        return;
    }
    let zone = "EAST-14";
    assert_ne!(std::env::var_os("TZ"), Some(zone.into()), "no such zone");
    let test = "contract::times::the_day_of_usage_is_the_local_day";
    let elsewhere = std::env::current_exe().and_then(|program| {
        std::process::Command::new(program)
            .args(["--exact", test])
            .env("TZ", zone)
            .output()
    });
    let elsewhere = elsewhere.map(|output| output.status.success());
    assert!(matches!(elsewhere, Ok(true)), "{elsewhere:?}");
}
