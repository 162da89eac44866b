//! OpenCode's databases since 1.2. Columns came over time: each is taken
//! where it is there, and becomes the field it is in OpenCode's API.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use serde_json::{Map, Value};

use super::source::{History, Message, Source, id_of};
use crate::error::{Context, Error, Result};
use crate::paths::shown;
use crate::store::{Row, rows};

/// A database of OpenCode's.
pub(super) struct Database {
    path: PathBuf,
    db: Connection,
}

impl Database {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let what = || format!("cannot read {}", shown(path));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags).context(what)?;
        db.busy_timeout(Duration::from_secs(5))?;
        let has_sessions = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('session', 'message', 'part')";
        let tables: i64 = db
            .query_row(has_sessions, [], |row| row.get(0))
            .context(what)?;
        if tables != 3 {
            return Err(Error::new(format!(
                "{} is no database of OpenCode's",
                shown(path)
            )));
        }
        Ok(Self {
            path: path.to_owned(),
            db,
        })
    }

    fn has(&self, table: &str) -> Result<bool> {
        let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1";
        Ok(self
            .db
            .query_row(sql, [table], |row| row.get::<_, i64>(0))?
            > 0)
    }
}

impl Source for Database {
    fn name(&self) -> String {
        shown(&self.path)
    }

    fn list(&mut self) -> Result<(Vec<Value>, Vec<String>)> {
        let sessions = rows(&self.db, "SELECT * FROM session ORDER BY id", [])?;
        Ok((sessions.iter().map(session).collect(), Vec::new()))
    }

    fn read(&mut self, info: &Value) -> Result<History> {
        // One moment of the database: OpenCode may be writing.
        let moment = self.db.unchecked_transaction()?;
        let id = id_of(info);
        let mut unreadable = Vec::new();
        let messages = rows(
            &self.db,
            "SELECT * FROM message WHERE session_id = ?1 ORDER BY id",
            [id],
        )?;
        let parts = rows(
            &self.db,
            "SELECT * FROM part WHERE session_id = ?1 ORDER BY id",
            [id],
        )?;
        let mut parts_of: std::collections::BTreeMap<String, Vec<Value>> =
            std::collections::BTreeMap::new();
        for part in &parts {
            let message = part.text("message_id").unwrap_or_default();
            let ids = [
                ("id", "id"),
                ("message_id", "messageID"),
                ("session_id", "sessionID"),
            ];
            if let Some(part) = document(part, &ids, &mut unreadable) {
                parts_of.entry(message.to_owned()).or_default().push(part);
            }
        }
        let mut history = Vec::with_capacity(messages.len());
        for message in &messages {
            let ids = [("id", "id"), ("session_id", "sessionID")];
            if let Some(info) = document(message, &ids, &mut unreadable) {
                let parts = parts_of.remove(id_of(&info)).unwrap_or_default();
                history.push(Message { info, parts });
            }
        }
        let todos = if self.has("todo")? {
            let sql = "SELECT content, status, priority FROM todo WHERE session_id = ?1 ORDER BY position";
            Some(
                rows(&self.db, sql, [id])?
                    .into_iter()
                    .map(|row| Value::Object(row.0))
                    .collect(),
            )
        } else {
            None
        };
        moment.finish()?;
        Ok(History {
            messages: history,
            todos,
            unreadable,
        })
    }
}

/// A row whose document is in its column `data`, with its ids, which are not.
fn document(row: &Row, ids: &[(&str, &str)], unreadable: &mut Vec<String>) -> Option<Value> {
    match serde_json::from_str::<Map<String, Value>>(row.text("data").unwrap_or_default()) {
        Ok(data) => {
            let mut document = Map::new();
            for (column, field) in ids {
                document.insert(
                    (*field).to_owned(),
                    row.0.get(*column).cloned().unwrap_or_default(),
                );
            }
            document.extend(data);
            Some(Value::Object(document))
        }
        Err(error) => {
            unreadable.push(format!("{}: {error}", row.text("id").unwrap_or_default()));
            None
        }
    }
}

/// A session's row as OpenCode's API tells it.
fn session(row: &Row) -> Value {
    let mut info = Map::new();
    let known = |column: &str| row.0.get(column).filter(|value| !value.is_null()).cloned();
    let json = |column: &str| {
        known(column).and_then(|text| serde_json::from_str::<Value>(text.as_str()?).ok())
    };
    let mut put = |field: &str, value: Option<Value>| {
        if let Some(value) = value {
            info.insert(field.to_owned(), value);
        }
    };
    for (column, field) in [
        ("id", "id"),
        ("slug", "slug"),
        ("project_id", "projectID"),
        ("workspace_id", "workspaceID"),
        ("directory", "directory"),
        ("path", "path"),
        ("parent_id", "parentID"),
        ("title", "title"),
        ("version", "version"),
        ("agent", "agent"),
        ("cost", "cost"),
    ] {
        put(field, known(column));
    }
    for (column, field) in [
        ("model", "model"),
        ("revert", "revert"),
        ("permission", "permission"),
        ("metadata", "metadata"),
    ] {
        put(field, json(column));
    }
    put(
        "share",
        known("share_url").map(|url| serde_json::json!({ "url": url })),
    );
    put(
        "summary",
        object(
            row,
            &[
                ("summary_additions", "additions"),
                ("summary_deletions", "deletions"),
                ("summary_files", "files"),
            ],
        ),
    );
    let cache = object(
        row,
        &[
            ("tokens_cache_read", "read"),
            ("tokens_cache_write", "write"),
        ],
    );
    let tokens = object(
        row,
        &[
            ("tokens_input", "input"),
            ("tokens_output", "output"),
            ("tokens_reasoning", "reasoning"),
        ],
    );
    if let (Some(mut tokens), Some(cache)) = (tokens, cache) {
        if let Some(tokens) = tokens.as_object_mut() {
            tokens.insert("cache".to_owned(), cache);
        }
        put("tokens", Some(tokens));
    }
    put(
        "time",
        object(
            row,
            &[
                ("time_created", "created"),
                ("time_updated", "updated"),
                ("time_compacting", "compacting"),
                ("time_archived", "archived"),
            ],
        ),
    );
    Value::Object(info)
}

/// An object of the columns that have a value; none where none has.
fn object(row: &Row, columns: &[(&str, &str)]) -> Option<Value> {
    let pair = |(column, field): &(&str, &str)| {
        let value = row.0.get(*column).filter(|value| !value.is_null())?;
        Some(((*field).to_owned(), value.clone()))
    };
    let fields: Map<String, Value> = columns.iter().filter_map(pair).collect();
    (!fields.is_empty()).then_some(Value::Object(fields))
}
