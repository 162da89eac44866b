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

const SOURCES: &str = "SELECT id, source, source_version FROM sessions ORDER BY id";

fn by_kilo() -> Options {
    Options {
        dialect: Dialect::KILO,
        ..Options::default()
    }
}

/// A session that a release of this number began.
fn begun_by(id: &str, version: &str) -> Value {
    session(id, with(at(1), json!({ "version": version })))
}

#[test]
fn the_source_is_the_agent_whose_release_began_the_session() {
    let db = told([begun_by("ses_1", "1.18.34")]);
    tell(&db, by_kilo(), [begun_by("ses_2", "7.7.9")]);
    // One that is only heard of is completed by an answer, which says it.
    tell(&db, by_kilo(), [answer("ses_3", "msg_3", json!({}))]);
    tell(&db, by_kilo(), [begun_by("ses_3", "7.7.9")]);
    let sources = [
        r#""ses_1" | "opencode" | "1.18.34""#,
        r#""ses_2" | "kilo" | "7.7.9""#,
        r#""ses_3" | "kilo" | "7.7.9""#,
    ];
    assert_eq!(db.rows(SOURCES), sources);
}

#[test]
fn where_two_agents_work_on_one_database_a_session_stays_the_one_s_that_began_it() {
    let begun = || [begun_by("ses_1", "1.18.34"), begun_by("ses_2", "7.7.9")];
    let sources = [
        r#""ses_1" | "opencode" | "1.18.34""#,
        r#""ses_2" | "kilo" | "7.7.9""#,
    ];
    for [first, second] in [
        [Options::default(), by_kilo()],
        [by_kilo(), Options::default()],
    ] {
        let db = Db::new();
        for options in [&first, &second, &first] {
            tell(&db, options.clone(), begun());
            assert_eq!(db.rows(SOURCES), sources);
        }
    }
}

#[test]
fn where_the_release_names_no_agent_the_source_is_the_one_whose_events_come() {
    let db = Db::new();
    for (id, version) in [("ses_1", "local"), ("ses_2", "0.0.0-dev-202609")] {
        tell(&db, by_kilo(), [begun_by(id, version)]);
    }
    tell(&db, Options::default(), [begun_by("ses_3", "0.6.3")]);
    let sources = [
        r#""ses_1" | "kilo" | "local""#,
        r#""ses_2" | "kilo" | "0.0.0-dev-202609""#,
        r#""ses_3" | "opencode" | "0.6.3""#,
    ];
    assert_eq!(db.rows(SOURCES), sources);
}

#[test]
fn a_session_that_waits_for_the_network_waits_to_try_again() {
    let offline = json!({ "type": "offline", "requestID": "req_1", "message": "no network" });
    // That it goes on then, it tells as a retry that is none.
    let online = json!({ "type": "retry", "attempt": 0, "message": "Reconnected", "next": 3 });
    let db = Db::new();
    let events = [session("ses_1", at(1)), status("ses_1", offline)];
    tell(&db, by_kilo(), events);
    assert_eq!(db.value("SELECT status FROM sessions"), r#""retry""#);
    tell(&db, by_kilo(), [status("ses_1", online)]);
    assert_eq!(db.value("SELECT status FROM sessions"), r#""retry""#);
    assert!(db.rows("SELECT * FROM rejections").is_empty());
    assert!(db.rows("SELECT * FROM session_errors").is_empty());
}
