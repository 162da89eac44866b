//! Importing what OpenCode has on disk. The homes were made by real releases
//! (`tests/homes/make.ts`), each beside what the plugin recorded there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::types::Value as Sql;
use serde_json::{Map, Value, json};

use crate::support::home::Home;
use crate::support::recording;

const RELEASES: &[&str] = &["1.0.61", "1.1.31", "1.3.2", "1.18.34"];
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

fn fixture(release: &str, name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/homes")
        .join(release)
        .join(name)
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A home with what a release kept in it.
fn home_of(release: &str) -> Home {
    let home = Home::new();
    let data = home.path(".local/share/opencode");
    fs::create_dir_all(&data).unwrap();
    if fixture(release, "opencode.jsonl").exists() {
        put_database(release, &data.join("opencode.db"));
    } else {
        put_files(release, &data.join("storage"));
    }
    home
}

fn put_database(release: &str, path: &Path) {
    let db = Connection::open(path).unwrap();
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = OFF")
        .unwrap();
    for line in lines(&fixture(release, "opencode.jsonl")) {
        if let Some(sql) = line["sql"].as_str() {
            db.execute_batch(sql).unwrap();
            continue;
        }
        let row = line["row"].as_object().unwrap();
        let names: Vec<String> = row.keys().map(|name| format!("\"{name}\"")).collect();
        let marks = vec!["?"; names.len()].join(", ");
        let table = line["table"].as_str().unwrap();
        let sql = format!(
            "INSERT INTO {table} ({}) VALUES ({marks})",
            names.join(", ")
        );
        db.execute(&sql, rusqlite::params_from_iter(row.values().map(to_sql)))
            .unwrap();
    }
}

fn put_files(release: &str, storage: &Path) {
    for line in lines(&fixture(release, "storage.jsonl")) {
        let path = storage.join(line["path"].as_str().unwrap());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, line["text"].as_str().unwrap()).unwrap();
    }
}

fn to_sql(value: &Value) -> Sql {
    match value {
        Value::Null => Sql::Null,
        Value::Number(number) => number
            .as_i64()
            .map_or_else(|| Sql::Real(number.as_f64().unwrap()), Sql::Integer),
        Value::String(text) => Sql::Text(text.clone()),
        other => panic!("no column holds {other}"),
    }
}

type Row = (String, Map<String, Value>);

/// What the plugin recorded while the conversation was held.
fn recorded(release: &str) -> Vec<Row> {
    let row = |line: Value| {
        (
            line["table"].as_str().unwrap().to_owned(),
            line["row"].as_object().unwrap().clone(),
        )
    };
    lines(&fixture(release, "recorded.jsonl"))
        .into_iter()
        .map(row)
        .collect()
}

fn stored(db: &Connection) -> Vec<Row> {
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
fn with_columns_of(recorded: &[Row], mut rows: Vec<Row>) -> Vec<Row> {
    for (table, row) in &mut rows {
        if let Some((_, known)) = recorded.iter().find(|(name, _)| name == table) {
            row.retain(|column, _| known.contains_key(column));
        }
    }
    rows
}

/// The rows of what OpenCode still has, each as text. What it has deleted it
/// cannot tell, and how long a person was asked only events say. Numbers that
/// JavaScript wrote without a fraction are the same number.
fn comparable(rows: &[Row]) -> Vec<String> {
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
        // What an import cannot know, and what the recordings are too old to have.
        for column in ["origin", "whole_at", "permission_wait_ms"] {
            row.remove(column);
        }
        // What the recordings of an earlier schema have not, or had as 0.
        for column in [
            "missing_since",
            "position",
            "kind",
            "ignored",
            "cost_source",
        ] {
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
        let row: std::collections::BTreeMap<_, _> = row.into_iter().collect();
        format!("{table} {}", json!(row))
    };
    let mut lines: Vec<String> = rows.iter().filter(still_there).map(line).collect();
    lines.sort();
    lines
}

#[test]
fn what_is_imported_equals_what_the_plugin_records() {
    for release in RELEASES {
        let home = home_of(release);
        let said = home.stdout(&["import"]);
        assert!(said.contains("brought in 6 sessions"), "{release}: {said}");
        let (imported, recorded) = (
            comparable(&stored(&home.open())),
            comparable(&recorded(release)),
        );
        assert!(recorded.len() > 100, "{release}");
        for (imported, recorded) in imported.iter().zip(&recorded) {
            assert_eq!(imported, recorded, "{release}");
        }
        assert_eq!(imported.len(), recorded.len(), "{release}");
        let rejections: i64 = home
            .open()
            .query_row("SELECT count(*) FROM rejections", [], |row| row.get(0))
            .unwrap();
        assert_eq!(rejections, 0, "{release}");
    }
}

#[test]
fn importing_again_changes_nothing() {
    for release in RELEASES {
        let home = home_of(release);
        home.stdout(&["import"]);
        let before = recording::dump(&home.open());
        assert!(
            home.stdout(&["import"])
                .contains("nothing to bring in: all of 6 sessions are recorded")
        );
        assert_eq!(recording::dump(&home.open()), before, "{release}");
        assert!(
            home.stdout(&["import", "--all"])
                .contains("brought in 6 sessions")
        );
        assert_eq!(recording::dump(&home.open()), before, "{release}");
    }
}

#[test]
fn a_dry_run_says_what_would_come_and_makes_nothing() {
    let home = home_of("1.18.34");
    let said = home.stdout(&["import", "--dry-run"]);
    assert!(said.contains("would bring in 6 sessions"), "{said}");
    assert!(!home.data().exists());
    home.stdout(&["import"]);
    home.open()
        .execute_batch("UPDATE sessions SET title = 'old' WHERE title = 'Tools that work'")
        .unwrap();
    let before = recording::dump(&home.open());
    let said = home.stdout(&["import", "--dry-run", "--format", "json"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&said["imported"], &said["new"]), (&json!(1), &json!(0)));
    assert_eq!(recording::dump(&home.open()), before);
}

#[test]
fn what_was_deleted_here_stays_deleted() {
    let home = home_of("1.18.34");
    home.stdout(&["import"]);
    let db = home.open();
    let delete = json!({ "method": "session.delete", "params": {
        "id": db.query_row("SELECT id FROM sessions WHERE title = 'Tools that work'", [], |row| row.get::<_, String>(0)).unwrap(),
        "deletedAt": 1, "onDelete": "tombstone",
    } });
    recording::apply(&db, &[serde_json::from_value(delete).unwrap()]);
    let before = recording::dump(&db);
    home.stdout(&["import", "--all"]);
    assert_eq!(recording::dump(&db), before);
}

#[test]
fn what_was_pruned_here_is_not_imported_again() {
    for more in [&[][..], &["--purge"]] {
        let home = home_of("1.18.34");
        home.stdout(&["import"]);
        home.stdout(&[&["prune", "--older-than", "2100-01-01"], more].concat());
        let before = recording::dump(&home.open());
        home.stdout(&["import", "--all"]);
        assert_eq!(recording::dump(&home.open()), before, "{more:?}");
    }
}

#[test]
fn files_that_a_database_has_replaced_are_not_read() {
    let home = home_of("1.1.31");
    let data = home.path(".local/share/opencode");
    put_database("1.18.34", &data.join("opencode.db"));
    let said = home.stdout(&["import"]);
    assert!(
        said.contains("opencode.db") && !said.contains("storage"),
        "{said}"
    );
    let storage = data.join("storage");
    let said = home.stdout(&["import", "--from", storage.to_str().unwrap()]);
    assert!(said.contains("brought in 6 sessions"), "{said}");
}

#[test]
fn every_channels_database_is_read() {
    let home = home_of("1.18.34");
    put_database(
        "1.3.2",
        &home.path(".local/share/opencode/opencode-beta.db"),
    );
    let said = home.stdout(&["import"]);
    assert!(said.contains("brought in 12 sessions"), "{said}");
}

#[test]
fn an_export_of_opencodes_is_read() {
    for release in RELEASES {
        let home = Home::new();
        let file = fixture(release, "export.json");
        let said = home.stdout(&["import", "--from", file.to_str().unwrap()]);
        assert!(
            said.contains("brought in 1 session, 8 messages"),
            "{release}: {said}"
        );
        let recorded = recorded(release);
        let imported = comparable(&with_columns_of(&recorded, stored(&home.open())));
        let all = comparable(&recorded);
        let missing: Vec<&String> = imported.iter().filter(|line| !all.contains(line)).collect();
        assert!(missing.is_empty(), "{release}: {missing:#?}");
    }
}

/// Every text that is in the value, put through `change`.
fn each_text(value: &mut Value, change: &dyn Fn(&str, &str) -> Option<String>) {
    fn walk(key: &str, value: &mut Value, change: &dyn Fn(&str, &str) -> Option<String>) {
        match value {
            Value::String(text) => {
                if let Some(changed) = change(key, text) {
                    *text = changed;
                }
            }
            Value::Array(items) => {
                for item in items {
                    walk(key, item, change);
                }
            }
            Value::Object(fields) => {
                for (key, field) in fields {
                    walk(key, field, change);
                }
            }
            _ => {}
        }
    }
    walk("", value, change);
}

/// What `opencode export --sanitize` takes out, under the real ids.
fn sanitized(export: &Value) -> Value {
    const TAKEN_OUT: [&str; 8] = [
        "title",
        "directory",
        "text",
        "output",
        "error",
        "command",
        "description",
        "filePath",
    ];
    let mut export = export.clone();
    each_text(&mut export, &|key, _| {
        TAKEN_OUT
            .contains(&key)
            .then(|| format!("[redacted:{key}:1]"))
    });
    export
}

/// Imports an export that says this, whatever is recorded.
fn import(home: &Home, export: &Value) {
    let file = home.path("export.json");
    fs::write(&file, export.to_string()).unwrap();
    home.stdout(&["import", "--all", "--from", file.to_str().unwrap()]);
}

/// The rows with their texts, without what counts changes.
fn content(home: &Home) -> Vec<String> {
    let db = home.open();
    let mut lines = Vec::new();
    for sql in [
        "SELECT id, title, project_path, project_name, updated_at FROM sessions",
        "SELECT id, text_content, error_message FROM messages",
        "SELECT id, text, data FROM parts",
        "SELECT id, title, input, output, error, file_path, status FROM tool_calls",
        "SELECT session_id, position, content FROM todos",
    ] {
        let mut statement = db.prepare(sql).unwrap();
        let count = statement.column_count();
        let rows = statement.query_map([], |row| {
            let cell = |at| row.get::<_, Sql>(at).map(|value| format!("{value:?}"));
            (0..count).map(cell).collect::<Result<Vec<_>, _>>()
        });
        lines.extend(rows.unwrap().map(|row| row.unwrap().join(" | ")));
    }
    lines.sort();
    lines
}

#[test]
fn an_export_with_its_texts_taken_out_replaces_none_that_is_recorded() {
    for release in RELEASES {
        let home = home_of(release);
        home.stdout(&["import"]);
        let before = content(&home);
        let export: Value =
            serde_json::from_str(&fs::read_to_string(fixture(release, "export.json")).unwrap())
                .unwrap();
        import(&home, &sanitized(&export));
        assert_eq!(content(&home), before, "{release}");
        // Nor where the session has gone on since.
        let mut later = sanitized(&export);
        later["info"]["time"]["updated"] = json!(9_999_999_999_999_i64);
        import(&home, &later);
        let words = |lines: Vec<String>| -> Vec<String> {
            let time = |line: &String| line.rsplit_once(" | ").map(|(start, _)| start.to_owned());
            lines.iter().filter_map(time).collect()
        };
        assert_eq!(words(content(&home)), words(before), "{release}");
    }
}

#[test]
fn an_older_export_puts_no_text_back() {
    for release in RELEASES {
        let home = home_of(release);
        home.stdout(&["import"]);
        let before = content(&home);
        let mut export: Value =
            serde_json::from_str(&fs::read_to_string(fixture(release, "export.json")).unwrap())
                .unwrap();
        each_text(&mut export, &|key, text| {
            (key == "text" || key == "title").then(|| format!("{text} as it was"))
        });
        export["info"]["time"]["updated"] = json!(1);
        import(&home, &export);
        assert_eq!(content(&home), before, "{release}");
    }
}

#[test]
fn an_export_of_the_same_time_replaces_no_words() {
    const WORDS: [&str; 4] = ["title", "text", "output", "error"];
    for release in RELEASES {
        let home = home_of(release);
        home.stdout(&["import"]);
        let before = content(&home);
        let export: Value =
            serde_json::from_str(&fs::read_to_string(fixture(release, "export.json")).unwrap())
                .unwrap();
        let mut empty = export.clone();
        each_text(&mut empty, &|key, _| WORDS.contains(&key).then(String::new));
        import(&home, &empty);
        assert_eq!(content(&home), before, "{release}");
        let mut other = export;
        each_text(&mut other, &|key, text| {
            (key != "title" && WORDS.contains(&key)).then(|| format!("{text} as it was"))
        });
        import(&home, &other);
        assert_eq!(content(&home), before, "{release}");
    }
}

#[test]
fn what_only_an_export_has_comes_with_what_it_has_left_of_it() {
    let home = Home::new();
    let file = fixture("1.18.34", "export.json");
    let export: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    import(&home, &sanitized(&export));
    let db = home.open();
    let count = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM messages"), 8);
    assert_eq!(
        count("SELECT count(*) FROM sessions WHERE project_path LIKE '[redacted:%'"),
        0
    );
    // The whole one fills in what is missing, the second time nothing.
    import(&home, &export);
    let whole = content(&home);
    import(&home, &export);
    assert_eq!(content(&home), whole);
}

#[test]
fn two_copies_of_one_database_come_to_rest() {
    let home = home_of("1.18.34");
    let older = home.path("older.db");
    fs::copy(home.path(".local/share/opencode/opencode.db"), &older).unwrap();
    let newer = home.path("newer.db");
    fs::copy(&older, &newer).unwrap();
    let change = Connection::open(&newer).unwrap();
    change
        .execute_batch("UPDATE session SET time_updated = time_updated + 1000, title = 'Later'")
        .unwrap();
    drop(change);
    let both = |home: &Home| {
        let (older, newer) = (older.to_str().unwrap(), newer.to_str().unwrap());
        home.stdout(&["import", "--from", newer, "--from", older])
    };
    both(&home);
    let rested = content(&home);
    let said = both(&home);
    assert!(said.contains("nothing to bring in"), "{said}");
    assert_eq!(content(&home), rested);
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_comes() {
    let home = home_of("1.1.31");
    let storage = home.path(".local/share/opencode/storage");
    let part = fs::read_dir(storage.join("part"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let file = fs::read_dir(part).unwrap().next().unwrap().unwrap().path();
    fs::write(&file, "{ broken").unwrap();
    let said = home.stdout(&["import"]);
    assert!(said.contains("brought in 6 sessions"), "{said}");
    assert!(
        said.contains("1 document could not be read:")
            && said.contains(file.file_name().unwrap().to_str().unwrap()),
        "{said}"
    );
}

#[test]
fn what_is_no_history_is_refused_with_advice() {
    let home = Home::new();
    assert!(
        home.stderr(&["import"])
            .contains("OpenCode has nothing in ~/.local/share/opencode")
    );
    let file = home.path("notes.txt");
    fs::write(&file, "no session").unwrap();
    assert!(
        home.stderr(&["import", "--from", file.to_str().unwrap()])
            .contains("opencode export SESSION")
    );
    let db = home.path("other.db");
    Connection::open(&db)
        .unwrap()
        .execute_batch("CREATE TABLE x (y)")
        .unwrap();
    assert!(
        home.stderr(&["import", "--from", db.to_str().unwrap()])
            .contains("is no database of OpenCode's")
    );
}
