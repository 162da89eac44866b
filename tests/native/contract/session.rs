//! `sessions`: whose agent it is, and what it changed.

use clankers::Options;
use clankers::sources::Dialect;
use serde_json::{Value, json};

use super::mirror::at;
use crate::events::{answer, message_removed, session, status, user, with};
use crate::support::{Db, tell, told};

const CHANGED: &str = "SELECT additions, deletions, files_changed FROM sessions";
const AGENT: &str = "SELECT agent FROM sessions WHERE id = 'ses_1'";

fn by(agent: &str, created: u32) -> Value {
    json!({ "agent": agent, "time": { "created": created, "completed": created + 1 } })
}

#[test]
fn what_a_session_changed_is_its_summary() {
    let summary = json!({ "summary": { "additions": 12, "deletions": 3, "files": 2 } });
    let db = told([session("ses_1", with(summary, at(1)))]);
    assert_eq!(db.rows(CHANGED), ["12 | 3 | 2"]);
    let less = json!({ "summary": { "additions": 1, "deletions": 0, "files": 1 } });
    tell(
        &db,
        Options::default(),
        [session("ses_1", with(less, at(2)))],
    );
    assert_eq!(db.rows(CHANGED), ["1 | 0 | 1"]);
}

#[test]
fn a_session_without_a_summary_has_no_count_of_changes() {
    for event in [session("ses_1", at(1)), user("ses_1", "msg_1", json!({}))] {
        assert_eq!(told([event]).rows(CHANGED), ["NULL | NULL | NULL"]);
    }
}

#[test]
fn the_agent_is_the_sessions_own_where_it_is_told() {
    let own = json!({ "agent": "own" });
    let db = told([
        session("ses_1", with(own, at(1))),
        answer("ses_1", "msg_1", by("other", 1000)),
    ]);
    assert_eq!(db.value(AGENT), r#""own""#);
}

#[test]
fn the_agent_is_that_of_the_last_answer_where_the_session_tells_none() {
    let db = told([
        answer("ses_1", "msg_2", by("late", 2000)),
        answer("ses_1", "msg_1", by("early", 1000)),
        user("ses_1", "msg_3", by("person", 3000)),
        session("ses_1", at(9)),
    ]);
    assert_eq!(db.value(AGENT), r#""late""#);
    tell(&db, Options::default(), [message_removed("ses_1", "msg_2")]);
    assert_eq!(db.value(AGENT), r#""early""#);
    tell(&db, Options::default(), [message_removed("ses_1", "msg_1")]);
    assert_eq!(db.value(AGENT), "NULL");
}

#[test]
fn the_source_is_the_agent_whose_events_come() {
    const SOURCES: &str = "SELECT id, source FROM sessions ORDER BY id";
    let kilo = || Options {
        dialect: Dialect::KILO,
        ..Options::default()
    };
    let db = told([session("ses_1", at(1))]);
    tell(&db, kilo(), [session("ses_2", at(1))]);
    // One that is only heard of is completed by an answer, which says it.
    tell(&db, kilo(), [answer("ses_3", "msg_3", json!({}))]);
    tell(&db, kilo(), [session("ses_3", at(1))]);
    let sources = [
        r#""ses_1" | "opencode""#,
        r#""ses_2" | "kilo""#,
        r#""ses_3" | "kilo""#,
    ];
    assert_eq!(db.rows(SOURCES), sources);
}

#[test]
fn a_session_that_waits_for_the_network_waits_to_try_again() {
    let offline = json!({ "type": "offline", "requestID": "req_1", "message": "no network" });
    // That it goes on then, it tells as a retry that is none.
    let online = json!({ "type": "retry", "attempt": 0, "message": "Reconnected", "next": 3 });
    let db = Db::new();
    let kilo = Options {
        dialect: Dialect::KILO,
        ..Options::default()
    };
    let events = [session("ses_1", at(1)), status("ses_1", offline)];
    tell(&db, kilo.clone(), events);
    assert_eq!(db.value("SELECT status FROM sessions"), r#""retry""#);
    tell(&db, kilo, [status("ses_1", online)]);
    assert_eq!(db.value("SELECT status FROM sessions"), r#""retry""#);
    assert!(db.rows("SELECT * FROM rejections").is_empty());
    assert!(db.rows("SELECT * FROM session_errors").is_empty());
}
