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
}

/// The id in a session's or a message's `info`.
pub(crate) fn id_of(info: &Value) -> &str {
    info.get("id").and_then(Value::as_str).unwrap_or_default()
}
