//! `sessions` mirrors what OpenCode says of a session now.

use clankers::Options;
use serde_json::{Value, json};

use crate::events::{
    answer, message_removed, session, session_deleted, status, tokens, tool, user, with, without,
};
use crate::support::{Db, story, tell, told};

const SPENT: &str =
    "SELECT prompt_tokens, completion_tokens, cost FROM sessions WHERE id = 'ses_1'";
const MODEL: &str = "SELECT model, provider FROM sessions WHERE id = 'ses_1'";

fn spent(input: u32, output: u32, cost: f64) -> Value {
    json!({ "tokens": tokens(input, output), "cost": cost })
}

pub(super) fn at(updated: u32) -> Value {
    json!({ "time": { "created": 1000, "updated": updated } })
}

#[test]
fn totals_are_what_opencode_reports_where_it_reports_any() {
    let db = told([
        session("ses_1", with(spent(0, 0, 0.0), at(1))),
        answer("ses_1", "msg_1", spent(100, 10, 0.5)),
        session("ses_1", with(spent(90, 9, 0.4), at(2))),
        answer("ses_1", "msg_2", spent(100, 10, 0.5)),
    ]);
    assert_eq!(db.rows(SPENT), ["90 | 9 | 0.4"]);
}

#[test]
fn totals_that_fall_after_a_revert_fall_here_too() {
    let db = told([
        session("ses_1", with(spent(90, 9, 0.4), at(1))),
        session("ses_1", with(spent(40, 4, 0.1), at(2))),
    ]);
    assert_eq!(db.rows(SPENT), ["40 | 4 | 0.1"]);
    tell(
        &db,
        Options::default(),
        [session("ses_1", with(spent(0, 0, 0.0), at(3)))],
    );
    assert_eq!(db.rows(SPENT), ["0 | 0 | 0"]);
}

#[test]
fn zeros_that_a_release_always_reports_are_no_totals() {
    let db = told([
        session("ses_1", with(spent(0, 0, 0.0), at(1))),
        answer("ses_1", "msg_1", spent(100, 10, 0.5)),
        answer("ses_1", "msg_2", spent(50, 5, 0.25)),
        session("ses_1", with(spent(0, 0, 0.0), at(2))),
    ]);
    assert_eq!(db.rows(SPENT), ["150 | 15 | 0.75"]);
}

#[test]
fn totals_that_nobody_reports_are_the_sum_of_the_answers_removed_ones_included() {
    let db = told([
        session("ses_1", at(1)),
        answer("ses_1", "msg_1", spent(100, 10, 0.1)),
        answer("ses_1", "msg_2", spent(50, 5, 0.2)),
        message_removed("ses_1", "msg_1"),
        session("ses_1", at(2)),
    ]);
    assert_eq!(db.rows(SPENT), ["150 | 15 | 0.3"]);
}

#[test]
fn the_sum_holds_however_often_it_is_told_in_every_mode_of_deleting() {
    for on_delete in clankers::model::row::OnDelete::ALL {
        let events = [
            session("ses_1", at(1)),
            answer("ses_1", "msg_1", spent(100, 10, 0.1)),
            answer("ses_1", "msg_2", spent(50, 5, 0.2)),
            message_removed("ses_1", "msg_1"),
        ];
        let db = Db::new();
        for _ in 0..3 {
            tell(
                &db,
                Options {
                    on_delete: *on_delete,
                    ..Options::default()
                },
                events.clone(),
            );
        }
        assert_eq!(db.rows(SPENT), ["150 | 15 | 0.3"], "{on_delete:?}");
    }
}

#[test]
fn a_message_that_is_told_with_new_numbers_counts_once() {
    let db = told([
        session("ses_1", at(1)),
        answer(
            "ses_1",
            "msg_1",
            with(spent(0, 0, 0.0), json!({ "time": { "created": 1000 } })),
        ),
        answer("ses_1", "msg_1", spent(60, 6, 0.3)),
        answer("ses_1", "msg_1", spent(100, 10, 0.5)),
    ]);
    assert_eq!(db.rows(SPENT), ["100 | 10 | 0.5"]);
}

#[test]
fn the_model_is_the_sessions_own_before_there_is_an_answer() {
    let own = json!({ "model": { "id": "own", "providerID": "own-provider" } });
    let db = told([
        session("ses_1", with(own, at(1))),
        user("ses_1", "msg_1", json!({})),
    ]);
    assert_eq!(db.rows(MODEL), [r#""own" | "own-provider""#]);
}

#[test]
fn the_model_is_that_of_the_last_answer() {
    let own = json!({ "model": { "id": "own", "providerID": "own-provider" } });
    let of = |model: &str, created: u32| {
        let time = json!({ "created": created, "completed": created + 1 });
        json!({ "modelID": model, "providerID": format!("{model}-provider"), "time": time })
    };
    let db = told([
        answer("ses_1", "msg_2", of("late", 2000)),
        answer("ses_1", "msg_1", of("early", 1000)),
        session("ses_1", with(own, at(9))),
    ]);
    assert_eq!(db.rows(MODEL), [r#""late" | "late-provider""#]);
    tell(&db, Options::default(), [message_removed("ses_1", "msg_2")]);
    assert_eq!(db.rows(MODEL), [r#""early" | "early-provider""#]);
    tell(&db, Options::default(), [message_removed("ses_1", "msg_1")]);
    assert_eq!(db.rows(MODEL), [r#""own" | "own-provider""#]);
}

#[test]
fn a_renamed_session_has_its_new_name_and_an_older_telling_does_not_bring_the_old_one_back() {
    let titled =
        |title: &str, updated| session("ses_1", with(json!({ "title": title }), at(updated)));
    let db = told([titled("old", 1), titled("new", 3)]);
    tell(&db, Options::default(), [titled("between", 2)]);
    assert_eq!(db.value("SELECT title FROM sessions"), r#""new""#);
}

#[test]
fn a_session_unarchived_is_not_archived_any_more() {
    let archived = json!({ "time": { "created": 1000, "updated": 2, "archived": 7 } });
    let db = told([session("ses_1", archived)]);
    assert_eq!(db.value("SELECT archived_at FROM sessions"), "7");
    tell(&db, Options::default(), [session("ses_1", at(3))]);
    assert_eq!(db.value("SELECT archived_at FROM sessions"), "NULL");
}

#[test]
fn an_answer_that_is_taken_up_again_has_no_error_any_more() {
    let error = json!({ "name": "APIError", "data": { "message": "no", "statusCode": 500 } });
    let failed = answer(
        "ses_1",
        "msg_1",
        json!({ "error": error, "time": { "created": 1000 }, "finish": null }),
    );
    let db = told([failed]);
    assert_eq!(
        db.rows("SELECT error_name, error_message FROM messages"),
        [r#""APIError" | "no""#]
    );
    tell(
        &db,
        Options::default(),
        [answer("ses_1", "msg_1", json!({}))],
    );
    assert_eq!(
        db.rows("SELECT error_name, error_message, finish_reason, duration_ms FROM messages"),
        [r#"NULL | NULL | "stop" | 1000"#]
    );
}

#[test]
fn a_call_that_fails_loses_the_title_it_ran_under() {
    // OpenCode's state of a failed call has no title.
    let place = ("ses_1", "msg_1", "prt_1");
    let running = json!({ "status": "running", "output": null, "time": { "start": 5000 } });
    let running = without(
        tool(place, "c", running),
        "/properties/part/state",
        "output",
    );
    let failed = json!({ "status": "error", "error": "no" });
    let failed = without(tool(place, "c", failed), "/properties/part/state", "output");
    let failed = without(failed, "/properties/part/state", "title");
    let db = told([running]);
    tell(&db, Options::default(), [failed.clone()]);
    assert_eq!(
        db.dump_of(&["tool_calls"]),
        told([failed]).dump_of(&["tool_calls"])
    );
}

#[test]
fn a_session_is_idle_busy_or_waits_for_a_retry() {
    let db = told([session("ses_1", at(1))]);
    let status_of = |db: &Db| db.value("SELECT status FROM sessions");
    assert_eq!(status_of(&db), r#""idle""#);
    for word in ["busy", "retry", "idle"] {
        let told = json!({ "type": word, "attempt": 1, "message": "m", "next": 5 });
        tell(&db, Options::default(), [status("ses_1", told)]);
        assert_eq!(status_of(&db), format!("{word:?}"));
    }
}

#[test]
fn a_project_is_the_sessions_directory_and_its_last_component() {
    let db = told([session(
        "ses_1",
        with(json!({ "directory": "/home/user/app/" }), at(1)),
    )]);
    assert_eq!(
        db.rows(
            "SELECT source, source_version, project_id, project_path, project_name FROM sessions"
        ),
        [r#""opencode" | "1.18.34" | "prj" | "/home/user/app/" | "app""#]
    );
}

#[test]
fn a_sub_agents_session_and_its_call_name_each_other() {
    let metadata = json!({ "metadata": { "sessionId": "ses_child" } });
    let db = told([
        session("ses_1", at(1)),
        tool(("ses_1", "msg_1", "prt_1"), "c", metadata),
        session("ses_child", with(json!({ "parentID": "ses_1" }), at(1))),
    ]);
    assert_eq!(
        db.rows("SELECT sessions.parent_id, child_session_id FROM sessions JOIN tool_calls ON child_session_id = sessions.id"),
        [r#""ses_1" | "ses_child""#]
    );
}

#[test]
fn a_deleted_sessions_last_numbers_are_kept() {
    let mut deleted = session_deleted("ses_1");
    deleted["properties"]["info"] = with(deleted["properties"]["info"].clone(), spent(90, 9, 0.4));
    let db = told([deleted]);
    assert_eq!(db.rows(SPENT), ["90 | 9 | 0.4"]);
    let again = story([session("ses_1", with(spent(0, 0, 0.0), at(0)))]);
    crate::support::replay(&db, &again);
    assert_eq!(db.rows(SPENT), ["90 | 9 | 0.4"]);
}

#[test]
fn an_ended_answer_or_call_is_not_taken_back_by_an_older_telling_in_the_same_batch() {
    let place = ("ses_1", "msg_1", "prt_1");
    let open = answer("ses_1", "msg_1", json!({ "time": { "created": 1000 } }));
    let running = json!({ "status": "running", "time": { "start": 5000 } });
    let running = without(
        tool(place, "c", running),
        "/properties/part/state",
        "output",
    );
    let mut core = clankers::Core::new(Options::default());
    for event in [
        answer("ses_1", "msg_1", spent(100, 10, 0.5)),
        tool(place, "c", json!({})),
        without(open, "/properties/info", "finish"),
        running,
    ] {
        core.observe(&&event, 1.0);
    }
    let db = Db::new();
    db.apply(core.drain());
    assert_eq!(
        db.rows("SELECT prompt_tokens, finish_reason, completed_at FROM messages"),
        [r#"100 | "stop" | 2000"#]
    );
    assert_eq!(
        db.rows("SELECT status, ended_at FROM tool_calls"),
        [r#""completed" | 9000"#]
    );
}
