//! `ignore`: of a project that matches nothing is stored, whoever tells it.

use clankers::catch_up::Request;
use clankers::model::copy_rank::CopyRank;
use clankers::model::row::Content;
use clankers::sources::Dialect;
use clankers::{Core, Options};
use serde_json::{Value, json};

use super::recorded;
use crate::catch_up::{answered, updated};
use crate::catching_up::{Answers, HOME, compare, drive_until, fetch_wanted};
use crate::events::{answer, event, idle, part, session, session_deleted, text, user, with};
use crate::support::{Db, TABLES};

const SECRET: &str = "/home/user/secret/deep";

fn core() -> Core {
    Core::new(Options {
        store_id: Some(HOME.to_owned()),
        recorded: recorded(Content::Full, &["~/secret"]),
        ..Options::default()
    })
}

fn told(core: &mut Core, db: &Db, events: impl IntoIterator<Item = Value>) {
    for event in events {
        core.observe(&&event, 1.0);
        db.apply(core.drain());
        core.settle(true);
    }
}

fn secret(id: &str, more: Value) -> Value {
    session(id, with(json!({ "directory": SECRET }), more))
}

/// A turn, from the prompt on.
fn turn(id: &str) -> Vec<Value> {
    let (prompt, reply) = (format!("msg_{id}1"), format!("msg_{id}2"));
    let (asked, said, did) = (
        format!("prt_{id}1"),
        format!("prt_{id}2"),
        format!("prt_{id}3"),
    );
    let state = json!({ "status": "completed", "input": {}, "output": "out", "title": "t", "metadata": {}, "time": { "start": 1, "end": 2 } });
    let step = json!({ "reason": "stop", "cost": 0.5, "tokens": { "input": 1, "output": 1, "reasoning": 0, "cache": { "read": 0, "write": 0 } } });
    vec![
        event(
            "session.status",
            json!({ "sessionID": id, "status": { "type": "busy" } }),
        ),
        user(id, &prompt, json!({})),
        text((id, &prompt, &asked), "question"),
        answer(
            id,
            &reply,
            json!({ "error": { "name": "APIError", "data": { "message": "no" } } }),
        ),
        text((id, &reply, &said), "words"),
        part(
            (id, &reply, &did),
            "tool",
            json!({ "callID": "c", "tool": "bash", "state": state }),
        ),
        part((id, &reply, &format!("prt_{id}4")), "step-finish", step),
        event(
            "todo.updated",
            json!({ "sessionID": id, "todos": [{ "content": "x", "status": "pending", "priority": "low", "id": "1" }] }),
        ),
        event(
            "permission.asked",
            json!({ "id": format!("per_{id}"), "sessionID": id, "permission": "bash", "patterns": ["x"], "metadata": {}, "always": [] }),
        ),
        idle(id),
    ]
}

/// How many rows there are but for rejections.
fn rows(db: &Db) -> usize {
    let tables = TABLES.iter().chain(&["session_stores", "deletions"]);
    let of = |table: &&str| -> usize {
        db.value(&format!("SELECT count(*) FROM {table}"))
            .parse()
            .unwrap()
    };
    tables.filter(|table| **table != "rejections").map(of).sum()
}

#[test]
fn nothing_of_a_session_in_such_a_project_is_stored() {
    let db = Db::new();
    let mut core = core();
    told(&mut core, &db, [secret("ses_s", json!({}))]);
    told(&mut core, &db, turn("ses_s"));
    let child = session(
        "ses_c",
        json!({ "directory": "/home/user/project", "parentID": "ses_s" }),
    );
    told(&mut core, &db, [child]);
    told(&mut core, &db, turn("ses_c"));
    let mut deleted = session_deleted("ses_s");
    deleted["properties"]["info"]["directory"] = json!(SECRET);
    told(&mut core, &db, [deleted]);
    assert_eq!(rows(&db), 0);
    // Beside it, another is recorded.
    told(&mut core, &db, [session("ses_r", json!({}))]);
    told(&mut core, &db, turn("ses_r"));
    assert_eq!(db.rows("SELECT id FROM sessions"), ["\"ses_r\""]);
    assert_eq!(db.value("SELECT count(*) FROM messages"), "2");
    assert_eq!(db.value("SELECT cost FROM usage"), "0.5");
    let fetched = answered(1000, &[1]);
    fetch_wanted(&mut core, &db, &of("ses_s", SECRET, &fetched));
    assert_eq!(db.rows("SELECT id FROM sessions"), ["\"ses_r\""]);
}

#[test]
fn what_is_told_before_the_project_is_known_waits() {
    let db = Db::new();
    let mut core = core();
    told(&mut core, &db, turn("ses_s"));
    told(&mut core, &db, turn("ses_r"));
    assert_eq!(rows(&db), 0);
    told(&mut core, &db, [secret("ses_s", json!({}))]);
    assert_eq!(rows(&db), 0);
    told(&mut core, &db, [session("ses_r", json!({}))]);
    assert_eq!(
        db.value("SELECT group_concat(text_content, ' ' ORDER BY id) FROM messages"),
        "\"question words\""
    );
    assert_eq!(
        db.rows("SELECT DISTINCT session_id FROM parts"),
        ["\"ses_r\""]
    );
    assert_eq!(db.value("SELECT cost FROM usage"), "0.5");
}

#[test]
fn what_nobody_tells_is_asked_for_and_is_bounded_meanwhile() {
    let db = Db::new();
    let mut core = core();
    for number in 0..5000 {
        let event = user("ses_1", &format!("msg_x{number}"), json!({}));
        core.observe(&&event, 1.0);
        if number % 1000 == 999 {
            db.apply(core.drain());
            core.settle(true);
        }
    }
    assert_eq!(rows(&db), 0);
    let here = answered(1000, &[1, 2]);
    fetch_wanted(&mut core, &db, &here);
    assert_eq!(db.rows("SELECT id FROM sessions"), ["\"ses_1\""]);
    assert_eq!(
        db.value("SELECT count(*) FROM messages WHERE id IN ('msg_1', 'msg_2')"),
        "2"
    );
    let held: usize = db.value("SELECT count(*) FROM messages").parse().unwrap();
    assert!(held < 4100, "{held}");
}

/// A session of each kind.
fn both() -> Answers {
    let here = answered(1000, &[1]);
    let secret = of("ses_s", SECRET, &here).0;
    Answers(secret.into_iter().chain(here.0).collect())
}

#[test]
fn such_sessions_are_not_asked_for() {
    let db = Db::new();
    let both = both();
    assert_eq!(compare(&mut core(), &db, &both), ["ses_1"]);
    assert_eq!(db.rows("SELECT id FROM sessions"), ["\"ses_1\""]);
    assert_eq!(compare(&mut core(), &db, &both), [""; 0]);
}

#[test]
fn a_copy_brings_none_in() {
    let db = Db::new();
    let both = both();
    let rank = CopyRank::of_store(0.0);
    let mut core = Core::of_copy(
        Dialect::OPENCODE1,
        rank,
        recorded(Content::Metadata, &["secret"]),
    );
    core.compare("");
    core.fetch("", vec!["ses_s".to_owned(), "ses_1".to_owned()]);
    let never = |_: &Request| false;
    assert_eq!(
        drive_until((&mut core, ""), &db, &both, 9e6, never),
        ["ses_1"]
    );
    assert_eq!(
        db.rows("SELECT id, title FROM sessions"),
        ["\"ses_1\" | NULL"]
    );
}

#[test]
fn a_session_that_moves_there_is_recorded_up_to_then() {
    let db = Db::new();
    let mut core = core();
    told(&mut core, &db, [session("ses_r", json!({}))]);
    told(&mut core, &db, turn("ses_r"));
    told(&mut core, &db, [secret("ses_r", updated(2000))]);
    told(&mut core, &db, [user("ses_r", "msg_later", json!({}))]);
    assert_eq!(db.value("SELECT count(*) FROM messages"), "2");
    assert_eq!(
        db.value("SELECT project_path FROM sessions"),
        "\"/home/user/project\""
    );
}

/// The only session of these, with another id and directory.
fn of(id: &str, directory: &str, answers: &Answers) -> Answers {
    let text = serde_json::to_string(&answers.0["ses_1"].messages).unwrap();
    let mut one = answers.0["ses_1"].clone();
    one.messages =
        serde_json::from_str(&text.replace("ses_1", id).replace("msg_", "msg_of_other_")).unwrap();
    one.info = with(one.info, json!({ "id": id, "directory": directory }));
    Answers([(id.to_owned(), one)].into())
}
