//! What the native tests share: a database that commands are applied to, and
//! recordings of real releases that are replayed through a core.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "each test file uses a part of it; a broken fixture is to fail loudly"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use clankers::model::command::Command;
use clankers::sources::Dialect;
use clankers::store::Statement;
use clankers::{Core, Options, Urgency, store};
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, MAIN_DB};
use serde_json::{Map, Value};

/// The tables of the contract, in an order that dumps keep.
pub(crate) const TABLES: &[&str] = &[
    "sessions",
    "session_own",
    "messages",
    "parts",
    "tool_calls",
    "usage",
    "session_errors",
    "permissions",
    "todos",
    "rejections",
];

/// A database in memory, written as every sink writes.
pub(crate) struct Db(
    pub(crate) Connection,
    BTreeMap<&'static str, Vec<Statement>>,
);

impl Db {
    /// An empty one with the newest schema: a copy of one that was migrated once, since
    /// the migrations take longer than most of what is tried on it.
    pub(crate) fn new() -> Self {
        static MIGRATED: LazyLock<Vec<u8>> = LazyLock::new(|| {
            let mut migrated = Db::of_schema(store::SCHEMA_VERSION).0;
            migrated.serialize(MAIN_DB).unwrap().to_vec()
        });
        let mut db = Connection::open_in_memory().unwrap();
        db.deserialize_read_exact(MAIN_DB, MIGRATED.as_slice(), MIGRATED.len(), false)
            .unwrap();
        Self::of_connection(db)
    }

    /// An empty one with the schema of this version.
    pub(crate) fn of_schema(version: usize) -> Self {
        Self::migrated(Connection::open_in_memory().unwrap(), version)
    }

    /// An empty one in this file, as a writer leaves it while it is at work.
    pub(crate) fn in_file(path: &Path) -> Self {
        let db = Connection::open(path).unwrap();
        db.pragma_update(None, "journal_mode", "wal").unwrap();
        db.pragma_update(None, "synchronous", "off").unwrap();
        Self::migrated(db, store::SCHEMA_VERSION)
    }

    fn migrated(db: Connection, version: usize) -> Self {
        let db = Self::of_connection(db);
        for migration in &store::MIGRATIONS[..version] {
            db.0.execute_batch(migration).unwrap();
        }
        db.0.execute_batch(&format!("PRAGMA user_version = {version}"))
            .unwrap();
        db
    }

    fn of_connection(db: Connection) -> Self {
        db.execute_batch("PRAGMA foreign_keys = ON").unwrap();
        db.set_prepared_statement_cache_capacity(128);
        Self(db, store::all_statements().into_iter().collect())
    }

    /// Brings it up to the newest schema.
    pub(crate) fn migrate(&self) {
        let version = self.value("PRAGMA user_version").parse().unwrap_or(0);
        for migration in store::MIGRATIONS.iter().skip(version) {
            self.0.execute_batch(migration).unwrap();
        }
    }

    /// Applies a batch in one transaction.
    pub(crate) fn apply(&self, commands: &[Command]) {
        self.apply_where(commands, Statement::applies);
    }

    /// Applies a batch in one transaction, by the statements that are `chosen`.
    pub(crate) fn apply_where(
        &self,
        commands: &[Command],
        chosen: impl Fn(&Statement, &Value) -> bool,
    ) {
        let begin = format!("BEGIN IMMEDIATE; {}", store::BEGIN);
        self.0.execute_batch(&begin).unwrap();
        for command in commands {
            let wire = serde_json::to_value(command).unwrap();
            let params = wire["params"].to_string();
            let statements = self.1[command.method()].iter();
            for Statement { sql, .. } in statements.filter(|one| chosen(one, &wire["params"])) {
                let mut statement = self.0.prepare_cached(sql).unwrap();
                if let Err(error) = statement.execute([&params]) {
                    panic!("{}: {error}\n{sql}\n{params}", command.method());
                }
            }
        }
        self.0.execute_batch("COMMIT").unwrap();
    }

    /// The rows of a query, each a line of its values.
    pub(crate) fn rows(&self, sql: &str) -> Vec<String> {
        let mut statement = self.0.prepare(sql).unwrap();
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            let value = |at| row.get::<_, Sql>(at).map(|value| show(&value));
            Ok((0..columns)
                .map(value)
                .collect::<Result<Vec<_>, _>>()?
                .join(" | "))
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// The rows of a query of the store's, as a sink reads them.
    pub(crate) fn read(&self, sql: &str, params: &Value) -> Value {
        Self::rows_of(&self.0, sql, params)
    }

    /// The rows of a query of any database's.
    pub(crate) fn rows_of(db: &Connection, sql: &str, params: &Value) -> Value {
        let mut statement = db.prepare_cached(sql).unwrap();
        let names = statement.column_names();
        let names: Vec<String> = names.map(str::to_owned).collect();
        let rows = statement.query_map([params.to_string()], |row| {
            let value = |at| row.get::<_, Sql>(at).map(|value| as_json(&value));
            let fields = names.iter().enumerate();
            fields
                .map(|(at, name)| Ok((name.clone(), value(at)?)))
                .collect::<Result<Map<_, _>, rusqlite::Error>>()
        });
        rows.unwrap()
            .map(Result::unwrap)
            .map(Value::Object)
            .collect()
    }

    /// The only value of a query.
    pub(crate) fn value(&self, sql: &str) -> String {
        self.0
            .query_row(sql, [], |row| row.get::<_, Sql>(0))
            .map(|value| show(&value))
            .unwrap()
    }

    /// Every row of every table, but for how often something was refused, and
    /// for how much of a session was seen: a core that was restarted knows less of that.
    pub(crate) fn dump(&self) -> String {
        self.dump_of(TABLES)
    }

    /// Empties it: what refers to others first, since a pragma that lets the order be
    /// any would have every statement compiled anew.
    pub(crate) fn clear(&self) {
        let tables = "SELECT name FROM sqlite_master WHERE type = 'table' \
            AND name <> 'clankers_database' ORDER BY name = 'removed_rows', rowid DESC";
        let delete = |name: String| format!("DELETE FROM {name};");
        let deletes: String = self.rows(tables).into_iter().map(delete).collect();
        self.0
            .execute_batch(&format!("BEGIN; {deletes} COMMIT"))
            .unwrap();
    }

    /// Every row of every table, of the contract's or not, but for what counts
    /// transactions.
    pub(crate) fn contents(&self) -> String {
        let tables = "SELECT name FROM sqlite_master WHERE type = 'table' \
            AND name NOT IN ('clankers_database', 'removed_rows') ORDER BY 1";
        let table = |name: String| {
            let columns = self.columns(&name);
            let mut rows = self.rows(&format!("SELECT {columns} FROM {name}"));
            rows.sort();
            let lines = rows.iter().map(|row| format!("{name}: {row}\n"));
            lines.collect::<String>()
        };
        self.rows(tables).into_iter().map(table).collect()
    }

    /// A table's columns but the count of the transaction that wrote the row,
    /// separated by commas.
    pub(crate) fn columns(&self, table: &str) -> String {
        let table = table.trim_matches('"');
        let names = format!(
            "SELECT group_concat(name) FROM pragma_table_info('{table}') WHERE name <> 'changed'"
        );
        self.value(&names).trim_matches('"').to_owned()
    }

    /// Every row of these tables.
    pub(crate) fn dump_of(&self, tables: &[&str]) -> String {
        let table = |name: &&str| {
            let columns = match *name {
                "rejections" => "event_type, code, path".to_owned(),
                "session_own" => "session_id, agent, model, provider, reports_usage".to_owned(),
                name => self.columns(name),
            };
            let rows = self.rows(&format!("SELECT {columns} FROM {name} ORDER BY 1, 2, 3"));
            format!("## {name}\n{}\n", rows.join("\n"))
        };
        tables.iter().map(table).collect()
    }
}

fn show(value: &Sql) -> String {
    match value {
        Sql::Null => "NULL".to_owned(),
        Sql::Integer(number) => number.to_string(),
        Sql::Real(number) => number.to_string(),
        Sql::Text(text) => format!("{text:?}"),
        Sql::Blob(bytes) => format!("{bytes:?}"),
    }
}

fn as_json(value: &Sql) -> Value {
    match value {
        Sql::Integer(number) => (*number).into(),
        Sql::Real(number) => (*number).into(),
        Sql::Text(text) => text.as_str().into(),
        Sql::Null | Sql::Blob(_) => Value::Null,
    }
}

/// One line of a recording.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    /// When it came, Unix milliseconds.
    pub(crate) at: f64,
    /// The event as OpenCode sent it.
    pub(crate) event: Value,
}

/// A recording of a release that has OpenCode 1's engine.
pub(crate) struct Recording {
    /// `release/scenario`.
    pub(crate) name: String,
    pub(crate) dialect: Dialect,
    pub(crate) events: Vec<Recorded>,
}

impl Recording {
    /// A new core for it.
    pub(crate) fn core(&self) -> Core {
        core_of(self.dialect)
    }

    /// Replays these events of it into a database, through a new core.
    pub(crate) fn replay(&self, db: &Db, events: &[Recorded]) {
        replay_into(&mut self.core(), events, |commands| db.apply(commands));
    }

    /// The database that all of it ends in.
    pub(crate) fn replayed(&self) -> Db {
        let db = Db::new();
        self.replay(&db, &self.events);
        db
    }
}

/// The recordings of OpenCode 1.x and Kilo in the repository.
pub(crate) fn recordings() -> impl Iterator<Item = Recording> {
    fixtures_in("tests/fixtures")
        .into_iter()
        .map(|(name, path)| Recording {
            dialect: if name.starts_with("kilo-") {
                Dialect::KILO
            } else {
                Dialect::OPENCODE1
            },
            events: read(&path),
            name,
        })
}

/// A new core for events of this dialect.
pub(crate) fn core_of(dialect: Dialect) -> Core {
    Core::new(Options {
        dialect,
        ..Options::default()
    })
}

/// The recordings of an engine, in the folders of its releases in this one.
pub(crate) fn fixtures_in(folder: &str) -> Vec<(String, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    for release in sorted(&root) {
        for file in sorted(&release) {
            if file
                .extension()
                .is_some_and(|extension| extension == "jsonl")
            {
                let name = file.strip_prefix(&root).unwrap().with_extension("");
                found.push((name.to_str().unwrap().to_owned(), file));
            }
        }
    }
    assert!(!found.is_empty(), "no recordings under {}", root.display());
    found
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The events of a recording.
pub(crate) fn read(path: &Path) -> Vec<Recorded> {
    let text = std::fs::read_to_string(path).unwrap();
    let line = |line: &str| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        Recorded {
            at: line["at"].as_f64().unwrap(),
            event: line["event"].take(),
        }
    };
    text.lines()
        .filter(|line| !line.is_empty())
        .map(line)
        .collect()
}

/// Replays events as a shim would: drains where the core asks for it at once,
/// and at the end. Gives each batch to `sink`.
pub(crate) fn replay_into(core: &mut Core, events: &[Recorded], mut sink: impl FnMut(&[Command])) {
    for Recorded { at, event } in events {
        if core.observe(&event, *at) == Urgency::Now {
            sink(core.drain());
            core.settle(true);
        }
    }
    sink(core.drain());
    core.settle(true);
}

/// Replays events into a database, through a new core.
pub(crate) fn replay(db: &Db, events: &[Recorded]) {
    let mut core = Core::new(Options::default());
    replay_into(&mut core, events, |commands| db.apply(commands));
}

/// The database that events end in.
pub(crate) fn replayed(events: &[Recorded]) -> Db {
    let db = Db::new();
    replay(&db, events);
    db
}

/// The lines by which two dumps differ, for a failure that can be read.
pub(crate) fn difference(expected: &str, found: &str) -> String {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (expected, found) = (lines(expected), lines(found));
    let lost = expected.difference(&found).map(|line| format!("- {line}"));
    let new = found.difference(&expected).map(|line| format!("+ {line}"));
    lost.chain(new).take(40).collect::<Vec<_>>().join("\n")
}

/// Fails with the differing lines only.
#[track_caller]
pub(crate) fn assert_same(what: &str, expected: &str, found: &str) {
    assert!(
        expected == found,
        "{what}:\n{}",
        difference(expected, found)
    );
}

/// A story: events a second apart.
pub(crate) fn story(events: impl IntoIterator<Item = Value>) -> Vec<Recorded> {
    let second = |(at, event)| Recorded {
        at: 1_000_000.0 + 1000.0 * f64::from(at),
        event,
    };
    (0u32..).zip(events).map(second).collect()
}

/// The database that a story ends in.
pub(crate) fn told(events: impl IntoIterator<Item = Value>) -> Db {
    replayed(&story(events))
}

/// Tells events to a database through a new core with these options.
pub(crate) fn tell(db: &Db, options: Options, events: impl IntoIterator<Item = Value>) {
    let mut core = Core::new(options);
    replay_into(&mut core, &story(events), |commands| db.apply(commands));
}

/// A command as a daemon would read it.
#[track_caller]
pub(crate) fn command(method: &str, params: Value) -> Command {
    let wire = serde_json::json!({ "method": method, "params": params });
    serde_json::from_value(wire).unwrap()
}
