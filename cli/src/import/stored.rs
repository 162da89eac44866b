//! What is stored already, which what is found is compared with.

use clankers::catch_up::Request;
use clankers::store::SCHEMA_VERSION;
use rusqlite::Connection;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::store::{Writer, rows, schema_version};

/// The database.
pub(super) enum Stored {
    /// There is none yet, and none is to be made.
    Nothing,
    Read(Connection),
    Written(Writer),
}

impl Stored {
    /// The database, to read; none where there is none.
    pub(super) fn db(&self) -> Option<&Connection> {
        match self {
            Self::Nothing => None,
            Self::Read(db) => Some(db),
            Self::Written(writer) => Some(&writer.db),
        }
    }
}

/// The rows that answer a request for what is stored.
pub(super) fn rows_of(db: Option<&Connection>, sql: &str, request: &Request) -> Result<Value> {
    let Some(db) = db else {
        return Ok(Value::Array(Vec::new()));
    };
    let params = serde_json::to_string(request)?;
    let rows = rows(db, sql, [params])?;
    Ok(rows.into_iter().map(|row| Value::Object(row.0)).collect())
}

/// Fails where the database is older than the query that reads it.
pub(super) fn check_schema(db: &Connection) -> Result<()> {
    let version = schema_version(db)?;
    if version >= SCHEMA_VERSION {
        return Ok(());
    }
    let text = format!("the database has schema {version}, of {SCHEMA_VERSION}");
    Err(Error::new(text).hint("`clankers doctor --fix` brings it up to date"))
}
