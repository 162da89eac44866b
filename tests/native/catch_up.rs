//! What no event brought, asked of OpenCode.

use clankers::catch_up::{Answer, Request};
use clankers::model::command::{Command, SessionDelete};
use clankers::model::number::Number;
use clankers::model::row::OnDelete;
use clankers::{Core, Urgency};
use serde_json::{Value, json};

use crate::catching_up::{
    Answered, Answers, DIRECTORY, HOME, NOW, compare, compare_at, core_at, drive_until, fetch,
    fetch_at, fetch_wanted, store,
};
use crate::events::{
    answer, delta, idle, message_removed, part, part_removed, session, session_info, text, user,
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

const MESSAGES: &str =
    "SELECT id, deleted_at, missing_since, text_content FROM messages ORDER BY id";
const CALLS: &str = "SELECT id, deleted_at, missing_since, output FROM tool_calls ORDER BY id";
const PARTS: &str = "SELECT id, missing_since, text FROM parts ORDER BY id";

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
    let whole = answered(1000, &[1, 2, 3]);
    core.compare(DIRECTORY);
    let second = |request: &Request| matches!(request, Request::Messages { page: Some(_), .. });
    drive_until((&mut core, HOME), &db, &whole, NOW, second);
    assert_eq!(db.value("SELECT count(*) FROM messages"), "2");
    // The process ends here.
    assert_eq!(compare(&mut self::core(), &db, &whole), ["ses_1"]);
    assert_eq!(db.value("SELECT count(*) FROM messages"), "3");
    assert_eq!(compare(&mut self::core(), &db, &whole), [""; 0]);
}

#[test]
fn a_session_that_is_not_answered_whole_is_stored_and_asked_for_again() {
    for outcome in [Answer::None, Answer::Failed, Answer::NotOffered] {
        let db = Db::new();
        let mut core = core();
        let whole = answered(1000, &[1]);
        core.compare(DIRECTORY);
        let messages = |request: &Request| matches!(request, Request::Messages { .. });
        drive_until((&mut core, HOME), &db, &whole, NOW, messages);
        core.answer::<&Value>(outcome, NOW);
        assert_eq!(core.next_request(NOW), None);
        store(&mut core, &db);
        assert_eq!(db.value("SELECT title FROM sessions"), r#""A title""#);
        assert_eq!(compare(&mut core, &db, &whole), ["ses_1"]);
    }
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
fn what_opencode_has_no_more_is_missing_and_keeps_its_content() {
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
            r#""msg_1" | NULL | NULL | "words""#,
            r#""msg_2" | NULL | 9000000 | "words""#,
            // Its text is what its parts say that are there.
            r#""msg_3" | NULL | NULL | """#
        ]
    );
    assert_eq!(
        db.rows(CALLS),
        [
            r#""prt_1b" | NULL | NULL | "out""#,
            r#""prt_2b" | NULL | 9000000 | "out""#,
            r#""prt_3b" | NULL | 9000000 | "out""#
        ]
    );
    assert_eq!(
        db.rows(PARTS),
        [
            r#""prt_1a" | NULL | "words""#,
            r#""prt_2a" | NULL | "words""#,
            r#""prt_3a" | 9000000 | "words""#
        ]
    );
    // Nothing more is asked because of it.
    let mut core = core();
    assert_eq!(compare(&mut core, &db, &now), [""; 0]);
    assert!(!core.fetch_wanted(DIRECTORY));
}

#[test]
fn what_was_missing_is_there_again_once_the_store_answers_with_it() {
    let db = recorded(&[1, 2, 3]);
    let whole = db.dump_of(&["messages", "parts", "tool_calls"]);
    let lost = answered(2000, &[1]);
    compare(&mut core(), &db, &lost);
    assert_ne!(db.dump_of(&["messages", "parts", "tool_calls"]), whole);
    let back = answered(3000, &[1, 2, 3]);
    compare_at((&mut core(), HOME), &db, &back, 9_100_000.0);
    assert_eq!(db.dump_of(&["messages", "parts", "tool_calls"]), whole);
}

#[test]
fn a_session_that_its_store_has_no_more_is_missing_with_all_that_is_in_it() {
    let db = recorded(&[1]);
    let ledger = db.dump_of(&["usage"]);
    compare(&mut core(), &db, &Answers::default());
    let missing = "SELECT title, missing_since, deleted_at FROM sessions";
    assert_eq!(db.value(missing), r#""A title""#);
    assert_eq!(db.rows(missing), [r#""A title" | 9000000 | NULL"#]);
    assert_eq!(db.rows(MESSAGES), [r#""msg_1" | NULL | 9000000 | "words""#]);
    assert_eq!(db.rows(CALLS), [r#""prt_1b" | NULL | 9000000 | "out""#]);
    assert_eq!(db.dump_of(&["usage"]), ledger);
    // It comes back as it was, and is looked at once more.
    let again = answered(1000, &[1]);
    let back = compare_at((&mut core(), HOME), &db, &again, 9_100_000.0);
    assert_eq!(back, ["ses_1"]);
    assert_eq!(db.rows(missing), [r#""A title" | NULL | NULL"#]);
    assert_eq!(db.rows(CALLS), [r#""prt_1b" | NULL | NULL | "out""#]);
    assert_eq!(compare(&mut core(), &db, &again), [""; 0]);
}

#[test]
fn a_session_is_missing_only_once_every_store_that_had_it_lacks_it() {
    let db = recorded(&[1]);
    let there = answered(1000, &[1]);
    // A copy of the home lists the session too.
    let copy = "store-of-a-copy";
    compare_at((&mut core_at(copy), copy), &db, &there, NOW);
    let missing = "SELECT missing_since FROM sessions";
    compare(&mut core(), &db, &Answers::default());
    assert_eq!(db.value(missing), "NULL");
    compare_at((&mut core_at(copy), copy), &db, &Answers::default(), NOW);
    assert_eq!(db.value(missing), "9000000");
}

#[test]
fn a_copy_that_went_on_before_the_other_store_did_only_fills_in() {
    let db = recorded(&[1, 2]);
    let mut theirs = answered(500, &[1, 3]);
    let of_copy = theirs.0.get_mut("ses_1").unwrap();
    of_copy.info["title"] = json!("An older title");
    of_copy.messages[0]["parts"][0]["text"] = json!("as it was");
    let copy = "store-of-a-copy";
    let compared = |answers: &Answers| compare_at((&mut core_at(copy), copy), &db, answers, NOW);
    assert_eq!(compared(&theirs), ["ses_1"]);
    assert_eq!(
        db.rows(MESSAGES),
        ["msg_1", "msg_2", "msg_3"].map(|id| format!(r#""{id}" | NULL | NULL | "words""#))
    );
    let session = "SELECT title, updated_at FROM sessions";
    assert_eq!(db.rows(session), [r#""A title" | 1000"#]);
    assert_eq!(compared(&theirs), [""; 0], "it is asked for once");
}

#[test]
fn where_the_store_is_in_doubt_nothing_is_missing() {
    let db = recorded(&[1, 2]);
    let mut doubtful = Core::new(clankers::Options::default());
    compare_at((&mut doubtful, ""), &db, &Answers::default(), NOW);
    fetch_at(
        (&mut doubtful, ""),
        &db,
        &answered(2000, &[1]),
        "ses_1",
        NOW,
    );
    store(&mut doubtful, &db);
    let marks =
        "SELECT count(*) FROM messages WHERE coalesce(deleted_at, missing_since) IS NOT NULL";
    assert_eq!(db.value(marks), "0");
}

#[test]
fn another_stores_answer_marks_nothing_not_even_once_it_has_gone_on_with_the_session() {
    let db = recorded(&[1, 2]);
    let copy = "store-of-a-copy";
    let mut elsewhere = core_at(copy);
    told(&mut elsewhere, &db, [session("ses_1", updated(2000))]);
    let theirs = answered(2000, &[1]);
    fetch_at((&mut elsewhere, copy), &db, &theirs, "ses_1", NOW);
    store(&mut elsewhere, &db);
    // Nor does the first one's: the second's messages are none of its own.
    let mut core = core();
    fetch(&mut core, &db, &answered(3000, &[1]), "ses_1");
    store(&mut core, &db);
    let marks =
        "SELECT count(*) FROM messages WHERE coalesce(deleted_at, missing_since) IS NOT NULL";
    assert_eq!(db.value(marks), "0");
}

#[test]
fn what_events_told_while_opencode_was_asked_is_not_missing() {
    let db = recorded(&[1, 2]);
    let mut core = core();
    let now = answered(2000, &[]);
    core.fetch(DIRECTORY, vec!["ses_1".to_owned()]);
    let session = |request: &Request| matches!(request, Request::Session { .. });
    drive_until((&mut core, HOME), &db, &now, NOW, session);
    core.observe(&&answer("ses_1", "msg_2", json!({})), 1.0);
    drive_until((&mut core, HOME), &db, &now, NOW, |_| false);
    assert_eq!(
        db.rows("SELECT id, missing_since FROM messages ORDER BY id"),
        [r#""msg_1" | 9000000"#, r#""msg_2" | NULL"#]
    );
}

/// A session whose deletion an event told, at a time.
fn deleted_at(at: f64, on_delete: OnDelete) -> Db {
    let db = recorded(&[1, 2]);
    let mut core = Core::new(clankers::Options {
        on_delete,
        store_id: Some(HOME.to_owned()),
        ..clankers::Options::default()
    });
    let mut event = session("ses_1", updated(1000));
    event["type"] = json!("session.deleted");
    core.observe(&&event, at);
    store(&mut core, &db);
    db
}

#[test]
fn a_deleted_session_is_alive_again_once_the_store_that_told_it_answers_with_it() {
    for on_delete in [OnDelete::Tombstone, OnDelete::Keep, OnDelete::Purge] {
        let whole = recorded(&[1]);
        let db = deleted_at(5000.0, on_delete);
        assert_ne!(db.rows(MESSAGES), whole.rows(MESSAGES));
        // An export from before the deletion is brought in again, with one message.
        let back = answered(1000, &[1]);
        compare_at((&mut core(), HOME), &db, &back, 6000.0);
        let alive = "SELECT title, deleted_at FROM sessions";
        assert_eq!(db.rows(alive), [r#""A title" | NULL"#], "{on_delete:?}");
        let first = "SELECT id, deleted_at, missing_since, text_content FROM messages WHERE deleted_at IS NULL";
        assert_eq!(db.rows(first), whole.rows(MESSAGES), "{on_delete:?}");
        let calls =
            "SELECT id, deleted_at, missing_since, output FROM tool_calls WHERE deleted_at IS NULL";
        assert_eq!(db.rows(calls), whole.rows(CALLS), "{on_delete:?}");
        // It can be deleted again.
        let mut core = core();
        let mut event = session("ses_1", updated(1000));
        event["type"] = json!("session.deleted");
        core.observe(&&event, 7000.0);
        store(&mut core, &db);
        assert_eq!(db.value("SELECT deleted_at FROM sessions"), "7000");
        let words = "SELECT count(*) FROM messages WHERE text_content <> ''";
        assert_eq!(db.value(words), "0");
    }
}

#[test]
fn that_a_turn_has_begun_is_stored_at_once_so_that_a_crash_after_it_is_seen() {
    let db = recorded(&[1]);
    let mut core = core();
    compare(&mut core, &db, &answered(2000, &[1]));
    assert_eq!(
        core.observe(&&user("ses_1", "msg_2", json!({})), 1.0),
        Urgency::Now
    );
    store(&mut core, &db);
    // It is killed. What it did not store left the time of change as it was.
    let now = answered(2000, &[1, 2, 3]);
    assert_eq!(compare(&mut self::core(), &db, &now), ["ses_1"]);
    assert_eq!(db.value("SELECT count(*) FROM messages"), "3");
}

fn session_deleted(db: &Db, updated_at: u32, at: f64) {
    let mut core = core();
    let mut event = session("ses_1", updated(updated_at));
    event["type"] = json!("session.deleted");
    core.observe(&&event, at);
    store(&mut core, db);
}

#[test]
fn a_deleted_session_is_alive_again_as_its_store_has_it_however_old_that_is() {
    let db = recorded(&[1]);
    session_deleted(&db, 3000, 5000.0);
    // A copy from before the last change was put back over the store.
    compare_at((&mut core(), HOME), &db, &answered(1000, &[1]), 6000.0);
    assert_eq!(
        db.rows("SELECT title, updated_at, deleted_at FROM sessions"),
        [r#""A title" | 1000 | NULL"#]
    );
}

#[test]
fn what_was_alive_again_and_deleted_again_is_brought_back_by_no_other_store() {
    let db = deleted_at(5000.0, OnDelete::Tombstone);
    compare_at((&mut core(), HOME), &db, &answered(1000, &[1, 2]), 6000.0);
    session_deleted(&db, 1000, 7000.0);
    let dead = db.dump_of(&["sessions", "messages", "parts", "tool_calls"]);
    let copy = "store-of-a-copy";
    let mut elsewhere = core_at(copy);
    fetch_at(
        (&mut elsewhere, copy),
        &db,
        &answered(1000, &[1, 2]),
        "ses_1",
        8000.0,
    );
    store(&mut elsewhere, &db);
    assert_eq!(
        db.dump_of(&["sessions", "messages", "parts", "tool_calls"]),
        dead
    );
}

#[test]
fn a_message_that_another_store_removed_stays_so_when_its_session_is_alive_again() {
    let db = recorded(&[1, 2]);
    let mut elsewhere = core_at("store-of-a-copy");
    elsewhere.observe(&&message_removed("ses_1", "msg_2"), 4000.0);
    store(&mut elsewhere, &db);
    session_deleted(&db, 1000, 5000.0);
    compare_at((&mut core(), HOME), &db, &answered(1000, &[1, 2]), 6000.0);
    assert_eq!(
        db.rows("SELECT id, deleted_at, text_content FROM messages ORDER BY id"),
        [r#""msg_1" | NULL | "words""#, r#""msg_2" | 4000 | """#]
    );
}

#[test]
fn a_removed_message_is_alive_again_as_its_store_has_it_however_far_that_was() {
    let db = recorded(&[1]);
    told(&mut core(), &db, [message_removed("ses_1", "msg_1")]);
    let mut back = answered(2000, &[1]);
    let message = &mut back.0.get_mut("ses_1").unwrap().messages[0];
    message["parts"][0]["time"] = json!({ "start": 1 });
    message["parts"][1]["state"] =
        json!({ "status": "running", "input": { "command": "make" }, "time": { "start": 1 } });
    let mut core = core();
    fetch_at((&mut core, HOME), &db, &back, "ses_1", 6000.0);
    store(&mut core, &db);
    assert_eq!(db.value("SELECT text FROM parts"), r#""words""#);
    assert_eq!(
        db.value("SELECT input ->> 'command' FROM tool_calls"),
        r#""make""#
    );
}

#[test]
fn a_deleted_session_is_alive_again_though_its_answer_takes_several_drains() {
    let db = deleted_at(5000.0, OnDelete::Tombstone);
    // Two messages a page, and what was answered is stored after each.
    let back = answered(1000, &[1, 2, 3, 4, 5]);
    compare_at((&mut core(), HOME), &db, &back, 6000.0);
    let words = "SELECT count(*) FROM messages WHERE deleted_at IS NULL AND text_content = 'words'";
    assert_eq!(db.value(words), "5");
}

#[test]
fn a_deleted_session_that_is_there_again_and_does_not_come_whole_is_asked_for_again() {
    let db = deleted_at(5000.0, OnDelete::Tombstone);
    let back = answered(1000, &[1, 2]);
    let mut core = core();
    core.compare(DIRECTORY);
    let messages = |request: &Request| matches!(request, Request::Messages { .. });
    drive_until((&mut core, HOME), &db, &back, 6000.0, messages);
    core.answer::<&Value>(Answer::Failed, 6000.0);
    store(&mut core, &db);
    assert_eq!(db.value("SELECT deleted_at FROM sessions"), "NULL");
    let again = compare_at((&mut self::core(), HOME), &db, &back, 7000.0);
    assert_eq!(again, ["ses_1"]);
    let words = "SELECT count(*) FROM messages WHERE deleted_at IS NULL AND text_content = 'words'";
    assert_eq!(db.value(words), "2");
}

#[test]
fn an_event_that_was_made_after_the_deletion_brings_the_session_back() {
    let db = deleted_at(5000.0, OnDelete::Tombstone);
    let mut core = core();
    told(&mut core, &db, [session("ses_1", updated(4999))]);
    assert_eq!(db.value("SELECT deleted_at FROM sessions"), "5000");
    told(&mut core, &db, [session("ses_1", updated(5001))]);
    assert_eq!(db.value("SELECT deleted_at FROM sessions"), "NULL");
}

#[test]
fn a_session_that_is_gone_on_with_in_another_store_is_back_without_what_was_deleted() {
    let db = deleted_at(5000.0, OnDelete::Tombstone);
    let mut copy = core_at("store-of-a-copy");
    told(&mut copy, &db, [session("ses_1", updated(4999))]);
    assert_eq!(db.value("SELECT deleted_at FROM sessions"), "5000");
    let said = text(("ses_1", "msg_9", "prt_9"), "said since");
    told(
        &mut copy,
        &db,
        [
            session("ses_1", updated(5001)),
            answer("ses_1", "msg_9", json!({})),
            said,
        ],
    );
    let there = answered(5001, &[1, 2]);
    let of_copy = (&mut copy, "store-of-a-copy");
    fetch_at(of_copy, &db, &there, "ses_1", NOW);
    assert_eq!(
        db.rows("SELECT title, deleted_at FROM sessions"),
        [r#""A title" | NULL"#]
    );
    assert_eq!(
        db.rows("SELECT id, text_content, deleted_at IS NULL FROM messages ORDER BY id"),
        [
            r#""msg_1" | "" | 0"#,
            r#""msg_2" | "" | 0"#,
            r#""msg_9" | "said since" | 1"#
        ]
    );
}

#[test]
fn a_deleted_session_is_asked_for_where_another_store_has_changed_it_since() {
    let db = deleted_at(5000.0, OnDelete::Tombstone);
    let copy = "store-of-a-copy";
    let look = |there: &Answers| {
        let mut core = Core::new(clankers::Options::default());
        compare_at((&mut core, copy), &db, there, NOW)
    };
    assert_eq!(look(&answered(4999, &[1, 2])), [""; 0]);
    let mut gone_on_with = answered(5001, &[1, 2, 3]);
    let messages = &mut gone_on_with.0.get_mut("ses_1").unwrap().messages;
    messages[2]["info"]["time"] = json!({ "created": 5001, "completed": 5002 });
    assert_eq!(look(&gone_on_with), ["ses_1"]);
    assert_eq!(
        db.rows("SELECT id, text_content FROM messages WHERE deleted_at IS NULL"),
        [r#""msg_3" | "words""#]
    );
    assert_eq!(look(&gone_on_with), [""; 0]);
}

#[test]
fn no_other_store_no_import_and_no_replay_brings_a_deleted_session_back() {
    let db = deleted_at(5000.0, OnDelete::Tombstone);
    let dead = db.dump_of(&["sessions", "messages", "parts", "tool_calls"]);
    let there = answered(1000, &[1, 2]);
    let copy = "store-of-a-copy";
    fetch_at((&mut core_at(copy), copy), &db, &there, "ses_1", NOW);
    let mut import = Core::new(clankers::Options::default());
    fetch_at((&mut import, ""), &db, &there, "ses_1", NOW);
    store(&mut import, &db);
    // What was asked for before the deletion and answered after it.
    let mut late = core();
    fetch_at((&mut late, HOME), &db, &there, "ses_1", 4999.0);
    store(&mut late, &db);
    let mut replay = core();
    told(&mut replay, &db, [session("ses_1", updated(1000))]);
    assert_eq!(
        db.dump_of(&["sessions", "messages", "parts", "tool_calls"]),
        dead
    );
}

#[test]
fn a_repeated_deletion_that_is_over_deletes_nothing() {
    let db = deleted_at(5000.0, OnDelete::Tombstone);
    compare_at((&mut core(), HOME), &db, &answered(1000, &[1, 2]), 6000.0);
    let alive = db.dump_of(&["sessions", "messages", "parts", "tool_calls"]);
    db.apply(&[Command::SessionDelete(SessionDelete {
        id: "ses_1".to_owned(),
        deleted_at: Number::new(5000.0).unwrap(),
        store_id: Some(HOME.to_owned()),
        on_delete: OnDelete::Tombstone,
    })]);
    assert_eq!(
        db.dump_of(&["sessions", "messages", "parts", "tool_calls"]),
        alive
    );
}

#[test]
fn a_removed_message_is_alive_again_once_the_store_answers_with_it() {
    let db = recorded(&[1, 2]);
    let whole = db.dump_of(&["messages", "parts", "tool_calls"]);
    let mut core = core();
    core.observe(&&message_removed("ses_1", "msg_2"), 5000.0);
    store(&mut core, &db);
    assert_ne!(db.dump_of(&["messages", "parts", "tool_calls"]), whole);
    let back = answered(2000, &[1, 2]);
    fetch_at((&mut self::core(), HOME), &db, &back, "ses_1", 4999.0);
    assert_eq!(db.value("SELECT count(deleted_at) FROM messages"), "1");
    let mut restarted = self::core();
    fetch_at((&mut restarted, HOME), &db, &back, "ses_1", 6000.0);
    store(&mut restarted, &db);
    assert_eq!(db.dump_of(&["messages", "parts", "tool_calls"]), whole);
}

#[test]
fn a_removed_part_is_there_again_once_the_store_answers_with_it() {
    let db = recorded(&[1]);
    let whole = db.dump_of(&["messages", "parts", "tool_calls"]);
    let mut core = core();
    for part in ["prt_1a", "prt_1b"] {
        core.observe(&&part_removed(("ses_1", "msg_1", part)), 5000.0);
    }
    store(&mut core, &db);
    assert_eq!(db.value("SELECT text_content FROM messages"), r#""""#);
    let back = answered(2000, &[1]);
    fetch_at((&mut core, HOME), &db, &back, "ses_1", 6000.0);
    store(&mut core, &db);
    assert_eq!(db.dump_of(&["messages", "parts", "tool_calls"]), whole);
}

#[test]
fn a_text_that_a_crash_cut_off_keeps_what_was_heard_of_it() {
    let db = Db::new();
    let place = ("ses_1", "msg_1", "prt_1");
    let begun = json!({ "text": "", "time": { "start": 1 } });
    told(
        &mut core(),
        &db,
        [
            session("ses_1", updated(1000)),
            answer("ses_1", "msg_1", json!({ "time": { "created": 1 } })),
            part(place, "text", begun.clone()),
            delta(place, "what was heard"),
        ],
    );
    // The process is killed. OpenCode has kept the text's beginning.
    let mut now = answered(1000, &[1]);
    let message = &mut now.0.get_mut("ses_1").unwrap().messages[0];
    let mut kept = part(place, "text", begun);
    message["parts"] = json!([kept["properties"]["part"].take()]);
    compare(&mut core(), &db, &now);
    let said = "SELECT text_content FROM messages";
    assert_eq!(db.value(said), r#""what was heard""#);
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
        db.value("SELECT count(*) FROM messages WHERE coalesce(deleted_at, missing_since) IS NULL"),
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
    assert!(core.fetch_wanted(DIRECTORY));
    assert_eq!(
        core.next_request(NOW),
        Some(Request::StoredMessages {
            session_id: "ses_1".to_owned(),
            store_id: Some(HOME.to_owned()),
        })
    );
    fetch(&mut core, &db, &Answers::default(), "ses_1");
    told(&mut core, &db, [session("ses_1", updated(1000))]);
    let restarted = &mut self::core();
    assert_eq!(compare(restarted, &db, &answered(1000, &[1, 2])), ["ses_1"]);
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
