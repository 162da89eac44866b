//! Recordings of real releases, and what the core makes of them.

use std::path::{Path, PathBuf};

use clankers::model::command::Command;
use clankers::{Core, Options, Urgency, store};
use rusqlite::Connection;
use rusqlite::types::Value as Sql;
use serde_json::Value;

const TABLES: &[&str] = &[
    "sessions",
    "session_own",
    "session_stores",
    "messages",
    "parts",
    "tool_calls",
    "usage",
    "session_errors",
    "permissions",
    "todos",
    "rejections",
];

/// The recordings in the repository, by release.
pub(crate) fn releases() -> Vec<(String, Vec<PathBuf>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures");
    let release = |folder: PathBuf| {
        let is_recording =
            |path: &PathBuf| path.extension().is_some_and(|ending| ending == "jsonl");
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        (
            name,
            entries(&folder).into_iter().filter(is_recording).collect(),
        )
    };
    entries(&root)
        .into_iter()
        .filter(|path| path.is_dir())
        .map(release)
        .collect()
}

/// One recording in the repository.
pub(crate) fn recording(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/fixtures")
        .join(name)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
}

/// A recording's batches, as the plugin would send them.
pub(crate) fn batches(recording: &Path) -> Vec<Vec<Command>> {
    let mut core = Core::new(Options::default());
    let mut batches = Vec::new();
    for line in std::fs::read_to_string(recording)
        .unwrap()
        .lines()
        .filter(|line| !line.is_empty())
    {
        let line: Value = serde_json::from_str(line).unwrap();
        if core.observe(&&line["event"], line["at"].as_f64().unwrap()) == Urgency::Now {
            batches.push(core.drain().to_vec());
            core.settle(true);
        }
    }
    batches.push(core.drain().to_vec());
    core.settle(true);
    batches
}

/// A database as the plugin's own sink makes it.
pub(crate) fn sink(path: &Path) -> Connection {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let db = Connection::open(path).unwrap();
    // More than the statements of all commands; and no test looks after a loss of power.
    db.set_prepared_statement_cache_capacity(128);
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON",
    )
    .unwrap();
    for (at, migration) in store::MIGRATIONS.iter().enumerate() {
        db.execute_batch(migration).unwrap();
        db.execute_batch(&format!("PRAGMA user_version = {}", at + 1))
            .unwrap();
    }
    db
}

/// Applies a batch as the plugin's own sink does.
pub(crate) fn apply(db: &Connection, commands: &[Command]) {
    let begin = format!("BEGIN IMMEDIATE; {}", store::BEGIN);
    db.execute_batch(&begin).unwrap();
    for command in commands {
        let params = serde_json::to_value(command).unwrap()["params"].take();
        let statements = store::statements(command.method()).unwrap();
        for one in statements.iter().filter(|one| one.applies(&params)) {
            let mut statement = db.prepare_cached(&one.sql).unwrap();
            statement.execute([params.to_string()]).unwrap();
        }
    }
    db.execute_batch("COMMIT").unwrap();
}

/// Every row of every table.
pub(crate) fn dump(db: &Connection) -> String {
    TABLES
        .iter()
        .map(|table| {
            let columns = columns(db, table);
            dump_of(
                db,
                &format!("SELECT {columns} FROM {table} ORDER BY 1, 2, 3"),
            )
        })
        .collect()
}

/// A table's columns but the count of the transaction that wrote the row.
pub(crate) fn columns(db: &Connection, table: &str) -> String {
    let names = "SELECT group_concat(name) FROM pragma_table_info(?1) WHERE name <> 'changed'";
    db.query_row(names, [table], |row| row.get(0)).unwrap()
}

/// The rows of a query, each a line of its values.
pub(crate) fn dump_of(db: &Connection, sql: &str) -> String {
    let mut statement = db.prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        let value = |at| row.get::<_, Sql>(at).map(|value| format!("{value:?}"));
        Ok((0..columns)
            .map(value)
            .collect::<Result<Vec<_>, _>>()?
            .join(" | "))
    });
    let rows: Vec<String> = rows.unwrap().map(Result::unwrap).collect();
    format!("## {sql}\n{}\n", rows.join("\n"))
}
