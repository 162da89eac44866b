//! What is asked for, and when: what is new or changed, each request until it is
//! answered.

use clankers::Core;
use clankers::catch_up::{Answer, Request};
use serde_json::{Value, json};

use super::{answered, core, recorded, told, updated};
use crate::catching_up::{
    Answers, DIRECTORY, HOME, NOW, compare, compare_at, core_at, drive_until, fetch_at,
    fetch_wanted, store,
};
use crate::events::{answer, message_removed, session};
use crate::support::Db;

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
fn a_request_stays_until_it_is_answered_and_what_leaves_asks_no_more() {
    let db = Db::new();
    let mut core = core();
    core.compare(DIRECTORY);
    let first = core.next_request(NOW);
    assert_eq!(first, core.next_request(NOW));
    core.leave("/home/user/elsewhere");
    assert_eq!(first, core.next_request(NOW));
    let whole = answered(1000, &[1]);
    let messages = |request: &Request| matches!(request, Request::Messages { .. });
    drive_until((&mut core, HOME), &db, &whole, NOW, messages);
    core.leave(DIRECTORY);
    assert_eq!(core.next_request(NOW), None);
    // An answer that comes late is an answer to nothing.
    core.answer(Answer::Found(&&json!({ "items": [] })), NOW);
    store(&mut core, &db);
    assert_eq!(compare(&mut core, &db, &whole), ["ses_1"]);
}

/// Asks for a session whose messages are answered with this page each time. Gives how often.
fn pages_asked(core: &mut Core, db: &Db, page: impl Fn(usize) -> Value) -> usize {
    let whole = answered(1000, &[1]);
    let mut asked = 0;
    core.fetch(DIRECTORY, vec!["ses_1".to_owned()]);
    let messages = |request: &Request| matches!(request, Request::Messages { .. });
    loop {
        drive_until((core, HOME), db, &whole, NOW, messages);
        if core.next_request(NOW).is_none() || asked == 100 {
            store(core, db);
            return asked;
        }
        core.answer(Answer::Found(&&page(asked)), NOW);
        asked += 1;
    }
}

#[test]
fn pages_without_an_end_end_and_are_not_the_whole_session() {
    let message = answered(1000, &[1]).0["ses_1"].messages[0].clone();
    let same = |_| json!({ "items": [message], "next": "same" });
    let empty = |asked: usize| json!({ "items": [], "next": asked.to_string() });
    let nothing = |asked: usize| json!({ "items": null, "next": asked.to_string() });
    for (page, times) in [
        (&same as &dyn Fn(usize) -> Value, 2),
        (&empty, 1),
        (&nothing, 1),
    ] {
        let db = recorded(&[1, 2]);
        let mut core = core();
        assert_eq!(pages_asked(&mut core, &db, page), times);
        let missing = "SELECT count(*) FROM messages WHERE missing_since IS NOT NULL";
        assert_eq!(db.value(missing), "0");
        let db = Db::new();
        let mut core = self::core();
        pages_asked(&mut core, &db, page);
        let whole = answered(1000, &[1, 2]);
        assert_eq!(compare(&mut core, &db, &whole), ["ses_1"]);
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how long it takes is the point")]
fn a_hundred_thousand_sessions_are_queued_in_a_moment() {
    let mut core = core();
    let ids = |from: u32| (from..from + 100_000).map(|number| format!("ses_{number}"));
    let began = std::time::Instant::now();
    core.fetch(DIRECTORY, ids(0).collect());
    core.fetch(DIRECTORY, ids(50_000).collect());
    // Reading through the queue for each takes minutes.
    assert!(began.elapsed() < std::time::Duration::from_secs(20));
    let mut asked = 0;
    while let Some(Request::StoredMessages { .. }) = core.next_request(NOW) {
        asked += 1;
        core.answer::<&Value>(Answer::Failed, NOW);
        core.answer::<&Value>(Answer::None, NOW);
    }
    assert_eq!(asked, 150_000, "each once");
}

#[test]
fn a_to_do_list_of_an_older_copy_only_fills_an_empty_one() {
    let with_list = |updated_at: u32, words: &str| {
        let mut answers = answered(updated_at, &[1]);
        let todo = json!({ "content": words, "status": "pending", "priority": "high" });
        let todos = if words.is_empty() { vec![] } else { vec![todo] };
        answers
            .0
            .entry("ses_1".to_owned())
            .and_modify(|one| one.todos = todos);
        answers
    };
    let db = Db::new();
    let list = "SELECT group_concat(content) FROM todos";
    compare_at((&mut core(), HOME), &db, &with_list(1000, "first"), 2000.0);
    assert_eq!(db.value(list), r#""first""#);
    fetch_at(
        (&mut core(), HOME),
        &db,
        &with_list(5000, "newer"),
        "ses_1",
        6000.0,
    );
    assert_eq!(db.value(list), r#""newer""#);
    for words in ["", "older"] {
        let copy = with_list(1000, words);
        fetch_at((&mut core_at("copy"), "copy"), &db, &copy, "ses_1", 7000.0);
        assert_eq!(db.value(list), r#""newer""#);
    }
    // What is as new is right, an empty list too.
    fetch_at(
        (&mut core(), HOME),
        &db,
        &with_list(5000, ""),
        "ses_1",
        8000.0,
    );
    assert_eq!(db.value(list), "NULL");
    let copy = with_list(1000, "older");
    fetch_at((&mut core_at("copy"), "copy"), &db, &copy, "ses_1", 9000.0);
    assert_eq!(db.value(list), r#""older""#);
}

#[test]
fn all_is_compared_again_ever_later_while_what_is_stored_cannot_be_told() {
    let mut core = core();
    let db = Db::new();
    let stored = |request: &Request| matches!(request, Request::StoredSessions { .. });
    assert_eq!(core.compare_again_in(), None);
    let mut waits = Vec::new();
    for _ in 0..8 {
        core.compare(DIRECTORY);
        drive_until((&mut core, HOME), &db, &Answers::default(), NOW, stored);
        core.answer::<&Value>(Answer::Failed, NOW);
        waits.extend(core.compare_again_in());
    }
    assert_eq!(waits[..3], [20_000.0, 40_000.0, 80_000.0]);
    assert_eq!(waits.last(), Some(&600_000.0));
    compare(&mut core, &db, &Answers::default());
    assert_eq!(core.compare_again_in(), None);
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
    assert!(!core.fetch_wanted(DIRECTORY));
}

#[test]
fn what_a_message_holds_is_not_counted_where_ids_order_it() {
    let db = Db::new();
    let mut now = answered(1000, &[1]);
    let message = &mut now.0.get_mut("ses_1").unwrap().messages[0];
    message["info"]["time"] = json!({ "created": 1 });
    compare(&mut core(), &db, &now);
    for table in ["parts", "tool_calls"] {
        let held = format!("SELECT count(*) || ' ' || count(position) FROM {table}");
        assert_eq!(db.value(&held), r#""1 0""#, "{table}");
    }
}
