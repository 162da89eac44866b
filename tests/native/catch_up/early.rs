//! What a process tells before it knows which store its OpenCode works on.

use clankers::catch_up::{Answer, Request};
use clankers::model::row::OnDelete;
use clankers::sources::Dialect;
use clankers::{Core, Options, Urgency};
use serde_json::{Value, json};

use super::{MESSAGES, answered, core, recorded, told, updated};
use crate::catching_up::{Answers, DIRECTORY, HOME, compare_at, drive_until, fetch_at, store};
use crate::events::{message_removed, part_removed, session};
use crate::support::Db;

/// A core that was not told which store its OpenCode has.
fn early(on_delete: OnDelete) -> Core {
    Core::new(Options {
        on_delete,
        ..Options::default()
    })
}

fn session_deleted() -> Value {
    let mut event = session("ses_1", updated(1000));
    event["type"] = json!("session.deleted");
    event
}

/// Tells events at 5000, and learns which store that is, or that it is in doubt.
fn told_early(core: &mut Core, db: &Db, events: &[Value], store_id: &str) {
    for event in events {
        core.observe(&event, 5000.0);
    }
    store(core, db);
    let nothing = Answers::default();
    compare_at((core, store_id), db, &nothing, 5500.0);
}

#[test]
fn a_session_deleted_before_the_store_was_known_is_alive_again_as_the_store_has_it() {
    for on_delete in [OnDelete::Tombstone, OnDelete::Keep, OnDelete::Purge] {
        let whole = recorded(&[1, 2]);
        let db = recorded(&[1, 2]);
        told_early(&mut early(on_delete), &db, &[session_deleted()], HOME);
        let alive = "SELECT count(*) FROM sessions WHERE deleted_at IS NULL";
        assert_eq!(db.value(alive), "0", "{on_delete:?}");
        // What was asked for before the deletion brings nothing back.
        let back = answered(1000, &[1, 2]);
        fetch_at((&mut core(), HOME), &db, &back, "ses_1", 4999.0);
        assert_eq!(db.value(alive), "0", "{on_delete:?}");
        let fetched = compare_at((&mut core(), HOME), &db, &back, 6000.0);
        assert_eq!(fetched, ["ses_1"], "{on_delete:?}");
        assert_eq!(db.value(alive), "1", "{on_delete:?}");
        assert_eq!(db.rows(MESSAGES), whole.rows(MESSAGES), "{on_delete:?}");
    }
}

#[test]
fn so_are_a_message_and_a_part_that_were_removed_before_it() {
    let db = recorded(&[1, 2]);
    let whole = db.dump_of(&["messages", "parts", "tool_calls"]);
    let events = [
        message_removed("ses_1", "msg_1"),
        part_removed(("ses_1", "msg_2", "prt_2a")),
        part_removed(("ses_1", "msg_2", "prt_2b")),
    ];
    told_early(&mut early(OnDelete::Tombstone), &db, &events, HOME);
    assert_ne!(db.dump_of(&["messages", "parts", "tool_calls"]), whole);
    let back = answered(2000, &[1, 2]);
    compare_at((&mut core(), HOME), &db, &back, 6000.0);
    assert_eq!(db.dump_of(&["messages", "parts", "tool_calls"]), whole);
}

#[test]
fn so_are_messages_that_were_taken_back_before_it() {
    let committed = json!({
        "id": "evt_1", "created": 5000, "type": "session.revert.committed",
        "durable": { "aggregateID": "ses_1", "seq": 12, "version": 1 },
        "data": { "sessionID": "ses_1", "to": "msg_1" },
    });
    let db = recorded(&[1, 2]);
    let whole = db.dump_of(&["messages", "parts", "tool_calls"]);
    let mut core = Core::new(Options {
        dialect: Dialect::OPENCODE2,
        ..Options::default()
    });
    told_early(&mut core, &db, &[committed], HOME);
    let gone = "SELECT id FROM messages WHERE deleted_at IS NOT NULL";
    assert_eq!(db.rows(gone), [r#""msg_1""#, r#""msg_2""#]);
    let back = answered(2000, &[1, 2]);
    compare_at((&mut self::core(), HOME), &db, &back, 6000.0);
    assert_eq!(db.dump_of(&["messages", "parts", "tool_calls"]), whole);
}

#[test]
fn nothing_ends_a_deletion_that_was_told_while_the_store_was_in_doubt() {
    let db = recorded(&[1, 2]);
    let core = &mut early(OnDelete::Tombstone);
    told_early(core, &db, &[session_deleted()], "");
    // That it is known later says nothing of what was told before.
    let back = answered(1000, &[1, 2]);
    compare_at((core, HOME), &db, &back, 6000.0);
    fetch_at((core, HOME), &db, &back, "ses_1", 7000.0);
    assert_eq!(db.value("SELECT deleted_at FROM sessions"), "5000");
}

#[test]
fn a_deletion_that_was_told_early_is_told_again_once() {
    let db = recorded(&[1, 2]);
    let core = &mut early(OnDelete::Tombstone);
    told_early(core, &db, &[session_deleted()], HOME);
    compare_at(
        (&mut self::core(), HOME),
        &db,
        &answered(1000, &[1, 2]),
        6000.0,
    );
    compare_at((core, HOME), &db, &answered(1000, &[1, 2]), 7000.0);
    told(core, &db, [message_removed("ses_1", "msg_2")]);
    assert_eq!(db.value("SELECT deleted_at FROM sessions"), "NULL");
}

#[test]
fn a_host_that_is_about_to_go_is_asked_for_the_store_of_what_was_deleted() {
    let db = recorded(&[1]);
    let core = &mut early(OnDelete::Tombstone);
    core.compare(DIRECTORY);
    core.observe(&&session_deleted(), 5000.0);
    store(core, &db);
    assert!(core.hurry(DIRECTORY));
    let is_store = |request: &Request| matches!(request, Request::Store { .. });
    drive_until((core, HOME), &db, &Answers::default(), 5100.0, is_store);
    let urgency = core.answer(Answer::Found(&&json!(HOME)), 5100.0);
    assert_eq!(urgency, Urgency::Now);
    store(core, &db);
    assert!(!core.hurry(DIRECTORY));
    assert_eq!(
        db.value("SELECT store_id FROM deletions WHERE id = 'ses_1'"),
        format!("{HOME:?}")
    );
}

#[test]
fn a_host_that_is_about_to_go_is_not_asked_for_its_store_where_nothing_waits_for_it() {
    let core = &mut early(OnDelete::Tombstone);
    core.compare(DIRECTORY);
    assert!(!core.hurry(DIRECTORY));
}
