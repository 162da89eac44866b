//! Importing from a database on which OpenCode 1 and OpenCode 2 worked in turn:
//! 1.18.34, 2.0.15, 1.18.34, 2.0.15 (`tests/homes/make.ts`). What one wrote and
//! the other took over is stored once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::history::{
    assert_same, comparable, fixture, home_of, lines, put_database, stored,
};
use crate::support::home::Home;
use crate::support::recording;
use crate::support::rows::put_rows;

const TAKEN_OVER: &str = "1.18.34-2.0.15";
const SESSIONS: &str = "24 sessions";

/// Where OpenCode has its database in a home.
fn store(home: &Home) -> PathBuf {
    home.path(".local/share/opencode/opencode.db")
}

/// The same, to change it as no OpenCode would.
fn change(path: &Path, sql: &str) {
    let db = Connection::open(path).unwrap();
    db.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    db.execute_batch(sql).unwrap();
}

/// The home as it was before OpenCode 2 came: no table of that, nothing that
/// OpenCode 1 wrote later, and the sessions as they were then.
fn before(path: &Path) {
    put_database(TAKEN_OVER, path);
    change(path, "DELETE FROM session");
    let db = Connection::open(path).unwrap();
    put_rows(&db, &lines(&fixture(TAKEN_OVER, "before.jsonl")));
    change(
        path,
        "DROP TABLE session_message;
         DROP TABLE session_v2;
         DELETE FROM message WHERE time_created > (SELECT max(time_updated) FROM session);
         DELETE FROM part WHERE message_id NOT IN (SELECT id FROM message);",
    );
}

fn import(home: &Home, from: &Path) -> String {
    home.stdout(&["import", "--from", from.to_str().unwrap()])
}

/// The ids of the rows of these tables, as both releases answered them in the end.
fn answered() -> (BTreeMap<String, Vec<String>>, f64) {
    let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut cost = 0.0;
    for line in lines(&fixture(TAKEN_OVER, "expected.jsonl")) {
        if let Some(spent) = line["cost"].as_f64() {
            cost = spent;
            continue;
        }
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        ids.entry(text("table")).or_default().push(text("id"));
    }
    ids.remove("session_errors");
    (ids, cost)
}

fn ids(db: &Connection, table: &str) -> Vec<String> {
    let sql = format!("SELECT id FROM {table} ORDER BY id");
    let mut statement = db.prepare(&sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

fn count(db: &Connection, sql: &str) -> i64 {
    db.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn what_both_wrote_is_stored_once_under_the_ids_of_who_wrote_it_first() {
    let home = home_of(TAKEN_OVER);
    let said = home.stdout(&["import"]);
    assert!(
        said.contains(&format!("brought in {SESSIONS}, 122 messages")),
        "{said}"
    );
    let db = home.open();
    let (answered, cost) = answered();
    assert!(answered.len() == 4, "{:?}", answered.keys());
    for (table, mut expected) in answered {
        expected.sort();
        assert_eq!(ids(&db, &table), expected, "{table}");
    }
    let spent: f64 = db
        .query_row(
            "SELECT sum(cost) FROM usage WHERE NOT inherited",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert!((spent - cost).abs() < 1e-9, "{spent} of {cost}");
    assert_eq!(count(&db, "SELECT count(*) FROM rejections"), 0);
}

#[test]
fn an_import_before_the_upgrade_and_one_after_it_make_the_rows_of_one() {
    let once = home_of(TAKEN_OVER);
    once.stdout(&["import"]);

    let home = Home::new();
    let old = home.path("before.db");
    before(&old);
    let said = import(&home, &old);
    assert!(said.contains("brought in 19 sessions"), "{said}");
    let new = home.path("after.db");
    put_database(TAKEN_OVER, &new);
    let said = import(&home, &new);
    assert!(
        said.contains("5 sessions new, ") && !said.contains(" 0 brought up to date"),
        "{said}"
    );

    assert_same(
        &comparable(&stored(&once.open())),
        &comparable(&stored(&home.open())),
        "once, and twice",
    );
}

#[test]
fn a_takeover_that_is_under_way_loses_and_doubles_nothing() {
    let once = home_of(TAKEN_OVER);
    once.stdout(&["import"]);

    let home = home_of(TAKEN_OVER);
    // It begins with the sessions whose ids are greatest.
    change(
        &store(&home),
        "CREATE TABLE later AS SELECT * FROM session_v2
               WHERE id < (SELECT id FROM session ORDER BY id LIMIT 1 OFFSET 10);
             DELETE FROM session_v2 WHERE id IN (SELECT id FROM later);
             CREATE TABLE later_message AS SELECT * FROM session_message
               WHERE session_id IN (SELECT id FROM later);
             DELETE FROM session_message WHERE session_id IN (SELECT id FROM later);",
    );
    let said = home.stdout(&["import"]);
    assert!(said.contains("brought in 20 sessions"), "{said}");
    change(
        &store(&home),
        "INSERT INTO session_v2 SELECT * FROM later;
             INSERT INTO session_message SELECT * FROM later_message;",
    );
    home.stdout(&["import"]);
    assert_same(
        &comparable(&stored(&once.open())),
        &comparable(&stored(&home.open())),
        "once, and halfway first",
    );
}

#[test]
fn importing_again_changes_nothing() {
    let home = home_of(TAKEN_OVER);
    home.stdout(&["import"]);
    let before = recording::dump(&home.open());
    let said = home.stdout(&["import"]);
    let nothing = format!("nothing to bring in: all of {SESSIONS} are recorded");
    assert!(said.contains(&nothing), "{said}");
    assert_eq!(recording::dump(&home.open()), before);
    let said = home.stdout(&["import", "--all"]);
    assert!(said.contains(&format!("brought in {SESSIONS}")), "{said}");
    assert_eq!(recording::dump(&home.open()), before);
}

#[test]
fn what_one_of_them_changed_last_is_what_counts_of_a_session() {
    let home = home_of(TAKEN_OVER);
    let changed = |sql: &str| {
        change(&store(&home), sql);
        home.stdout(&["import"]);
        count(
            &home.open(),
            "SELECT count(*) FROM sessions WHERE title = 'Renamed'",
        )
    };
    let later = |table: &str, title: &str, at: i64| {
        format!(
            "UPDATE {table} SET title = '{title}', time_updated = {at} WHERE title IN ('Notes', 'Renamed', 'Else')"
        )
    };
    let at = 9_000_000_000_000;
    assert_eq!(changed(&later("session_v2", "Renamed", at)), 1);
    assert_eq!(changed(&later("session", "Else", at + 1)), 0);
    assert_eq!(changed(&later("session_v2", "Renamed", at + 2)), 1);
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_comes() {
    let home = home_of(TAKEN_OVER);
    let db = Connection::open(store(&home)).unwrap();
    let id: String = db
        .query_row(
            "SELECT id FROM session_message WHERE id NOT IN (SELECT id FROM message) AND type = 'user'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    db.execute(
        "UPDATE session_message SET data = '{ broken' WHERE id = ?1",
        [&id],
    )
    .unwrap();
    db.execute_batch("UPDATE session_v2 SET model = 'broken', revert = '[', fork_boundary = '{'")
        .unwrap();
    let said = home.stdout(&["import"]);
    assert!(said.contains(&format!("brought in {SESSIONS}")), "{said}");
    assert!(
        said.contains("1 document could not be read:") && said.contains(&id),
        "{said}"
    );
    let rejections = count(&home.open(), "SELECT count(*) FROM rejections");
    assert_eq!(rejections, 0);
    let placeholder = format!(
        "SELECT count(*) FROM messages
         WHERE id = '{id}' AND role = 'user' AND created_at > 0 AND position > 0"
    );
    assert_eq!(count(&home.open(), &placeholder), 1);
}

#[test]
fn a_home_that_only_the_new_one_has_seen_is_read() {
    let home = home_of(TAKEN_OVER);
    let tables = "DROP TABLE session; DROP TABLE message; DROP TABLE part; DROP TABLE todo";
    change(&store(&home), tables);
    let said = home.stdout(&["import"]);
    assert!(said.contains("brought in 23 sessions"), "{said}");
    let db = home.open();
    let doubled = "SELECT count(*) FROM messages WHERE kind = 'synthetic'";
    assert!(count(&db, doubled) > 0);
    assert_eq!(count(&db, "SELECT count(*) FROM rejections"), 0);
}

#[test]
fn what_is_said_to_have_come_is_what_is_stored() {
    let home = home_of(TAKEN_OVER);
    let said = home.stdout(&["import", "--format", "json"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    let db = home.open();
    assert_eq!(
        said["messages"],
        json!(count(&db, "SELECT count(*) FROM messages"))
    );
    let parts = "SELECT (SELECT count(*) FROM parts) + (SELECT count(*) FROM tool_calls)";
    assert_eq!(said["parts"], json!(count(&db, parts)));
}
