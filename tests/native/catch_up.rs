//! What no event brought, asked of OpenCode.

use clankers::Core;
use serde_json::{Value, json};

use crate::catching_up::{Answered, Answers, HOME, compare, core_at, fetch, fetch_wanted, store};
use crate::events::{
    answer, delta, idle, message_removed, part, session, session_info, text, user,
};
use crate::support::Db;

fn core() -> Core {
    core_at(HOME)
}

fn told(core: &mut Core, db: &Db, events: impl IntoIterator<Item = Value>) {
    for event in events {
        core.observe(&&event, 1.0);
    }
    store(core, db);
}

fn updated(at: u32) -> Value {
    json!({ "time": { "created": 1000, "updated": at } })
}

/// A session whose answers `msg_N` have a text and a call each.
fn answered(updated_at: u32, messages: &[u32]) -> Answers {
    let message = |number: &u32| {
        let id = format!("msg_{number}");
        let mut info = answer("ses_1", &id, json!({}));
        let parts: Vec<Value> = parts_of(*number)
            .map(|mut event| event["properties"]["part"].take())
            .into();
        json!({ "info": info["properties"]["info"].take(), "parts": parts })
    };
    let one = Answered {
        info: session_info("ses_1", updated(updated_at)),
        messages: messages.iter().map(message).collect(),
        todos: Vec::new(),
    };
    Answers([("ses_1".to_owned(), one)].into())
}

fn parts_of(number: u32) -> [Value; 2] {
    let message = format!("msg_{number}");
    let (said, called) = (format!("prt_{number}a"), format!("prt_{number}b"));
    let state = json!({ "status": "completed", "input": {}, "output": "out", "title": "t", "metadata": {}, "time": { "start": 1, "end": 2 } });
    let call = json!({ "callID": "call", "tool": "bash", "state": state });
    [
        text(("ses_1", &message, &said), "words"),
        part(("ses_1", &message, &called), "tool", call),
    ]
}

/// A database in which that session was recorded from its creation on.
fn recorded(messages: &[u32]) -> Db {
    let db = Db::new();
    let mut created = session("ses_1", updated(1000));
    created["type"] = json!("session.created");
    let events = messages.iter().flat_map(|number| {
        let [said, called] = parts_of(*number);
        [
            answer("ses_1", &format!("msg_{number}"), json!({})),
            said,
            called,
        ]
    });
    told(&mut core(), &db, [created].into_iter().chain(events));
    db
}

const MESSAGES: &str = "SELECT id, deleted_at IS NOT NULL, text_content FROM messages ORDER BY id";
const CALLS: &str = "SELECT id, deleted_at IS NOT NULL, output FROM tool_calls ORDER BY id";
const PARTS: &str = "SELECT id, text FROM parts ORDER BY id";

#[test]
fn what_is_stored_as_opencode_has_it_is_not_asked_for() {
    let db = recorded(&[1]);
    assert_eq!(compare(&mut core(), &db, &answered(1000, &[1])), [""; 0]);
    assert_eq!(
        compare(&mut core(), &db, &answered(1001, &[1])),
        ["ses_1"],
        "what has changed since is"
    );
    assert_eq!(compare(&mut core(), &db, &answered(1001, &[1])), [""; 0]);
}

#[test]
fn a_history_is_brought_in_though_its_session_goes_on_before_it_is_compared() {
    let db = Db::new();
    let mut core = core();
    // A person goes on with an old session as soon as the plugin is there.
    told(
        &mut core,
        &db,
        [
            session("ses_1", updated(2000)),
            answer("ses_1", "msg_3", json!({})),
        ],
    );
    let now = answered(2000, &[1, 2, 3]);
    assert_eq!(compare(&mut core, &db, &now), ["ses_1"]);
    assert_eq!(db.value("SELECT count(*) FROM messages"), "3");
    // From here on events tell all of it.
    told(&mut core, &db, [session("ses_1", updated(3000))]);
    assert_eq!(
        compare(&mut core, &db, &answered(3000, &[1, 2, 3])),
        [""; 0]
    );
}

#[test]
fn what_a_crash_lost_is_brought_in_though_its_session_goes_on_before_it_is_compared() {
    let db = recorded(&[1]);
    let mut core = core();
    told(&mut core, &db, [session("ses_1", updated(3000))]);
    assert_eq!(compare(&mut core, &db, &answered(3000, &[1, 2])), ["ses_1"]);
    assert_eq!(db.value("SELECT count(*) FROM messages"), "2");
}

#[test]
fn a_catch_up_that_is_cut_off_is_made_again() {
    let db = Db::new();
    let mut core = core();
    core.begin_recall("ses_1");
    let events = [
        session("ses_1", updated(1000)),
        answer("ses_1", "msg_1", json!({})),
    ];
    for event in &events {
        core.recall(&event, 1.0);
    }
    store(&mut core, &db);
    // The process ends here.
    let whole = answered(1000, &[1, 2]);
    assert_eq!(compare(&mut self::core(), &db, &whole), ["ses_1"]);
    assert_eq!(db.value("SELECT count(*) FROM messages"), "2");
}

#[test]
fn a_session_that_is_not_answered_whole_is_stored_and_asked_for_again() {
    let db = Db::new();
    let mut core = core();
    core.begin_recall("ses_1");
    core.recall(&&session("ses_1", updated(1000)), 1.0);
    core.end_recall("ses_1", false);
    store(&mut core, &db);
    assert_eq!(db.value("SELECT title FROM sessions"), r#""A title""#);
    assert_eq!(compare(&mut core, &db, &answered(1000, &[1])), ["ses_1"]);
}

#[test]
fn what_opencode_has_no_more_becomes_a_tombstone() {
    let db = recorded(&[1, 2, 3]);
    let mut now = answered(2000, &[1, 3]);
    let parts = now.0.get_mut("ses_1").unwrap().messages[1]["parts"]
        .as_array_mut()
        .unwrap();
    parts.clear();
    compare(&mut core(), &db, &now);
    assert_eq!(
        db.rows(MESSAGES),
        [
            r#""msg_1" | 0 | "words""#,
            r#""msg_2" | 1 | """#,
            r#""msg_3" | 0 | """#
        ]
    );
    assert_eq!(
        db.rows(CALLS),
        [
            r#""prt_1b" | 0 | "out""#,
            r#""prt_2b" | 1 | NULL"#,
            r#""prt_3b" | 1 | NULL"#
        ]
    );
    assert_eq!(
        db.rows(PARTS),
        [r#""prt_1a" | "words""#, r#""prt_2a" | NULL"#]
    );
    // Nothing more is asked because of it.
    let mut core = core();
    assert_eq!(compare(&mut core, &db, &now), [""; 0]);
    assert_eq!(core.wanted(), [""; 0]);
}

#[test]
fn an_answer_that_is_older_than_what_is_stored_removes_nothing() {
    let db = recorded(&[1, 2]);
    fetch(&mut core(), &db, &answered(999, &[1]), "ses_1");
    assert_eq!(
        db.value("SELECT count(*) FROM messages WHERE deleted_at IS NULL"),
        "2"
    );
}

#[test]
fn another_opencodes_answer_removes_nothing_not_even_once_it_has_gone_on_with_the_session() {
    let db = recorded(&[1, 2]);
    let mut elsewhere = core_at("/mnt/copy/opencode/opencode.db");
    told(&mut elsewhere, &db, [session("ses_1", updated(2000))]);
    fetch(&mut elsewhere, &db, &answered(2000, &[1]), "ses_1");
    // Nor does the first one's: the second's messages are none of its own.
    fetch(&mut core(), &db, &answered(3000, &[1]), "ses_1");
    assert_eq!(
        db.value("SELECT count(*) FROM messages WHERE deleted_at IS NULL"),
        "2"
    );
}

#[test]
fn what_events_told_while_opencode_was_asked_is_not_called_removed() {
    let db = recorded(&[1, 2]);
    let mut core = core();
    let held = db.read(
        clankers::store::STORED_MESSAGES,
        &json!({ "sessionId": "ses_1" }),
    );
    core.begin_recall("ses_1");
    core.observe(&&answer("ses_1", "msg_2", json!({})), 1.0);
    let info = session_info("ses_1", updated(2000));
    for absent in core.absent(&&info, &[], &held) {
        core.settle_absent("ses_1", absent, &&Value::Null, 1.0);
    }
    core.end_recall("ses_1", true);
    store(&mut core, &db);
    assert_eq!(
        db.rows("SELECT id, deleted_at IS NOT NULL FROM messages ORDER BY id"),
        [r#""msg_1" | 1"#, r#""msg_2" | 0"#]
    );
}

#[test]
fn a_removal_that_an_event_tells_is_followed_by_a_look_at_what_the_session_costs_now() {
    let db = recorded(&[1, 2]);
    let mut core = core();
    told(&mut core, &db, [message_removed("ses_1", "msg_2")]);
    let mut now = answered(1000, &[1]);
    now.0.get_mut("ses_1").unwrap().info["cost"] = json!(0.25);
    fetch_wanted(&mut core, &db, &now);
    assert_eq!(db.value("SELECT cost FROM sessions"), "0.25");
    assert_eq!(core.wanted(), [""; 0]);
}

#[test]
fn what_a_crash_cuts_off_in_the_middle_of_a_turn_is_asked_for_once() {
    let db = recorded(&[1]);
    let mut core = core();
    compare(&mut core, &db, &answered(1001, &[1]));
    let asked = json!({ "time": { "created": 2000 } });
    // The last that is stored before the crash tells the time that OpenCode lists.
    told(
        &mut core,
        &db,
        [
            user("ses_1", "msg_2", asked),
            session("ses_1", updated(2000)),
        ],
    );
    let mut cut_off = answered(2000, &[1, 3]);
    let last = cut_off.0.get_mut("ses_1").unwrap().messages.last_mut();
    let time = last.unwrap()["info"]["time"].as_object_mut().unwrap();
    time.remove("completed");
    let restarted = &mut self::core();
    assert_eq!(compare(restarted, &db, &cut_off), ["ses_1"]);
    assert_eq!(
        db.value("SELECT count(*) FROM messages WHERE deleted_at IS NULL"),
        "2"
    );
    // An answer that never ended in OpenCode either is not asked for again.
    assert_eq!(compare(&mut self::core(), &db, &cut_off), [""; 0]);
}

#[test]
fn a_turn_that_ends_leaves_its_session_whole() {
    let db = recorded(&[1]);
    let mut core = core();
    compare(&mut core, &db, &answered(1001, &[1]));
    told(
        &mut core,
        &db,
        [
            user("ses_1", "msg_2", json!({ "time": { "created": 2000 } })),
            session("ses_1", updated(2000)),
            answer("ses_1", "msg_3", json!({})),
            idle("ses_1"),
        ],
    );
    let now = answered(2000, &[1, 2, 3]);
    assert_eq!(compare(&mut self::core(), &db, &now), [""; 0]);
}

#[test]
fn a_session_that_opencode_did_not_answer_for_stays_to_be_asked_for() {
    let db = recorded(&[1, 2]);
    let mut core = core();
    // A text whose beginning was missed: a fetch is wanted, and fails.
    told(&mut core, &db, [delta(("ses_1", "msg_2", "prt_9"), "late")]);
    assert_eq!(core.wanted(), ["ses_1"]);
    fetch(&mut core, &db, &Answers::default(), "ses_1");
    told(&mut core, &db, [session("ses_1", updated(1000))]);
    let restarted = &mut self::core();
    assert_eq!(compare(restarted, &db, &answered(1000, &[1, 2])), ["ses_1"]);
}
