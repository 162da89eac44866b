//! What was deleted and is there again is alive again.

use clankers::Core;
use clankers::catch_up::{Answer, Request};
use clankers::model::command::{Command, SessionDelete};
use clankers::model::number::Number;
use clankers::model::row::OnDelete;
use serde_json::{Value, json};

use super::{CALLS, MESSAGES, answer, answered, core, recorded, told, updated};
use crate::catching_up::{
    Answers, DIRECTORY, HOME, NOW, compare_at, core_at, drive_until, fetch_at, store,
};
use crate::events::{message_removed, part_removed, session, text};
use crate::support::Db;

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
