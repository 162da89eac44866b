//! Homes that real releases made (`tests/homes/make.ts`), and the rows that an
//! import makes of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::types::Value as Sql;
use serde_json::{Map, Value, json};

use super::home::Home;
use super::recording;
use super::rows::put_rows;

const TABLES: &[&str] = &[
    "sessions",
    "session_own",
    "messages",
    "parts",
    "tool_calls",
    "usage",
    "session_errors",
    "todos",
];

pub(crate) fn fixture(release: &str, name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/homes")
        .join(release)
        .join(name)
}

pub(crate) fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A home with what a release kept in it.
pub(crate) fn home_of(release: &str) -> Home {
    let home = Home::new();
    put_home(release, &home);
    home
}

/// Puts what a release kept where it keeps it, and says where that is.
pub(crate) fn put_home(release: &str, home: &Home) -> PathBuf {
    let program = program(release);
    let data = home.path(&format!(".local/share/{program}"));
    fs::create_dir_all(&data).unwrap();
    if fixture(release, "storage.jsonl").exists() {
        let storage = data.join("storage");
        put_files(release, &storage);
        return storage;
    }
    let database = data.join(format!("{program}.db"));
    put_database(release, &database);
    database
}

/// What the folder and the database of a release's program are called.
fn program(release: &str) -> &'static str {
    if release.starts_with("kilo-") {
        "kilo"
    } else {
        "opencode"
    }
}

pub(crate) fn put_database(release: &str, path: &Path) {
    let db = Connection::open(path).unwrap();
    db.execute_batch("PRAGMA journal_mode = WAL").unwrap();
    let kept = format!("{}.jsonl", program(release));
    put_rows(&db, &lines(&fixture(release, &kept)));
}

pub(crate) fn put_files(release: &str, storage: &Path) {
    for line in lines(&fixture(release, "storage.jsonl")) {
        let path = storage.join(line["path"].as_str().unwrap());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, line["text"].as_str().unwrap()).unwrap();
    }
}

pub(crate) type Row = (String, Map<String, Value>);

/// What the plugin recorded while the conversation was held.
pub(crate) fn recorded(release: &str) -> Vec<Row> {
    let row = |line: Value| {
        (
            line["table"].as_str().unwrap().to_owned(),
            line["row"].as_object().unwrap().clone(),
        )
    };
    let rows = lines(&fixture(release, "recorded.jsonl"))
        .into_iter()
        .map(row);
    without_begin_of_steps(rows.collect())
}

pub(crate) fn stored(db: &Connection) -> Vec<Row> {
    let mut rows = Vec::new();
    for table in TABLES {
        let mut statement = db
            .prepare(&format!(
                "SELECT {} FROM {table} ORDER BY 1, 2",
                recording::columns(db, table)
            ))
            .unwrap();
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut found = statement.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            let value = |at: usize| match row.get::<_, Sql>(at).unwrap() {
                Sql::Null | Sql::Blob(_) => Value::Null,
                Sql::Integer(number) => number.into(),
                Sql::Real(number) => number.into(),
                Sql::Text(text) => text.into(),
            };
            let row = names
                .iter()
                .enumerate()
                .map(|(at, name)| (name.clone(), value(at)))
                .collect();
            rows.push(((*table).to_owned(), row));
        }
    }
    rows
}

/// The rows without columns that are newer than the homes.
pub(crate) fn with_columns_of(recorded: &[Row], mut rows: Vec<Row>) -> Vec<Row> {
    for (table, row) in &mut rows {
        if let Some((_, known)) = recorded.iter().find(|(name, _)| name == table) {
            row.retain(|column, _| known.contains_key(column));
        }
    }
    rows
}

/// The same value, the fields of its objects by name.
fn without_order(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<&String, Value> = fields
                .iter()
                .map(|(name, value)| (name, without_order(value)))
                .collect();
            json!(fields)
        }
        Value::Array(items) => items.iter().map(without_order).collect(),
        plain => plain.clone(),
    }
}

/// The rows of what OpenCode still has, each as text. What it has deleted it
/// cannot tell, and how long a person was asked only events say. Numbers that
/// JavaScript wrote without a fraction are the same number, and the order of
/// fields in a part's data says nothing.
pub(crate) fn comparable(rows: &[Row]) -> Vec<String> {
    let text = |row: &Map<String, Value>, name: &str| {
        row.get(name).and_then(Value::as_str).map(str::to_owned)
    };
    let is_live = |row: &Map<String, Value>| {
        let marks = ["deleted_at", "missing_since"];
        marks
            .iter()
            .all(|mark| row.get(*mark).is_none_or(Value::is_null))
    };
    let undeleted = |table: &str| -> BTreeSet<String> {
        let of = rows
            .iter()
            .filter(|(name, row)| name == table && is_live(row));
        of.filter_map(|(_, row)| text(row, "id")).collect()
    };
    let (sessions, messages) = (undeleted("sessions"), undeleted("messages"));
    let still_there = |(table, row): &&Row| {
        let session = if table == "sessions" {
            text(row, "id")
        } else {
            text(row, "session_id")
        };
        let message =
            text(row, "message_id").is_none_or(|id| table == "usage" || messages.contains(&id));
        is_live(row) && message && session.is_some_and(|id| sessions.contains(&id))
    };
    let line = |(table, row): &Row| {
        let mut row = row.clone();
        // What an import cannot know, or is known of it alone, and the count of
        // transactions.
        for column in ["origin", "whole_at", "permission_wait_ms", "changed"] {
            row.remove(column);
        }
        for column in ["copied_at", "copy_rank"] {
            row.remove(column);
        }
        for column in ["additions", "deletions", "files_changed"] {
            if row.get(column).is_some_and(|lines| *lines == json!(0)) {
                row.insert(column.to_owned(), Value::Null);
            }
        }
        for value in row.values_mut() {
            if let Some(number) = value.as_f64() {
                *value = json!(number);
            }
        }
        if let Some(data) = row.get_mut("data").filter(|data| data.is_string()) {
            *data = without_order(&serde_json::from_str(data.as_str().unwrap()).unwrap());
        }
        let row: BTreeMap<_, _> = row.into_iter().collect();
        format!("{table} {}", json!(row))
    };
    let mut lines: Vec<String> = rows.iter().filter(still_there).map(line).collect();
    lines.sort();
    lines
}

/// Fails where one has a row that the other has not, and says which.
pub(crate) fn assert_same(left: &[String], right: &[String], what: &str) {
    let only = |these: &[String], others: &[String]| -> Vec<String> {
        let others: BTreeSet<&String> = others.iter().collect();
        these
            .iter()
            .filter(|line| !others.contains(line))
            .cloned()
            .collect()
    };
    let differences = (only(left, right), only(right, left));
    assert_eq!(differences, (Vec::new(), Vec::new()), "{what}");
    assert_eq!(left.len(), right.len(), "{what}");
}

/// The rows without what Kilo tells in events and has in its database, and leaves
/// out where its API answers: when a step began. It was kept when its conversation
/// was recorded.
fn without_begin_of_steps(mut rows: Vec<Row>) -> Vec<Row> {
    for (_, row) in &mut rows {
        if row.get("type").is_some_and(|kind| kind == "step-start") {
            let data = row["data"].as_str().unwrap_or("{}");
            let mut data: Map<String, Value> = serde_json::from_str(data).unwrap();
            data.shift_remove("time");
            row.insert("data".to_owned(), json!(data).to_string().into());
        }
    }
    rows
}

/// The rows without these columns of these tables.
pub(crate) fn without(mut rows: Vec<Row>, columns: &[(&str, &str)]) -> Vec<Row> {
    for (table, row) in &mut rows {
        row.retain(|column, _| !columns.contains(&(table.as_str(), column.as_str())));
    }
    rows
}
