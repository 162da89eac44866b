//! What is asked last, of a host that is about to go.

use clankers::catch_up::{Answer, Request};
use clankers::{Core, Counts, Options};
use serde_json::{Value, json};

use crate::catching_up::{
    Answered, Answers, DIRECTORY, HOME, NOW, compare, drive_until, fetch_wanted, store,
};
use crate::events::{answer, idle, session, session_info, user};
use crate::support::Db;

/// A core that was not told which store its OpenCode has.
fn core() -> Core {
    Core::new(Options::default())
}

/// What OpenCode answers of these sessions, which have no messages.
fn answered(ids: &[&str]) -> Answers {
    let one = |id: &&str| {
        let info = session_info(id, json!({ "title": format!("{id}, as answered") }));
        let one = Answered {
            info,
            messages: Vec::new(),
            todos: Vec::new(),
        };
        ((*id).to_owned(), one)
    };
    Answers(ids.iter().map(one).collect())
}

/// Takes events, makes the requests up to the first that stops it, and hurries.
fn hurried(core: &mut Core, db: &Db, answers: &Answers, stops: impl Fn(&Request) -> bool) -> bool {
    core.compare(DIRECTORY);
    drive_until((core, HOME), db, answers, NOW, stops);
    core.observe(&&idle("ses_met"), 1.0);
    core.hurry(DIRECTORY)
}

/// Makes what requests there are. Gives them, each in a word or two.
fn asked(core: &mut Core, db: &Db, answers: &Answers) -> Vec<String> {
    let asked = std::cell::RefCell::new(Vec::new());
    drive_until((core, HOME), db, answers, NOW, |request| {
        let request = serde_json::to_value(request).unwrap_or_default();
        let word = |key: &str| request[key].as_str().unwrap_or_default().to_owned();
        let words = format!("{} {}", word("kind"), word("sessionId"));
        asked.borrow_mut().push(words.trim().to_owned());
        false
    });
    asked.into_inner()
}

const ALL: [&str; 5] = [
    "store",
    "storedMessages ses_met",
    "session ses_met",
    "todos ses_met",
    "messages ses_met",
];

#[test]
fn only_what_events_left_incomplete_is_asked_and_which_store_that_is() {
    let db = Db::new();
    let core = &mut core();
    let now = answered(&["ses_met", "ses_old"]);
    assert!(hurried(core, &db, &now, |_| true));
    assert_eq!(asked(core, &db, &now), ALL);
    assert!(!core.hurry(DIRECTORY));
    assert_eq!(
        db.rows("SELECT id, title FROM sessions"),
        [r#""ses_met" | "ses_met, as answered""#]
    );
    // Nothing of it is missing; the others are for the next process.
    assert_eq!(compare(&mut self::core(), &db, &now), ["ses_old"]);
}

#[test]
fn a_store_that_is_not_told_is_asked_for_once() {
    let db = Db::new();
    let core = &mut core();
    assert!(hurried(core, &db, &answered(&["ses_met"]), |_| true));
    let is_of_store = |request: &Request| matches!(request, Request::Store { .. });
    drive_until((core, HOME), &db, &answered(&[]), NOW, is_of_store);
    core.answer::<&Value>(Answer::None, NOW);
    assert!(core.hurry(DIRECTORY));
    assert_eq!(asked(core, &db, &answered(&["ses_met"])), ALL[1..]);
}

#[test]
fn a_comparison_under_way_is_given_up_and_so_is_a_history() {
    let now = answered(&["ses_met", "ses_old", "ses_older"]);
    for (stop, rest) in [
        ("sessions", &ALL[..]),
        ("storedSessions", &ALL[1..]),
        ("storedMessages", &ALL[1..]),
    ] {
        let db = Db::new();
        let core = &mut core();
        let stops = |request: &Request| {
            serde_json::to_value(request).unwrap_or_default()["kind"] == json!(stop)
        };
        assert!(hurried(core, &db, &now, stops), "{stop}");
        assert_eq!(asked(core, &db, &now), rest, "{stop}");
    }
}

#[test]
fn a_fetch_under_way_of_what_was_met_goes_on() {
    let db = Db::new();
    let core = &mut core();
    let now = answered(&["ses_met", "ses_old"]);
    core.observe(&&idle("ses_met"), 1.0);
    core.fetch_wanted(DIRECTORY);
    let is_session = |request: &Request| matches!(request, Request::Session { .. });
    drive_until((core, HOME), &db, &now, NOW, is_session);
    assert!(core.hurry(DIRECTORY));
    assert_eq!(asked(core, &db, &now), ALL[2..]);
    assert!(!core.hurry(DIRECTORY));
}

#[test]
fn where_nothing_was_left_incomplete_nothing_is_asked() {
    let db = Db::new();
    let core = &mut core();
    core.compare(DIRECTORY);
    assert!(!core.hurry(DIRECTORY));
    assert_eq!(asked(core, &db, &answered(&["ses_old"])), [""; 0]);
    let mut created = session("ses_1", json!({}));
    created["type"] = json!("session.created");
    core.observe(&&created, 1.0);
    assert!(!core.hurry(DIRECTORY));
}

#[test]
fn what_another_directory_s_host_is_asked_goes_on() {
    let db = Db::new();
    let core = &mut core();
    let now = answered(&["ses_old"]);
    core.compare(DIRECTORY);
    assert!(!core.hurry("/home/user/elsewhere"));
    store(core, &db);
    fetch_wanted(core, &db, &now);
    assert_eq!(compare(&mut self::core(), &db, &now), [""; 0]);
}

#[test]
fn what_events_left_incomplete_is_asked_before_a_history_and_once() {
    let db = Db::new();
    let core = &mut core();
    let now = answered(&["ses_met", "ses_old"]);
    let is_session = |request: &Request| matches!(request, Request::StoredMessages { session_id, .. } if session_id == "ses_met");
    core.compare(DIRECTORY);
    drive_until((core, HOME), &db, &now, NOW, is_session);
    core.observe(&&idle("ses_old"), 1.0);
    core.observe(&&idle("ses_new"), 1.0);
    core.fetch_wanted(DIRECTORY);
    let fetched: Vec<String> = asked(core, &db, &now)
        .into_iter()
        .filter(|asked| asked.starts_with("session "))
        .collect();
    assert_eq!(
        fetched,
        ["session ses_met", "session ses_new", "session ses_old"]
    );
}

/// A turn in a session that this core has seen from its creation on; no event
/// tells of the session itself after it.
fn turned(core: &mut Core) {
    let mut created = session("ses_1", json!({}));
    created["type"] = json!("session.created");
    for event in [
        created,
        user("ses_1", "msg_1", json!({})),
        answer("ses_1", "msg_2", json!({})),
        idle("ses_1"),
    ] {
        core.observe(&&event, 1.0);
    }
}

/// What OpenCode answers of that session, whose time of change has moved.
fn moved() -> Answers {
    let mut now = answered(&["ses_1"]);
    for one in now.0.values_mut() {
        one.info["time"] = json!({ "created": 1000, "updated": 1500 });
    }
    now
}

const WHOLE: &str =
    "SELECT updated_at || ' ' || whole_at FROM sessions JOIN session_own ON session_id = id";

#[test]
fn a_session_is_asked_for_its_time_of_change_alone_where_a_turn_may_have_moved_it() {
    let db = Db::new();
    let core = &mut core();
    turned(core);
    store(core, &db);
    assert_eq!(db.value(WHOLE), r#""1000 1000""#);
    assert!(core.fetch_wanted(DIRECTORY));
    assert_eq!(asked(core, &db, &moved()), ["session ses_1"]);
    assert_eq!(core.take_counts(), Counts::default());
    assert_eq!(db.value(WHOLE), r#""1500 1500""#);
    assert_eq!(compare(&mut self::core(), &db, &moved()), [""; 0]);
    assert!(!core.fetch_wanted(DIRECTORY));
}

#[test]
fn a_host_that_is_about_to_go_is_asked_for_it_too() {
    let db = Db::new();
    let core = &mut core();
    turned(core);
    assert!(core.hurry(DIRECTORY));
    assert_eq!(asked(core, &db, &moved()), ["session ses_1"]);
    assert!(!core.hurry(DIRECTORY));
    assert_eq!(db.value(WHOLE), r#""1500 1500""#);
}

/// The first turn of a session begins, and all sessions are compared.
fn begun(core: &mut Core) {
    let mut created = session("ses_1", json!({}));
    created["type"] = json!("session.created");
    for event in [created, user("ses_1", "msg_1", json!({}))] {
        core.observe(&&event, 1.0);
    }
    core.compare(DIRECTORY);
}

#[test]
fn a_fetch_that_is_given_up_leaves_whole_what_events_told() {
    // A comparison finds the session in the middle of its first turn.
    for (kind, ends) in [
        ("storedMessages", CoreEnd::Hurry),
        ("session", CoreEnd::Hurry),
        ("todos", CoreEnd::Hurry),
        ("todos", CoreEnd::Leave),
    ] {
        let db = Db::new();
        let core = &mut core();
        begun(core);
        drive_until((core, HOME), &db, &moved(), NOW, |request| {
            serde_json::to_value(request).unwrap_or_default()["kind"] == json!(kind)
        });
        core.observe(&&answer("ses_1", "msg_2", json!({})), 1.0);
        core.observe(&&idle("ses_1"), 1.0);
        if matches!(ends, CoreEnd::Hurry) {
            assert!(core.hurry(DIRECTORY), "{kind}");
            assert_eq!(asked(core, &db, &moved()), ["session ses_1"], "{kind}");
            assert!(!core.hurry(DIRECTORY), "{kind}");
        }
        core.leave(DIRECTORY);
        // What is told after it is of what is known.
        let time = json!({ "time": { "created": 1000, "updated": 1600 } });
        core.observe(&&session("ses_1", time), 1.0);
        store(core, &db);
        assert_eq!(db.value(WHOLE), r#""1600 1600""#, "{kind} {ends:?}");
    }
}

/// What is asked where a turn ends while a session is being asked for, and this is
/// told then.
fn asked_after_a_turn(db: &Db, told: Option<Value>) -> Vec<String> {
    let core = &mut core();
    begun(core);
    let is_todos = |request: &Request| matches!(request, Request::Todos { .. });
    drive_until((core, HOME), db, &answered(&["ses_1"]), NOW, is_todos);
    let turn = [answer("ses_1", "msg_2", json!({})), idle("ses_1")];
    for event in turn.into_iter().chain(told) {
        core.observe(&&event, 1.0);
    }
    asked(core, db, &moved())
}

#[test]
fn an_answer_of_before_a_turns_end_does_not_stand_for_one_of_after_it() {
    let db = Db::new();
    let rest = ["todos ses_1", "messages ses_1", "session ses_1"];
    assert_eq!(asked_after_a_turn(&db, None), rest);
    assert_eq!(db.value(WHOLE), r#""1500 1500""#);
}

#[test]
fn a_session_whose_time_is_told_while_it_is_asked_for_is_not_asked_for_again() {
    let db = Db::new();
    let time = json!({ "time": { "created": 1000, "updated": 1600 } });
    let told = session("ses_1", time);
    let rest = ["todos ses_1", "messages ses_1"];
    assert_eq!(asked_after_a_turn(&db, Some(told)), rest);
    assert_eq!(db.value(WHOLE), r#""1600 1600""#);
}

/// How a directory's host goes.
#[derive(Debug)]
enum CoreEnd {
    Hurry,
    Leave,
}

#[test]
fn a_session_whose_time_is_told_after_its_turn_is_not_asked_for() {
    let db = Db::new();
    let core = &mut core();
    turned(core);
    core.fetch_wanted(DIRECTORY);
    core.observe(&&session("ses_1", json!({})), 1.0);
    assert_eq!(asked(core, &db, &moved()), [""; 0]);
    assert!(!core.hurry(DIRECTORY));
}

#[test]
fn what_comes_of_a_look_leaves_a_session_whole() {
    let gone = Answers::default();
    let is_session = |request: &Request| matches!(request, Request::Session { .. });
    for ends in [
        |core: &mut Core| core.leave(DIRECTORY),
        |core: &mut Core| {
            core.answer::<&Value>(Answer::Failed, NOW);
        },
    ] {
        let db = Db::new();
        let core = &mut core();
        turned(core);
        core.fetch_wanted(DIRECTORY);
        drive_until((core, HOME), &db, &gone, NOW, is_session);
        ends(core);
        core.observe(&&session("ses_1", json!({})), 1.0);
        store(core, &db);
        assert_eq!(db.value(WHOLE), r#""1000 1000""#);
        assert!(!core.fetch_wanted(DIRECTORY));
    }
}

#[test]
fn a_turn_that_begins_while_a_session_is_looked_at_takes_the_mark_away() {
    let db = Db::new();
    let core = &mut core();
    turned(core);
    core.fetch_wanted(DIRECTORY);
    let is_session = |request: &Request| matches!(request, Request::Session { .. });
    drive_until((core, HOME), &db, &moved(), NOW, is_session);
    core.observe(&&user("ses_1", "msg_3", json!({})), 1.0);
    assert_eq!(asked(core, &db, &moved()), ["session ses_1"]);
    let whole = "SELECT whole_at FROM session_own";
    assert_eq!(db.value(whole), "NULL");
    core.observe(&&idle("ses_1"), 1.0);
    store(core, &db);
    assert_eq!(db.value(whole), "1500");
}
