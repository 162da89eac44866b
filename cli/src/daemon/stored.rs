//! What is stored: what a plugin compares with what `OpenCode` lists and
//! answers, to know what it has missed.

use std::path::Path;

use clankers::store::{STORED_MESSAGES, STORED_SESSIONS};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::failure::{Code, Failure};
use crate::store::{self, open_reader};

/// The parameters of `sessions.stored`: sessions by their ids wherever they belong, and
/// a project's directory, but for sessions of it; and the store that is asked for them.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Sessions {
    #[serde(default)]
    directory: Option<String>,
    ids: Vec<String>,
    #[serde(default)]
    but_for: Vec<String>,
    #[serde(default)]
    store_id: Option<String>,
}

/// The parameters of `messages.stored`: a session, and the store that is asked
/// for it.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Messages {
    session_id: String,
    #[serde(default)]
    store_id: Option<String>,
}

/// What is asked for.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// What is stored of sessions.
    Sessions(Sessions),
    /// What is stored of a session's messages.
    Messages(Messages),
}

/// Reads it on a connection of its own, so that no writer waits.
pub(crate) async fn rows(db: &Path, wanted: Wanted) -> Result<Value, Failure> {
    let db = db.to_owned();
    tokio::task::spawn_blocking(move || read(&db, &wanted))
        .await
        .map_err(|error| Failure::new(Code::Internal, error.to_string()))?
        .map_err(|error| Failure::new(Code::Database, error.to_string()))
}

fn read(db: &Path, wanted: &Wanted) -> crate::error::Result<Value> {
    let (sql, params) = match wanted {
        Wanted::Sessions(wanted) => (STORED_SESSIONS, serde_json::to_string(wanted)?),
        Wanted::Messages(wanted) => (STORED_MESSAGES, serde_json::to_string(wanted)?),
    };
    let db = open_reader(db)?;
    let found = store::rows(&db, sql, [params])?;
    Ok(found.into_iter().map(|row| Value::Object(row.0)).collect())
}
