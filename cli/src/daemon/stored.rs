//! What is stored of sessions: what a plugin that starts compares with what
//! `OpenCode` lists, to know what it has missed.

use std::path::Path;

use clankers::store::STORED_SESSIONS;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::rpc::{Code, Failure};
use crate::commands::rows;
use crate::store::open_reader;

/// The parameters of `sessions.stored`: a project's directory, and sessions by
/// their ids wherever they belong.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    directory: String,
    ids: Vec<String>,
}

/// Reads them on a connection of its own, so that no writer waits.
pub(crate) async fn sessions(db: &Path, wanted: Wanted) -> Result<Value, Failure> {
    let db = db.to_owned();
    tokio::task::spawn_blocking(move || read(&db, &wanted))
        .await
        .map_err(|error| Failure::new(Code::Internal, error.to_string()))?
        .map_err(|error| Failure::new(Code::Database, error.to_string()))
}

fn read(db: &Path, wanted: &Wanted) -> crate::error::Result<Value> {
    let db = open_reader(db)?;
    let found = rows::rows(&db, STORED_SESSIONS, [serde_json::to_string(wanted)?])?;
    Ok(found.into_iter().map(|row| Value::Object(row.0)).collect())
}
