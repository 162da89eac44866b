//! What a copy of OpenCode's data tells (a database, an export) ranks below what
//! is stored: of the same time of change it fills in, and replaces no words.

use clankers::model::command::Command;
use serde_json::{Value, json};

use crate::events::with;
use crate::support::{Db, command};

/// When the session was changed last that is stored.
const STORED: u64 = 10;

fn session(more: Value) -> Command {
    let whole = json!({ "id": "ses_1", "title": "words", "updatedAt": STORED });
    command("session.upsert", with(whole, more))
}

fn message(more: Value) -> Command {
    let whole = json!({ "id": "msg_1", "sessionId": "ses_1", "role": "assistant", "completedAt": 2, "errorMessage": "words" });
    command("message.upsert", with(whole, more))
}

fn place(id: &str) -> Value {
    json!({ "id": id, "messageId": "msg_1", "sessionId": "ses_1" })
}

fn text(more: Value) -> Command {
    let whole =
        json!({ "type": "text", "text": "words", "data": "{}", "startedAt": 1, "endedAt": 2 });
    command("part.upsert", with(with(place("prt_1"), whole), more))
}

fn call(more: Value) -> Command {
    let whole = json!({ "status": "completed", "title": "words", "input": "words", "output": "words", "error": "words" });
    command("tool_call.upsert", with(with(place("prt_2"), whole), more))
}

/// The words of all of it.
fn words(db: &Db) -> String {
    let all = [
        "SELECT title FROM sessions",
        "SELECT error_message, text_content FROM messages",
        "SELECT text FROM parts",
        "SELECT title, input, output, error FROM tool_calls",
    ];
    all.map(|sql| db.rows(sql).join("")).join(" | ")
}

/// The same words in each of these.
fn each(words: &str) -> String {
    [words; 8].map(|words| format!("{words:?}")).join(" | ")
}

/// What is left of words that were taken out, and of an object.
const TAKEN_OUT: &str = "[redacted:text:prt_1]";
const INPUT_TAKEN_OUT: &str = r#"{"redacted":"tool-input:prt_1"}"#;

/// All of it as a copy tells it, its words being these.
fn copy(told: &Value, at: u64) -> Vec<Command> {
    let of = json!({ "copiedAt": at });
    let value = |name: &str| match name {
        "input" if *told == TAKEN_OUT => json!(INPUT_TAKEN_OUT),
        _ => told.clone(),
    };
    let say = |names: &[&str]| {
        names.iter().fold(of.clone(), |all, name| {
            with(all, json!({ *name: value(name) }))
        })
    };
    vec![
        message(say(&["errorMessage"])),
        text(say(&["text"])),
        call(say(&["title", "input", "output", "error"])),
        session(with(say(&["title"]), json!({ "updatedAt": at }))),
    ]
}

/// All of it as a store of OpenCode told it.
fn stored() -> Db {
    let db = Db::new();
    let by = json!({ "storeId": "store_1", "seenAt": STORED });
    db.apply(&[
        session(by),
        message(json!({})),
        text(json!({})),
        call(json!({})),
    ]);
    assert_eq!(words(&db), each("words"));
    db
}

#[test]
fn a_copy_that_is_not_newer_replaces_no_words() {
    for at in [STORED - 1, STORED] {
        for told in [json!("others"), json!(""), json!(null), json!(TAKEN_OUT)] {
            let db = stored();
            db.apply(&copy(&told, at));
            assert_eq!(words(&db), each("words"), "{told} {at}");
        }
    }
}

#[test]
fn a_newer_copy_replaces_words_by_others() {
    let db = stored();
    db.apply(&copy(&json!("others"), STORED + 1));
    assert_eq!(words(&db), each("others"));
    db.apply(&copy(&json!(TAKEN_OUT), STORED + 2));
    assert_eq!(words(&db), each("others"), "but by none that are taken out");
}

#[test]
fn a_copy_of_the_same_time_fills_in_what_is_not_there() {
    let db = Db::new();
    db.apply(&copy(&json!(TAKEN_OUT), STORED));
    assert_eq!(words(&db).matches("redacted").count(), 8);
    db.apply(&copy(&json!("words"), STORED));
    assert_eq!(words(&db), each("words"));
    // A text that a crash cut off, and one without words.
    let cut_off = || {
        let db = Db::new();
        let cut = json!({ "text": "wor", "endedAt": null });
        let stored = [session(json!({})), message(json!({})), text(cut)];
        db.apply(&stored);
        db.apply(&[call(json!({ "error": null }))]);
        db
    };
    let db = cut_off();
    db.apply(&copy(&json!("words"), STORED));
    assert_eq!(words(&db), each("words"));
    let db = cut_off();
    db.apply(&copy(&json!(""), STORED));
    assert_eq!(db.value("SELECT text FROM parts"), r#""wor""#);
}

#[test]
fn a_copy_that_tells_nothing_makes_no_step_inherited() {
    let db = stored();
    let paid = json!({ "id": "msg_2", "sessionId": "ses_1", "role": "assistant", "createdAt": 5, "completedAt": 6, "cost": 0.25 });
    db.apply(&[
        command("message.upsert", paid),
        session(json!({ "wholeAt": STORED })),
    ]);
    let usage = "SELECT inherited, changed FROM usage";
    let before = db.rows(usage);
    let older = json!({ "createdAt": 7, "copiedAt": STORED, "copyRank": 1 });
    db.apply(&[session(older)]);
    assert_eq!(db.rows(usage), before);
}
