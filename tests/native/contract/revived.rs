//! Deletions that are over: what is there again stays, whoever repeats the
//! deletion, and only the store that told it last ends it. Times of a clock that
//! was ahead bar nothing.

use clankers::model::command::Command;
use serde_json::{Value, json};

use crate::events::with;
use crate::support::{Db, assert_same, command};

/// The tables in which something is there or not.
const ROWS: &[&str] = &["sessions", "messages", "parts", "tool_calls"];
/// A store of OpenCode.
const HOME: &str = "store_1";
/// Another one.
const COPY: &str = "store_2";
/// A time that no clock has reached yet.
const AHEAD: u64 = 9_000_000_000_000;

/// What a store answers of one session when it is asked: all of it.
pub(crate) fn answer(store: &str, at: u64) -> Vec<Command> {
    let told = |ids: Value, more: Value| {
        let by = json!({ "storeId": store, "answeredAt": at });
        with(with(ids, by), more)
    };
    let place = |id: &str| json!({ "id": id, "messageId": "msg_1", "sessionId": "ses_1" });
    vec![
        command(
            "session.upsert",
            told(
                json!({ "id": "ses_1" }),
                json!({ "title": "words", "updatedAt": 1 }),
            ),
        ),
        command(
            "message.upsert",
            told(
                json!({ "id": "msg_1", "sessionId": "ses_1" }),
                json!({ "role": "assistant", "createdAt": 1, "completedAt": 2 }),
            ),
        ),
        command(
            "part.upsert",
            told(
                place("prt_1"),
                json!({ "type": "text", "text": "words", "endedAt": 2 }),
            ),
        ),
        command(
            "tool_call.upsert",
            told(
                place("prt_2"),
                json!({ "tool": "bash", "status": "completed", "input": "words", "output": "words" }),
            ),
        ),
    ]
}

/// The deletion of one thing, as a store or nobody known tells it.
fn deletion(method: &str, on_delete: &str, store: Option<&str>, at: u64) -> Command {
    let ids = match method {
        "session.delete" => json!({ "id": "ses_1" }),
        "session.revert" => json!({ "to": "msg_1", "sessionId": "ses_1" }),
        "message.delete" => json!({ "id": "msg_1", "sessionId": "ses_1" }),
        "part.delete" => json!({ "id": "prt_1", "messageId": "msg_1", "sessionId": "ses_1" }),
        // A tool call is a part, too.
        _ => json!({ "id": "prt_2", "messageId": "msg_1", "sessionId": "ses_1" }),
    };
    let how = json!({ "deletedAt": at, "onDelete": on_delete, "storeId": store });
    let method = if method == "call.delete" {
        "part.delete"
    } else {
        method
    };
    command(method, with(ids, how))
}

const DELETIONS: [&str; 5] = [
    "session.delete",
    "session.revert",
    "message.delete",
    "part.delete",
    "call.delete",
];
const MODES: [&str; 3] = ["tombstone", "keep", "purge"];

/// Every kind of deletion in every mode.
fn kinds() -> impl Iterator<Item = (&'static str, &'static str)> {
    DELETIONS
        .into_iter()
        .flat_map(|method| MODES.map(|mode| (method, mode)))
}

fn after(batches: &[Vec<Command>]) -> Db {
    let db = Db::new();
    batches.iter().for_each(|batch| db.apply(batch));
    db
}

/// The rows as they are when nothing was ever deleted.
fn alive() -> String {
    after(&[answer(HOME, 1)]).dump_of(ROWS)
}

#[test]
fn a_repeated_deletion_deletes_nothing_that_is_there_again() {
    for (method, mode) in kinds() {
        let deletion = || vec![deletion(method, mode, Some(HOME), 5)];
        let db = after(&[answer(HOME, 1), deletion()]);
        let what = format!("{method} {mode}");
        assert_ne!(db.dump_of(ROWS), alive(), "{what}");
        db.apply(&answer(HOME, 6));
        assert_same(&what, &alive(), &db.dump_of(ROWS));
        db.apply(&deletion());
        assert_same(&what, &alive(), &db.dump_of(ROWS));
        // Nor does it once it was deleted and is there again a second time.
        let later = vec![self::deletion(method, mode, Some(HOME), 7)];
        for batch in [later.clone(), answer(HOME, 8), deletion(), later] {
            db.apply(&batch);
        }
        assert_same(&what, &alive(), &db.dump_of(ROWS));
    }
}

#[test]
fn a_deletion_that_is_told_later_deletes_what_is_there_again() {
    for (method, mode) in kinds() {
        let once = after(&[answer(HOME, 1), vec![deletion(method, mode, Some(HOME), 5)]]);
        let twice = after(&[
            answer(HOME, 1),
            vec![deletion(method, mode, Some(HOME), 5)],
            answer(HOME, 6),
            vec![deletion(method, mode, Some(HOME), 7)],
        ]);
        let dead = once.dump_of(ROWS).replace("| 5", "| 7");
        assert_same(
            &format!("{method} {mode}"),
            &dead,
            &twice.dump_of(ROWS).replace("| 5", "| 7"),
        );
    }
}

#[test]
fn a_repeated_answer_brings_nothing_back() {
    for (method, mode) in kinds() {
        let db = after(&[answer(HOME, 1), vec![deletion(method, mode, Some(HOME), 5)]]);
        let dead = db.dump_of(ROWS);
        for at in [1, 4, 5] {
            db.apply(&answer(HOME, at));
            assert_same(&format!("{method} {mode} {at}"), &dead, &db.dump_of(ROWS));
        }
    }
}

#[test]
fn a_message_of_a_purged_session_is_back_only_once_it_is_answered_with() {
    let whole = answer(HOME, 1);
    let db = after(&[
        whole.clone(),
        vec![deletion("session.delete", "purge", Some(HOME), 5)],
        // The session is there again, and has no message any more.
        answer(HOME, 6)[..1].to_vec(),
        // A batch that was stored already is stored again.
        whole[1..].to_vec(),
    ]);
    assert_eq!(db.rows("SELECT id FROM sessions"), [r#""ses_1""#]);
    assert_eq!(db.rows("SELECT id FROM messages"), [""; 0]);
    db.apply(&answer(HOME, 7));
    assert_same("answered", &alive(), &db.dump_of(ROWS));
}

#[test]
fn what_nobody_known_or_another_store_deleted_last_no_earlier_store_brings_back() {
    for (method, mode) in kinds() {
        for last in [None, Some(COPY)] {
            // Whether the first deletion is over or not.
            for between in [Vec::new(), answer(HOME, 6)] {
                // What a revert takes back is found among what there is.
                if (method, mode) == ("session.revert", "purge") && between.is_empty() {
                    continue;
                }
                let db = after(&[
                    answer(HOME, 1),
                    vec![deletion(method, mode, Some(HOME), 5)],
                    between,
                    vec![deletion(method, mode, last, 7)],
                ]);
                let dead = db.dump_of(ROWS);
                db.apply(&answer(HOME, 8));
                let what = format!("{method} {mode} {last:?}");
                assert_same(&what, &dead, &db.dump_of(ROWS));
                if let Some(store) = last {
                    db.apply(&answer(store, 8));
                    assert_same(&what, &alive(), &db.dump_of(ROWS));
                }
            }
        }
    }
}

#[test]
fn an_earlier_deletion_that_is_told_later_changes_nobody_who_ends_it() {
    for (method, mode) in kinds() {
        let db = after(&[
            answer(HOME, 1),
            vec![deletion(method, mode, Some(HOME), 5)],
            vec![deletion(method, mode, None, 4)],
            answer(HOME, 8),
        ]);
        assert_same(&format!("{method} {mode}"), &alive(), &db.dump_of(ROWS));
    }
}

#[test]
fn a_deletion_of_a_clock_that_was_ahead_is_over_once_its_store_answers_again() {
    for (method, mode) in kinds() {
        let what = format!("{method} {mode}");
        let ahead = || vec![deletion(method, mode, Some(HOME), AHEAD)];
        let db = after(&[answer(HOME, 1), ahead()]);
        let dead = db.dump_of(ROWS);
        db.apply(&answer(COPY, 6));
        assert_same(&what, &dead, &db.dump_of(ROWS));
        db.apply(&answer(HOME, 6));
        assert_same(&what, &alive(), &db.dump_of(ROWS));
        db.apply(&ahead());
        assert_same(&what, &alive(), &db.dump_of(ROWS));
        // It can be deleted by a clock that is right, and be there again.
        db.apply(&[deletion(method, mode, Some(HOME), 7)]);
        assert_ne!(db.dump_of(ROWS), alive(), "{what}");
        db.apply(&answer(HOME, 8));
        assert_same(&what, &alive(), &db.dump_of(ROWS));
    }
}

#[test]
fn an_answer_of_a_clock_that_was_ahead_keeps_no_deletion_away() {
    for (method, mode) in kinds() {
        let db = after(&[
            answer(HOME, 1),
            vec![deletion(method, mode, Some(HOME), 5)],
            answer(HOME, AHEAD),
        ]);
        let what = format!("{method} {mode}");
        assert_same(&what, &alive(), &db.dump_of(ROWS));
        db.apply(&[deletion(method, mode, Some(HOME), 7)]);
        assert_ne!(db.dump_of(ROWS), alive(), "{what}");
        db.apply(&answer(HOME, 8));
        assert_same(&what, &alive(), &db.dump_of(ROWS));
    }
}

/// What a store does not answer with any more.
fn missing(method: &str, at: u64) -> Command {
    let ids = match method {
        "session.missing" => json!({ "id": "ses_1" }),
        "message.missing" => json!({ "id": "msg_1", "sessionId": "ses_1" }),
        _ => json!({ "id": "prt_1", "messageId": "msg_1", "sessionId": "ses_1" }),
    };
    command(method, with(ids, json!({ "since": at, "storeId": HOME })))
}

const MISSING: [&str; 3] = ["session.missing", "message.missing", "part.missing"];

#[test]
fn what_a_clock_that_was_ahead_missed_is_there_once_its_store_answers_again() {
    for method in MISSING {
        let db = after(&[answer(HOME, 1), vec![missing(method, AHEAD)]]);
        assert_ne!(db.dump_of(ROWS), alive(), "{method}");
        db.apply(&answer(HOME, 6));
        assert_same(method, &alive(), &db.dump_of(ROWS));
    }
}

#[test]
fn a_clock_that_was_ahead_keeps_nothing_from_being_missed() {
    for method in MISSING {
        let db = after(&[
            answer(HOME, 1),
            answer(HOME, AHEAD),
            vec![missing(method, 5)],
        ]);
        assert_ne!(db.dump_of(ROWS), alive(), "{method}");
        // What a clock that is right tells counts again.
        db.apply(&answer(HOME, 7));
        assert_same(method, &alive(), &db.dump_of(ROWS));
        db.apply(&[missing(method, 6)]);
        assert_same(method, &alive(), &db.dump_of(ROWS));
    }
}

#[test]
fn an_old_event_ends_no_deletion_of_a_clock_that_was_ahead() {
    let db = after(&[
        answer(HOME, 1),
        vec![deletion("session.delete", "tombstone", Some(HOME), AHEAD)],
    ]);
    let dead = db.dump_of(ROWS);
    db.apply(&[command(
        "session.upsert",
        json!({ "id": "ses_1", "title": "words", "updatedAt": 2, "seenAt": 2, "storeId": HOME }),
    )]);
    let marks = "SELECT deleted_at, title FROM sessions";
    assert_eq!(db.rows(marks), [format!("{AHEAD} | NULL")], "{dead}");
}

#[test]
fn what_is_deleted_is_not_missing_whichever_is_told_first() {
    const MARKS: &str = "\
SELECT 'sessions', id, missing_since FROM sessions WHERE deleted_at IS NOT NULL
UNION ALL SELECT 'messages', id, missing_since FROM messages WHERE deleted_at IS NOT NULL
UNION ALL SELECT 'tool_calls', id, missing_since FROM tool_calls WHERE deleted_at IS NOT NULL";
    let gone = |id: &str| {
        let place =
            json!({ "messageId": "msg_1", "sessionId": "ses_1", "since": 5, "storeId": HOME });
        command("part.missing", with(json!({ "id": id }), place))
    };
    let all_missing = || {
        let mut all: Vec<Command> = MISSING.map(|method| missing(method, 5)).into();
        all.push(gone("prt_2"));
        all
    };
    for method in DELETIONS {
        let deleted = || vec![deletion(method, "tombstone", Some(HOME), 6)];
        for order in [[all_missing(), deleted()], [deleted(), all_missing()]] {
            let db = Db::new();
            answer(HOME, 1)
                .into_iter()
                .chain(order.concat())
                .for_each(|command| {
                    db.apply(std::slice::from_ref(&command));
                });
            let marks = db.rows(MARKS);
            assert!(!marks.is_empty() || method == "part.delete", "{method}");
            assert!(
                marks.iter().all(|row| row.ends_with("NULL")),
                "{method}: {marks:?}"
            );
        }
    }
}
