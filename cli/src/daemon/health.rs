//! How the daemon is: what `health` answers.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clankers::store::SCHEMA_VERSION;
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use super::failure::{Code, Failure};
use super::rpc::PROTOCOL;
use crate::store::open_reader;

/// The tables whose rows `health` counts, by their names on the wire.
const COUNTED: [(&str, &str); 5] = [
    ("sessions", "sessions"),
    ("messages", "messages"),
    ("parts", "parts"),
    ("toolCalls", "tool_calls"),
    ("rejections", "rejections"),
];

/// What the daemon knows of itself.
#[derive(Debug)]
pub(crate) struct Health {
    db: PathBuf,
    /// What tells the database from others.
    name: watch::Receiver<Arc<str>>,
    started: Instant,
}

impl Health {
    pub(crate) fn new(db: PathBuf, name: watch::Receiver<Arc<str>>) -> Self {
        Self {
            db,
            name,
            started: Instant::now(),
        }
    }

    /// The database.
    pub(crate) fn db(&self) -> &Path {
        &self.db
    }

    /// What it is, and which database it writes.
    pub(crate) fn identity(&self) -> Value {
        json!({
            "name": "clankers",
            "version": env!("CARGO_PKG_VERSION"),
            "protocol": PROTOCOL,
            "schemaVersion": SCHEMA_VERSION,
            "dbPath": self.db,
            "database": &**self.name.borrow(),
            "pid": std::process::id(),
        })
    }

    /// All of it. The rows are counted on a connection of their own, so that
    /// it answers while a long batch is written.
    pub(crate) async fn report(&self) -> Result<Value, Failure> {
        let db = self.db.clone();
        let counts = tokio::task::spawn_blocking(move || counts(&db))
            .await
            .map_err(|error| Failure::new(Code::Internal, error.to_string()))?
            .map_err(|error| Failure::new(Code::Database, error.to_string()))?;
        let mut report = self.identity();
        if let Some(report) = report.as_object_mut() {
            let uptime = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
            report.insert("uptimeMs".to_owned(), uptime.into());
            report.insert("counts".to_owned(), counts);
        }
        Ok(report)
    }
}

fn counts(path: &Path) -> crate::error::Result<Value> {
    let db = open_reader(path)?;
    let mut counts = Map::new();
    for (name, table) in COUNTED {
        let count: i64 = db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
            row.get(0)
        })?;
        counts.insert(name.to_owned(), count.into());
    }
    Ok(Value::Object(counts))
}
