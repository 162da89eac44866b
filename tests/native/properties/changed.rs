//! Each row carries the transaction that wrote it last, so that a reader who
//! remembers a number finds what came since, and what went.

use std::collections::BTreeMap;

use clankers::store;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::assert_held;
use super::commands::any_command;
use crate::support::{Db, TABLES};

/// The commands of which there are many.
const OFTEN: &[&str] = &[
    "session.upsert",
    "message.upsert",
    "part.upsert",
    "part.append",
    "tool_call.upsert",
    "usage.upsert",
    "todo.replace",
];

/// A row's contents and its count.
type Rows = BTreeMap<(String, String), (String, i64)>;

/// The key of a row, as `removed_rows` writes it.
fn key(table: &str) -> &'static str {
    match table {
        "todos" => "session_id || '/' || position",
        "rejections" => "event_type || '/' || code || '/' || path",
        _ => "id",
    }
}

/// The tables of the contract.
fn tables() -> impl Iterator<Item = &'static str> {
    TABLES
        .iter()
        .copied()
        .filter(|table| *table != "session_own")
}

fn rows(db: &Db) -> Rows {
    let mut all = Rows::new();
    for table in tables() {
        let columns = db.columns(table);
        let sql = format!(
            "SELECT {}, json_array({columns}), changed FROM {table}",
            key(table)
        );
        let read = |row: &rusqlite::Row<'_>| {
            let id = (table.to_owned(), row.get(0)?);
            Ok((id, (row.get(1)?, row.get(2)?)))
        };
        let found = db.0.prepare_cached(&sql).and_then(|mut statement| {
            let found = statement.query_map([], read)?;
            found.collect::<Result<Vec<_>, _>>()
        });
        assert!(found.is_ok(), "{sql}: {found:?}");
        all.extend(found.unwrap_or_default());
    }
    all
}

fn number(db: &Db, sql: &str) -> i64 {
    db.value(sql).parse().unwrap_or(-1)
}

#[test]
fn what_a_transaction_changes_carries_its_number_and_what_it_removes_is_named() {
    let batches = prop::collection::vec(prop::collection::vec(any_command(), 1..6), 1..6);
    let db = Db::new();
    let held = TestRunner::new(ProptestConfig::default()).run(&batches, |batches| {
        db.clear();
        let mut before = rows(&db);
        for batch in batches {
            let last = number(&db, "SELECT changed FROM clankers_database");
            db.apply(&batch);
            let now = number(&db, "SELECT changed FROM clankers_database");
            prop_assert_eq!(now, last + 1);
            let after = rows(&db);
            for (id, (content, changed)) in &after {
                let is_same = before.get(id).is_some_and(|(held, _)| held == content);
                prop_assert!(is_same || *changed == now, "{:?}: {} of {}", id, changed, now);
                prop_assert!(*changed <= now, "{:?}", id);
            }
            for (table, id) in before.keys().filter(|id| !after.contains_key(*id)) {
                let sql = format!(
                    "SELECT count(*) FROM removed_rows WHERE table_name = '{table}' AND id = '{id}' AND changed = {now}"
                );
                prop_assert_eq!(number(&db, &sql), 1, "{} {}", table, id);
            }
            before = after;
        }
        Ok(())
    });
    assert_held(&held);
}

#[test]
fn a_database_has_an_id_of_its_own() {
    let id = |db: &Db| db.value("SELECT id FROM clankers_database");
    let migrated = || Db::of_schema(store::SCHEMA_VERSION);
    let (one, other) = (migrated(), migrated());
    assert_eq!(id(&one).len(), 32 + 2, "in quotes");
    assert_ne!(id(&one), id(&other));
}

#[test]
fn what_is_told_again_is_not_written_again() {
    let commands = prop::collection::vec(any_command(), 1..12);
    let db = Db::new();
    let held = TestRunner::new(ProptestConfig::default()).run(&commands, |commands| {
        db.clear();
        // Each told twice, for what is older than what came after it.
        for command in commands {
            let one = std::slice::from_ref(&command);
            db.apply(one);
            let before = rows(&db);
            db.apply(one);
            // The others are rare: writing their rows again costs nothing.
            if !OFTEN.contains(&command.method()) {
                continue;
            }
            for (id, (content, changed)) in rows(&db) {
                let is_same = before
                    .get(&id)
                    .is_some_and(|row| *row == (content, changed));
                prop_assert!(is_same, "{:?} by {:?}", id, command);
            }
        }
        Ok(())
    });
    assert_held(&held);
}
