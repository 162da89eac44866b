//! What a deletion erases, column by column, and what it leaves.

use std::collections::BTreeSet;

use clankers::Options;
use clankers::model::row::OnDelete;
use serde_json::Value;

use super::columns::{declared, is_content};
use super::deleting::{after, history, options};
use crate::events::{message_removed, part_removed, session_deleted};
use crate::support::{Db, tell};

/// A session and all that hangs on it, before it is deleted.
fn before() -> Db {
    let db = Db::new();
    tell(&db, Options::default(), history());
    db
}

/// The tables that hold some of it.
const HELD: [&str; 8] = [
    "sessions",
    "messages",
    "parts",
    "tool_calls",
    "permissions",
    "session_errors",
    "todos",
    "usage",
];

/// The columns that hold content, each with the rows that hold some.
const ERASED: &[(&str, &str, &str)] = &[
    ("sessions", "title", "true"),
    ("messages", "text_content", "true"),
    ("messages", "error_message", "true"),
    ("parts", "text", "type IN ('text', 'reasoning')"),
    ("parts", "data", "type IN ('file', 'step-finish')"),
    ("tool_calls", "title", "true"),
    ("tool_calls", "input", "true"),
    ("tool_calls", "output", "id = 'prt_4'"),
    ("tool_calls", "error", "id = 'prt_5'"),
    ("permissions", "patterns", "true"),
    ("session_errors", "message", "true"),
];

/// What of a column holds something, and what does not.
fn held(db: &Db, (table, column, which): (&str, &str, &str)) -> [String; 2] {
    ["<>", "="].map(|is| {
        db.value(&format!(
            "SELECT count(*) FROM {table} WHERE coalesce({column}, '') {is} '' AND {which}"
        ))
    })
}

#[test]
fn each_column_that_is_declared_as_content_is_listed() {
    let declared = declared().into_iter().flat_map(|(table, columns)| {
        let content = columns.into_iter().filter(is_content);
        content.map(move |column| format!("{table}.{}", column.name))
    });
    let listed = ERASED
        .iter()
        .map(|(table, column, _)| format!("{table}.{column}"));
    assert_eq!(
        declared.collect::<BTreeSet<_>>(),
        listed.collect::<BTreeSet<_>>()
    );
}

#[test]
fn a_tombstone_erases_every_column_of_content() {
    for (last, spares_session) in [
        (session_deleted("ses_1"), false),
        (message_removed("ses_1", "msg_1"), true),
    ] {
        let (before, after) = (before(), after(OnDelete::Tombstone, last.clone()));
        for &erased in ERASED {
            let [rows, none] = held(&before, erased);
            assert_eq!(none, "0", "{erased:?}");
            assert_ne!(rows, "0", "{erased:?}");
            let expected = if spares_session && erased.0 == "sessions" {
                [rows, none]
            } else {
                [none, rows]
            };
            assert_eq!(
                held(&after, erased),
                expected,
                "{erased:?} {}",
                last["type"]
            );
        }
        let todos = if spares_session { "1" } else { "0" };
        assert_eq!(after.value("SELECT count(*) FROM todos"), todos);
    }
}

/// The columns of a table but for these.
fn columns_but(db: &Db, table: &str, left_out: &[&str]) -> String {
    let names = db.rows(&format!("SELECT name FROM pragma_table_info('{table}')"));
    let names = names.iter().map(|name| name.trim_matches('"'));
    let is_kept = |name: &&str| *name != "changed" && !left_out.contains(name);
    let kept: Vec<&str> = names.filter(is_kept).collect();
    kept.join(", ")
}

fn same_but(one: &Db, other: &Db, table: &str, left_out: &[&str], what: &Value) {
    let columns = columns_but(one, table, left_out);
    let sql = format!("SELECT {columns} FROM {table} ORDER BY 1");
    assert_ne!(one.rows(&sql), [""; 0], "{table}");
    assert_eq!(one.rows(&sql), other.rows(&sql), "{table} {what}");
}

/// What a session has of its last answer, which is another once that is
/// removed, and what `session.deleted` tells anew.
fn derived(table: &str, last: &Value) -> &'static [&'static str] {
    match (table, last["type"].as_str()) {
        ("sessions", Some("message.removed")) => &["agent", "model", "provider"],
        ("sessions", Some("session.deleted")) => &["title"],
        _ => &[],
    }
}

#[test]
fn a_tombstone_keeps_every_other_column_and_the_usage() {
    for last in [session_deleted("ses_1"), message_removed("ses_1", "msg_1")] {
        let (before, after) = (before(), after(OnDelete::Tombstone, last.clone()));
        // A tombstone's to-do list is gone.
        for table in HELD.iter().filter(|table| **table != "todos") {
            let erased = ERASED.iter().filter(|(of, ..)| of == table);
            let mut left_out: Vec<&str> = erased.map(|(_, column, _)| *column).collect();
            left_out.push("deleted_at");
            left_out.extend(derived(table, &last));
            same_but(&before, &after, table, &left_out, &last["type"]);
        }
    }
}

#[test]
fn keep_keeps_every_column_and_says_when_it_was_deleted() {
    let marked = ["sessions", "messages", "tool_calls"];
    for (last, of) in [
        (session_deleted("ses_1"), &marked[..]),
        (message_removed("ses_1", "msg_1"), &marked[1..]),
        (part_removed(("ses_1", "msg_1", "prt_4")), &marked[2..]),
    ] {
        let (before, after) = (before(), after(OnDelete::Keep, last.clone()));
        for table in HELD {
            let mut left_out = vec!["deleted_at"];
            left_out.extend(derived(table, &last));
            same_but(&before, &after, table, &left_out, &last["type"]);
        }
        for table in marked {
            let deleted = format!("SELECT count(*) FROM {table} WHERE deleted_at > 0");
            let is_marked = of.contains(&table);
            assert_eq!(
                after.value(&deleted) != "0",
                is_marked,
                "{table} {}",
                last["type"]
            );
        }
    }
}

#[test]
fn what_is_kept_stays_what_it_is_when_it_is_told_again() {
    let db = after(OnDelete::Keep, message_removed("ses_1", "msg_1"));
    let kept = db.dump();
    tell(&db, options(OnDelete::Keep), history());
    crate::support::assert_same("told again", &kept, &db.dump());
}
