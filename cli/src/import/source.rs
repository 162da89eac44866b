//! A place that holds sessions, and in which shape they are read.

use clankers::model::copy_rank::CopyRank;
use serde_json::Value;

use super::program::Program;
use crate::error::Result;

/// What OpenCode has in a session, as its API would answer.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// Each as the engine answers it that wrote it: OpenCode 1's `{ info, parts }`
    /// or OpenCode 2's `{ id, type, … }`, with its place, `seq`, where that is known.
    pub(crate) messages: Vec<Value>,
    /// None where the source does not keep them.
    pub(crate) todos: Option<Vec<Value>>,
    /// What could not be read of it.
    pub(crate) unreadable: Vec<String>,
}

/// A message that makes a row.
#[derive(Debug, PartialEq)]
pub(crate) struct Said {
    pub(crate) id: String,
    /// Whether it is an answer that is complete.
    pub(crate) is_complete: bool,
}

impl Said {
    /// Of a message in a [`History`]; nothing of one that could not be read.
    pub(super) fn of(message: &Value) -> Option<Self> {
        let info = message.get("info").unwrap_or(message);
        let is_read = message.get("unreadable").is_none();
        (is_read && makes_row(kind_of(message))).then(|| Self {
            id: id_of(info).to_owned(),
            is_complete: info
                .pointer("/time/completed")
                .is_some_and(Value::is_number),
        })
    }
}

/// A place that holds sessions.
pub(crate) trait Source {
    /// How it is called in what we say.
    fn name(&self) -> String;
    /// Which program it is of, where that shows before its sessions are read.
    fn program(&self) -> Option<Program> {
        None
    }
    /// How it ranks among copies that have a session with the same time of change.
    fn rank(&self) -> CopyRank;
    /// Every session's `info`, and what could not be read.
    fn list(&mut self) -> Result<(Vec<Value>, Vec<String>)>;
    /// All of one session.
    fn read(&mut self, info: &Value) -> Result<History>;
    /// Which messages a session has. Of what can be told without reading them whole.
    fn said(&mut self, info: &Value) -> Result<Vec<Said>> {
        let history = self.read(info)?;
        Ok(history.messages.iter().filter_map(Said::of).collect())
    }
}

/// The id in a session's or a message's `info`.
pub(crate) fn id_of(info: &Value) -> &str {
    info.get("id").and_then(Value::as_str).unwrap_or_default()
}

/// What kind of message it is; none of OpenCode 1's says.
fn kind_of(message: &Value) -> Option<&str> {
    message.get("type").and_then(Value::as_str)
}

/// Whether a message of this kind makes a row. Not so what is a message only in OpenCode
/// 2, and says what the session's own columns hold.
pub(super) fn makes_row(kind: Option<&str>) -> bool {
    !matches!(
        kind,
        Some("idle" | "agent-switched" | "model-switched" | "location-switched")
    )
}

/// How many parts a message has; nothing of one that makes no row.
pub(super) fn parts_of(message: &Value) -> Option<usize> {
    let length = |name| {
        message
            .get(name)
            .and_then(Value::as_array)
            .map_or(0, Vec::len)
    };
    let kind = kind_of(message);
    makes_row(kind).then(|| match kind {
        None => length("parts"),
        Some("assistant") => length("content"),
        // A text, and what a person has put beside it.
        Some(_) => 1 + length("files") + length("agents") + length("skills"),
    })
}
