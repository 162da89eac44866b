//! What OpenCode has no more is missing, where the store that answers is known.

use clankers::Core;
use clankers::catch_up::Request;
use serde_json::json;

use super::{CALLS, MESSAGES, PARTS, answered, core, recorded, told, updated};
use crate::catching_up::{
    Answers, DIRECTORY, HOME, NOW, compare, compare_at, core_at, drive_until, fetch, fetch_at,
    store,
};
use crate::events::{answer, session};

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
