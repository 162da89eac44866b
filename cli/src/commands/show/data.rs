//! A session for programs: its rows as they are stored.

use serde_json::{Value, json};

use super::transcript::{Message, Part, Transcript};
use crate::cell::Cell;
use crate::output::{Kind, Table, column};
use crate::store::Row;

/// The columns of a message that a table of them has.
const MESSAGE_COLUMNS: [&str; 7] = [
    "id",
    "role",
    "agent",
    "model",
    "created_at",
    "text_content",
    "cost",
];

/// All of it in one JSON document.
pub(super) fn document(transcript: &Transcript) -> Value {
    json!({
        "session": transcript.session.0,
        "usage": transcript.spent.0,
        "messages": transcript.messages.iter().map(message).collect::<Vec<_>>(),
        "session_errors": list(&transcript.errors),
        "todos": list(&transcript.todos),
    })
}

/// A message with its parts and tool calls.
pub(super) fn message(message: &Message) -> Value {
    let mut object = message.row.0.clone();
    let parts = message.parts.iter();
    let others = parts.clone().filter_map(|part| match part {
        Part::Other(row) => Some(row),
        Part::Tool(_) => None,
    });
    let calls = parts.filter_map(|part| match part {
        Part::Tool(row) => Some(row),
        Part::Other(_) => None,
    });
    object.insert("parts".to_owned(), list(others));
    object.insert("tool_calls".to_owned(), list(calls));
    Value::Object(object)
}

/// The messages, one a row.
pub(super) fn messages(transcript: &Transcript) -> Table {
    let columns = MESSAGE_COLUMNS.map(|name| column(name, Kind::Plain));
    let mut table = Table::new(columns.to_vec());
    for message in &transcript.messages {
        let cell = |name: &str| match message.row.0.get(name) {
            Some(Value::String(text)) => Cell::Text(text.clone()),
            Some(Value::Null) | None => Cell::Null,
            Some(other) => Cell::Json(other.clone()),
        };
        table.rows.push(MESSAGE_COLUMNS.map(cell).to_vec());
    }
    table
}

fn list<'r>(rows: impl IntoIterator<Item = &'r Row>) -> Value {
    rows.into_iter()
        .map(|row| Value::Object(row.0.clone()))
        .collect()
}
