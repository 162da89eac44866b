//! Whatever an export or a database of OpenCode's holds, it is imported or refused, and
//! importing it again changes nothing.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clankers_cli::fuzzing::{Imported, Importer};
use rusqlite::Connection;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::documents;
use crate::rows::put_rows;
use crate::support::{Db, assert_same};

/// A database on which both engines have worked.
const BOTH: &str = include_str!("../../cli/tests/homes/1.18.34-2.0.15/opencode.jsonl");

/// The columns of each of its tables.
type Columns = BTreeMap<String, BTreeSet<String>>;

struct World {
    importer: Importer,
    /// What it imports into.
    into: Db,
    columns: Columns,
    folder: TempDir,
}

impl World {
    fn new() -> Self {
        let folder = folder();
        Self {
            into: Db::in_file(&folder.path().join("clankers.db")),
            importer: Importer::open(folder.path(), "clankers.db").expect("it can be opened"),
            columns: columns(),
            folder,
        }
    }

    /// Imports into the empty database, and once more.
    fn twice(&mut self, import: impl Fn(&mut Importer) -> Imported) {
        self.into.clear();
        let first = import(&mut self.importer);
        let rows = self.into.dump();
        let again = import(&mut self.importer);
        assert_same("imported again", &rows, &self.into.dump());
        assert_eq!(again.refused, first.refused);
    }
}

thread_local! {
    static WORLD: RefCell<World> = World::new().into();
}

/// A folder for databases, in memory where the system has such.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() {
        TempDir::new_in(memory)
    } else {
        TempDir::new()
    };
    folder.expect("there is a place for files")
}

fn columns() -> Columns {
    let mut columns = Columns::new();
    for line in BOTH.lines() {
        let line: Value = serde_json::from_str(line).expect("a line is JSON");
        if let (Some(table), Some(row)) = (line["table"].as_str(), line["row"].as_object()) {
            let of_table = columns.entry(table.to_owned()).or_default();
            of_table.extend(row.keys().cloned());
        }
    }
    columns
}

/// Imports the rows `{ table, row }` that the input consists of, as a database, or the
/// input itself, as an export.
pub fn run(input: &[u8]) {
    WORLD.with_borrow_mut(|world| {
        let rows: Vec<Value> = documents(input)
            .iter()
            .filter_map(|document| row(&world.columns, document))
            .collect();
        if rows.is_empty() {
            world.twice(|importer| importer.document(input));
        } else {
            let path = database(world, &rows);
            world.twice(|importer| importer.database(&path));
        }
    });
}

/// A row with columns that its table has; what is no plain value is its JSON text.
fn row(columns: &Columns, document: &Value) -> Option<Value> {
    let table = document.get("table")?.as_str()?;
    let known = columns.get(table)?;
    let fields = document.get("row")?.as_object()?.iter();
    let row: Map<String, Value> = fields
        .filter(|(name, _)| known.contains(*name))
        .map(|(name, value)| (name.clone(), plain(value)))
        .collect();
    (!row.is_empty()).then(|| json!({ "table": table, "row": row }))
}

fn plain(value: &Value) -> Value {
    match value {
        Value::Array(_) | Value::Object(_) => value.to_string().into(),
        Value::Bool(value) => i64::from(*value).into(),
        plain => plain.clone(),
    }
}

/// A database of these rows, whose tables take any value in any column.
fn database(world: &World, rows: &[Value]) -> PathBuf {
    let path = world.folder.path().join("opencode.db");
    // There is none yet the first time.
    let _ = std::fs::remove_file(&path);
    let db = Connection::open(&path).expect("a database can be made");
    db.execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF")
        .expect("it can be set");
    let tables: BTreeSet<&str> = rows
        .iter()
        .filter_map(|row| row["table"].as_str())
        .collect();
    let sql = |table: &&str| {
        let columns: Vec<&str> = world.columns[*table].iter().map(String::as_str).collect();
        json!({ "sql": format!("CREATE TABLE {table} ({})", columns.join(", ")) })
    };
    let tables: Vec<Value> = tables.iter().map(sql).collect();
    put_rows(&db, &[tables.as_slice(), rows].concat());
    path
}
