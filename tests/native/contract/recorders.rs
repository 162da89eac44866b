//! How a recorder is, which it tells with each batch that it claims.

use clankers::model::report::Report;
use clankers::store::CLAIM_BATCH;
use serde_json::{Value, json};

use crate::support::Db;

const VIEW: &str = "id version dialect pid started_at reported_at seen ignored refused commands \
    drains waiting last_error last_error_at asked answered failed caught_up_at behind_since";

/// A report in which each value is another.
fn report() -> Value {
    json!({
        "version": "0.1.0", "dialect": "opencode1", "pid": 1,
        "startedAt": 2, "reportedAt": 3, "seen": 4, "ignored": 5, "refused": 6, "commands": 7,
        "drains": 8, "waiting": 9, "lastError": "locked", "lastErrorAt": 10,
        "asked": 11, "answered": 12, "failed": 13, "caughtUpAt": 14, "behindSince": 15
    })
}

fn claimed(db: &Db, id: &Value) -> bool {
    claims(db, CLAIM_BATCH, id)
}

/// Whether a statement claims that batch.
fn claims(db: &Db, sql: &str, id: &Value) -> bool {
    db.0.prepare(sql)
        .and_then(|mut claim| claim.exists([id.to_string()]))
        .is_ok_and(|claimed| claimed)
}

fn recorders(db: &Db) -> Vec<String> {
    db.rows("SELECT * FROM recorders")
}

const TOLD: &str = r#""one" | "0.1.0" | "opencode1" | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | "locked" | 10 | 11 | 12 | 13 | 14 | 15"#;

#[test]
fn the_view_tells_all_of_a_report_under_the_names_of_the_contract() {
    let db = Db::new();
    let read: Result<Report, _> = serde_json::from_value(report());
    let wire = serde_json::to_value(read.ok()).unwrap_or_default();
    assert_eq!(wire, report());
    assert!(claimed(
        &db,
        &json!({ "writer": "one", "number": 1, "report": wire })
    ));
    assert_eq!(recorders(&db), [TOLD]);
    let columns = "SELECT name FROM pragma_table_info('recorders')";
    let columns: Vec<String> = db.rows(columns);
    let columns: Vec<&str> = columns.iter().map(|name| name.trim_matches('"')).collect();
    assert_eq!(columns, VIEW.split_whitespace().collect::<Vec<_>>());
}

#[test]
fn a_report_stays_until_a_later_batch_brings_another() {
    let db = Db::new();
    assert!(claimed(
        &db,
        &json!({ "writer": "one", "number": 2, "report": report() })
    ));
    // One that comes late, and one that tells nothing.
    let mut late = report();
    late["seen"] = json!(0);
    assert!(!claimed(
        &db,
        &json!({ "writer": "one", "number": 2, "report": late })
    ));
    assert!(claimed(&db, &json!({ "writer": "one", "number": 3 })));
    assert!(claimed(&db, &json!({ "writer": "two", "number": 1 })));
    assert_eq!(recorders(&db), [TOLD]);
}

#[test]
fn what_a_later_release_tells_is_taken_without_it() {
    let mut later = report();
    later["unheardOf"] = json!(1);
    let read: Result<Report, _> = serde_json::from_value(later);
    let wire = serde_json::to_value(read.ok()).unwrap_or_default();
    assert_eq!(wire, report());
}

/// As a writer of schema 5 claims a batch.
const CLAIM_OF_SCHEMA_5: &str = "\
INSERT INTO batches (writer, number, stored_at)
VALUES (?1 ->> 'writer', ?1 ->> 'number', unixepoch())
ON CONFLICT (writer) DO UPDATE SET number = excluded.number, stored_at = excluded.stored_at
WHERE excluded.number > batches.number
RETURNING number";

#[test]
fn a_writer_of_schema_5_goes_on() {
    let db = Db::of_schema(5);
    let old = |number| {
        claims(
            &db,
            CLAIM_OF_SCHEMA_5,
            &json!({ "writer": "old", "number": number }),
        )
    };
    assert!(old(1));
    db.migrate();
    assert!(old(2));
    assert!(!old(2));
    assert_eq!(recorders(&db), [""; 0]);
}
