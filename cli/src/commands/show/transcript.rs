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
    /// Parts and tool calls, in their order.
    pub(super) parts: Vec<Part>,
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
                .retain(|part| part.row().missing_since().is_none());
            self.hidden.parts += before - message.parts.len();
        }
    }
}

/// The session's messages in the order they came, each with its parts: by their
/// places where all have one, else by when they were made.
const MESSAGES: &str = "\
SELECT * FROM messages WHERE session_id = ?1
ORDER BY iif((SELECT count(*) = count(position) FROM messages WHERE session_id = ?1), position, created_at),
  created_at, position, id";

fn messages(db: &Connection, session: &str) -> Result<Vec<Message>> {
    let mut parts = parts(db, session)?;
    let message = |row: Row| {
        let id = row.text("id").unwrap_or_default();
        let parts = parts.remove(id).unwrap_or_default();
        Message {
            row,
            parts: in_order(parts),
        }
    };
    let rows = rows(db, MESSAGES, [session])?;
    Ok(rows.into_iter().map(message).collect())
}

/// The parts and tool calls of a session's messages, by message.
fn parts(db: &Connection, session: &str) -> Result<BTreeMap<String, Vec<Part>>> {
    let mut parts: BTreeMap<String, Vec<Part>> = BTreeMap::new();
    for (table, part) in [
        ("parts", Part::Other as fn(Row) -> Part),
        ("tool_calls", Part::Tool),
    ] {
        let sql = format!(
            "SELECT * FROM {table} WHERE message_id IN (SELECT id FROM messages WHERE session_id = ?1)"
        );
        for row in rows(db, &sql, [session])? {
            let message = row.text("message_id").unwrap_or_default().to_owned();
            parts.entry(message).or_default().push(part(row));
        }
    }
    Ok(parts)
}

/// The parts of a message in the order they came. Ids tell it where no places do,
/// unless they fall, as they do where a clock is set back and did when they wrapped
/// in August 2026: then the times tell it.
fn in_order(mut parts: Vec<Part>) -> Vec<Part> {
    let number = |part: &Part, name| part.row().int(name);
    parts.sort_by(|one, other| one.row().text("id").cmp(&other.row().text("id")));
    if parts.iter().any(|part| number(part, "position").is_some()) {
        parts.sort_by_key(|part| number(part, "position"));
    } else if do_ids_fall(&parts) {
        parts.sort_by_key(|part| number(part, "started_at").unwrap_or(i64::MAX));
    }
    parts
}

/// Whether, by their ids, a step ends before one begins, or a text begins before an
/// earlier one. Calls say nothing: they may start when they are allowed to.
fn do_ids_fall(parts: &[Part]) -> bool {
    let others = parts.iter().filter_map(|part| match part {
        Part::Other(row) => Some(row),
        Part::Tool(_) => None,
    });
    let is_step = |kind: &&str| kind.starts_with("step-");
    let step = others
        .clone()
        .filter_map(|row| row.text("type"))
        .find(is_step);
    let times = others.filter_map(|row| row.int("started_at"));
    step == Some("step-finish") || !times.is_sorted()
}
