//! A writer of schema 5, the oldest that goes on when a newer one has migrated, on a
//! database of the newest schema. Its statements, and its commands of recordings,
//! are frozen as the last commit with that schema made them.

use std::collections::BTreeMap;

use clankers::store;
use serde_json::{Value, json};

use crate::support::{Db, Recording, assert_same, command, recordings};

const WRITER: usize = 5;

/// The tables of the contract.
const TABLES: &[&str] = &[
    "sessions",
    "messages",
    "parts",
    "tool_calls",
    "usage",
    "session_errors",
    "permissions",
    "todos",
    "rejections",
];

/// Its views.
const VIEWS: &[&str] = &[
    "usage_by_day",
    "usage_by_model",
    "usage_by_project",
    "session_usage",
    "tool_usage",
];

const STATEMENTS: &str = include_str!("../../fixtures/schema-5/statements.json");
const COMMANDS: &str = include_str!("../../fixtures/schema-5/commands.json");

type Statements = BTreeMap<String, Vec<(String, Value)>>;

/// The statements of each command, each with its condition.
fn statements() -> serde_json::Result<Statements> {
    serde_json::from_str(STATEMENTS)
}

/// Whether a statement's condition holds, by the rules of that time.
fn holds(when: &Value, params: &Value) -> bool {
    let of = |kind: &str| when[kind].as_array();
    if let Some(names) = of("told") {
        return names
            .iter()
            .filter_map(Value::as_str)
            .any(|name| params.get(name).is_some());
    }
    let pair = |kind: &str| {
        let [name, word] = of(kind)?.as_slice() else {
            return None;
        };
        Some(params.get(name.as_str()?).map(|told| told == word))
    };
    match (pair("isNot"), pair("mayBe")) {
        (Some(is_word), _) => is_word == Some(false),
        (_, Some(is_word)) => is_word != Some(false),
        (None, None) => true,
    }
}

/// Applies a batch as that writer does.
fn write(db: &Db, statements: &Statements, batch: &Value) -> rusqlite::Result<()> {
    let begin = "BEGIN IMMEDIATE; UPDATE clankers_database SET changed = changed + 1";
    db.0.execute_batch(begin)?;
    for command in batch.as_array().into_iter().flatten() {
        let (method, params) = (command["method"].as_str(), &command["params"]);
        let statements = method.and_then(|method| statements.get(method));
        assert!(statements.is_some(), "{command}");
        for (sql, when) in statements.into_iter().flatten() {
            if holds(when, params) {
                db.0.prepare_cached(sql)?.execute([params.to_string()])?;
            }
        }
    }
    db.0.execute_batch("COMMIT")
}

/// The same of one command.
fn write_one(
    db: &Db,
    statements: &Statements,
    method: &str,
    params: &Value,
) -> rusqlite::Result<()> {
    let batch = json!([{ "method": method, "params": params }]);
    write(db, statements, &batch)
}

/// The recordings of which the commands are frozen, each with those.
fn played() -> serde_json::Result<Vec<(Recording, Value)>> {
    let mut all: Value = serde_json::from_str(COMMANDS)?;
    let found = recordings().filter_map(|recording| {
        let batches = all.get_mut(&recording.name)?.take();
        Some((recording, batches))
    });
    Ok(found.collect())
}

#[test]
fn an_older_writer_leaves_the_rows_that_a_newer_one_does() -> Result<(), Box<dyn std::error::Error>>
{
    let statements = statements()?;
    let played = played()?;
    assert_eq!(played.len(), 2);
    for (recording, batches) in played {
        let (older, newer) = (Db::new(), recording.replayed());
        let mut count = 0;
        for batch in batches.as_array().into_iter().flatten() {
            write(&older, &statements, batch)?;
            count += 1;
        }
        let changed = "SELECT changed FROM clankers_database";
        let before: i64 = Db::new().value(changed).parse()?;
        assert_eq!(older.value(changed).parse(), Ok(before + count));
        for table in TABLES {
            let unstamped = format!(
                "SELECT * FROM {table} WHERE changed NOT BETWEEN {} AND {}",
                before + 1,
                before + count
            );
            assert_eq!(older.rows(&unstamped), [""; 0], "{table}");
        }
        for of in [TABLES, VIEWS] {
            assert_same(&recording.name, &newer.dump_of(of), &older.dump_of(of));
        }
    }
    Ok(())
}

#[test]
fn the_newest_schema_lets_it_write() {
    let oldest: Result<usize, _> = Db::new().value(store::OLDEST_WRITER).parse();
    assert_eq!(oldest, Ok(WRITER));
}

/// A session, its message and that one's part, as the store `store` tells them then.
fn story(answered_at: u64) -> [(&'static str, Value); 3] {
    let told = |id: &str, more: Value| {
        let told = json!({ "id": id, "storeId": "store", "answeredAt": answered_at });
        crate::events::with(told, more)
    };
    [
        (
            "session.upsert",
            told(
                "ses_1",
                json!({ "title": "t", "createdAt": 1, "updatedAt": 1 }),
            ),
        ),
        (
            "message.upsert",
            told(
                "msg_1",
                json!({ "sessionId": "ses_1", "role": "user", "createdAt": 1 }),
            ),
        ),
        (
            "part.upsert",
            told(
                "prt_1",
                json!({ "sessionId": "ses_1", "messageId": "msg_1", "type": "text", "text": "t" }),
            ),
        ),
    ]
}

/// The deletions of each of these.
fn deletions(on_delete: &str, at: u64) -> [(&'static str, Value); 3] {
    let deleted = |more: Value| {
        let deleted = json!({ "storeId": "store", "deletedAt": at, "onDelete": on_delete });
        crate::events::with(deleted, more)
    };
    [
        ("session.delete", deleted(json!({ "id": "ses_1" }))),
        (
            "message.delete",
            deleted(json!({ "id": "msg_1", "sessionId": "ses_1" })),
        ),
        (
            "part.delete",
            deleted(json!({ "id": "prt_1", "sessionId": "ses_1", "messageId": "msg_1" })),
        ),
    ]
}

const ALIVE: &str = "SELECT text_content, deleted_at FROM messages";

/// Whoever tells it, a deletion ends when its store answers with the row later.
#[test]
fn what_either_deletes_the_other_brings_back() -> Result<(), Box<dyn std::error::Error>> {
    let statements = statements()?;
    let told = |db: &Db, is_older: bool, method: &str, params: Value| {
        if is_older {
            return write_one(db, &statements, method, &params);
        }
        db.apply(&[command(method, params)]);
        Ok(())
    };
    let deletions = ["purge", "tombstone", "keep"].map(|on_delete| deletions(on_delete, 20));
    for (older_deletes, older_answers) in [(true, false), (false, true), (true, true)] {
        for (method, deletion) in deletions.concat() {
            let case = format!("{method} {deletion}, {older_deletes}, {older_answers}");
            let db = Db::new();
            for (method, params) in story(10) {
                told(&db, older_deletes, method, params)?;
            }
            assert_eq!(db.rows(ALIVE), [r#""t" | NULL"#], "{case}");
            told(&db, older_deletes, method, deletion.clone())?;
            assert_ne!(db.rows(ALIVE), [r#""t" | NULL"#], "{case}");
            // What was asked before brings nothing back, and what was asked later does.
            for (at, is_back) in [(15, false), (30, true)] {
                for (method, params) in story(at) {
                    told(&db, older_answers, method, params)?;
                }
                let is_alive = db.rows(ALIVE) == [r#""t" | NULL"#];
                assert_eq!(is_alive, is_back, "{case} {at}: {:?}", db.rows(ALIVE));
            }
            // And the deletion that is told again is over.
            db.apply(&[command(method, deletion)]);
            assert_eq!(db.rows(ALIVE), [r#""t" | NULL"#], "{case}");
        }
    }
    Ok(())
}

/// A purge of a session says of its messages that they are deleted before they are
/// purged, and of those that were before, once more.
#[test]
fn what_a_newer_one_purges_twice_an_older_one_brings_back() -> Result<(), Box<dyn std::error::Error>>
{
    let statements = statements()?;
    let db = Db::new();
    let newer = |told: &[(&str, Value)]| {
        for (method, params) in told {
            db.apply(&[command(method, params.clone())]);
        }
    };
    let purge = |at| {
        let [of_session, ..] = deletions("purge", at);
        [of_session]
    };
    newer(&story(10));
    newer(&purge(20));
    newer(&story(30));
    newer(&purge(40));
    assert_eq!(db.rows(ALIVE), [""; 0]);
    for (method, params) in story(50) {
        write_one(&db, &statements, method, &params)?;
    }
    assert_eq!(db.rows(ALIVE), [r#""t" | NULL"#]);
    Ok(())
}

#[test]
fn what_it_deletes_is_not_missing() -> Result<(), Box<dyn std::error::Error>> {
    let missing = |method: &str, more: Value| {
        let told = json!({ "storeId": "store", "since": 15 });
        (method.to_owned(), crate::events::with(told, more))
    };
    let statements = statements()?;
    let of_session = missing("session.missing", json!({ "id": "ses_1" }));
    let of_message = missing(
        "message.missing",
        json!({ "id": "msg_1", "sessionId": "ses_1" }),
    );
    let tables = ["sessions", "messages"];
    for (table, (method, deletion)) in tables.into_iter().zip(deletions("keep", 20)) {
        for (marked, mark) in [&of_session, &of_message] {
            let deleted = (method.to_owned(), deletion.clone());
            let mark = (marked.clone(), mark.clone());
            for order in [[mark.clone(), deleted.clone()], [deleted, mark]] {
                let db = Db::new();
                for (method, params) in story(10) {
                    write_one(&db, &statements, method, &params)?;
                }
                for (method, params) in order {
                    write_one(&db, &statements, &method, &params)?;
                }
                let both = format!(
                    "SELECT id FROM {table} WHERE deleted_at IS NOT NULL AND missing_since IS NOT NULL"
                );
                assert_eq!(db.rows(&both), [""; 0], "{method} {marked}");
                let deleted = format!("SELECT count(*) FROM {table} WHERE deleted_at = 20");
                assert_eq!(db.value(&deleted), "1", "{method} {marked}");
            }
        }
    }
    Ok(())
}
