//! One session with all that belongs to it, as it is stored.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::store::{Row, rows};

/// One session with all that belongs to it.
pub(super) struct Transcript {
    pub(super) session: Row,
    /// The row of `session_usage`: what was spent, sub-agents included.
    pub(super) spent: Row,
    pub(super) messages: Vec<Message>,
    pub(super) errors: Vec<Row>,
    pub(super) todos: Vec<Row>,
    /// What is missing and was taken out, to be mentioned.
    pub(super) hidden: Hidden,
}

/// How much was taken out of a transcript.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Hidden {
    /// Whether the session itself is missing.
    pub(super) session: bool,
    pub(super) messages: usize,
    /// Parts and tool calls of messages that are shown.
    pub(super) parts: usize,
}

/// A message with what it consists of.
pub(super) struct Message {
    pub(super) row: Row,
    /// Parts and tool calls by their ids, which is their order.
    pub(super) parts: BTreeMap<String, Part>,
}

/// A part of a message. Tool calls are parts too, in a table of their own.
pub(super) enum Part {
    Tool(Row),
    Other(Row),
}

impl Part {
    /// The row, of whichever table it is.
    pub(super) const fn row(&self) -> &Row {
        match self {
            Self::Tool(row) | Self::Other(row) => row,
        }
    }
}

impl Transcript {
    /// Reads the session with this id.
    pub(super) fn read(db: &Connection, id: &str) -> Result<Self> {
        let all = |sql: &str| rows(db, sql, [id]);
        let one = |sql: &str| Ok::<_, Error>(all(sql)?.pop().unwrap_or_default());
        Ok(Self {
            session: one("SELECT * FROM sessions WHERE id = ?1")?,
            spent: one("SELECT * FROM session_usage WHERE session_id = ?1")?,
            messages: messages(db, id)?,
            errors: all(
                "SELECT * FROM session_errors WHERE session_id = ?1 ORDER BY created_at, id",
            )?,
            todos: all("SELECT * FROM todos WHERE session_id = ?1 ORDER BY position")?,
            hidden: Hidden::default(),
        })
    }

    /// Takes out what is missing, with all that belongs to it. What was spent stays.
    pub(super) fn hide_missing(&mut self) {
        if self.session.missing_since().is_some() {
            self.hidden.session = true;
            self.session.0.insert("title".to_owned(), Value::Null);
            self.errors.clear();
            self.todos.clear();
        }
        let (hidden, shown): (Vec<_>, Vec<_>) = std::mem::take(&mut self.messages)
            .into_iter()
            .partition(|message| message.row.missing_since().is_some());
        let ids: BTreeSet<&str> = hidden
            .iter()
            .filter_map(|message| message.row.text("id"))
            .collect();
        let is_of_shown = |error: &Row| error.text("message_id").is_none_or(|id| !ids.contains(id));
        self.errors.retain(is_of_shown);
        self.hidden.messages = hidden.len();
        self.messages = shown;
        for message in &mut self.messages {
            let before = message.parts.len();
            message
                .parts
                .retain(|_, part| part.row().missing_since().is_none());
            self.hidden.parts += before - message.parts.len();
        }
    }
}

/// The session's messages in the order they came, each with its parts.
fn messages(db: &Connection, session: &str) -> Result<Vec<Message>> {
    let messages = "SELECT * FROM messages WHERE session_id = ?1 ORDER BY created_at, id";
    let mut parts = parts(db, session)?;
    let message = |row: Row| Message {
        parts: row
            .text("id")
            .and_then(|id| parts.remove(id))
            .unwrap_or_default(),
        row,
    };
    Ok(rows(db, messages, [session])?
        .into_iter()
        .map(message)
        .collect())
}

/// The parts and tool calls of a session's messages, by message.
fn parts(db: &Connection, session: &str) -> Result<BTreeMap<String, BTreeMap<String, Part>>> {
    let mut parts: BTreeMap<String, BTreeMap<String, Part>> = BTreeMap::new();
    for (table, part) in [
        ("parts", Part::Other as fn(Row) -> Part),
        ("tool_calls", Part::Tool),
    ] {
        let sql = format!(
            "SELECT * FROM {table} WHERE message_id IN (SELECT id FROM messages WHERE session_id = ?1)"
        );
        for row in rows(db, &sql, [session])? {
            let text = |name: &str| row.text(name).unwrap_or_default().to_owned();
            let (message, id) = (text("message_id"), text("id"));
            parts.entry(message).or_default().insert(id, part(row));
        }
    }
    Ok(parts)
}
