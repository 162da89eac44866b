//! What is missing: rows that OpenCode does not have any more though nobody
//! told that they were deleted. Their content stays, and reading commands hide
//! it, unless they are asked for it. A row that is deleted counts as deleted.

use rusqlite::Connection;

use super::open::MISSING_SCHEMA;
use super::rows::{Row, rows};
use super::version::schema_version;
use crate::error::Result;
use crate::output::counted;

/// Messages and calls are counted with their session or message. A part has a
/// mark of its own only where its message is there.
const COUNTS: &str = "\
SELECT
  (SELECT count(*) FROM sessions WHERE missing_since IS NOT NULL AND deleted_at IS NULL) AS sessions,
  (SELECT count(*) FROM messages WHERE missing_since IS NOT NULL AND deleted_at IS NULL) AS messages,
  (SELECT count(*) FROM tool_calls WHERE missing_since IS NOT NULL AND deleted_at IS NULL) AS tool_calls,
  (SELECT count(*) FROM parts JOIN messages ON messages.id = parts.message_id
    WHERE parts.missing_since IS NOT NULL AND messages.missing_since IS NULL
      AND messages.deleted_at IS NULL) AS parts";

/// How much is missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct MissingCounts {
    pub(crate) sessions: i64,
    pub(crate) messages: i64,
    pub(crate) tool_calls: i64,
    /// Other parts than tool calls, of messages that are there.
    pub(crate) parts: i64,
}

impl MissingCounts {
    /// How to see what is missing, and how to erase it.
    pub(crate) const HINT: &str = "`clankers sessions --missing` and `clankers show --missing` show \
        it, `clankers prune --missing` erases it";

    /// Counts it. In a database from before there were marks nothing has one.
    pub(crate) fn read(db: &Connection) -> Result<Self> {
        if schema_version(db)? < MISSING_SCHEMA {
            return Ok(Self::default());
        }
        let counts = rows(db, COUNTS, [])?.pop().unwrap_or_default();
        let count = |name: &str| counts.int(name).unwrap_or_default();
        Ok(Self {
            sessions: count("sessions"),
            messages: count("messages"),
            tool_calls: count("tool_calls"),
            parts: count("parts"),
        })
    }

    /// Whether nothing is missing.
    pub(crate) fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// How much is missing, in a sentence.
    pub(crate) fn described(self) -> String {
        let counts = [
            (self.sessions, "session"),
            (self.messages, "message"),
            (self.tool_calls, "tool call"),
            (self.parts, "part"),
        ];
        let some = counts.into_iter().filter(|(count, _)| *count > 0);
        let some: Vec<String> = some.map(|(count, thing)| counted(count, thing)).collect();
        format!(
            "{} that OpenCode does not have any more, though nobody deleted them",
            some.join(", ")
        )
    }
}

impl Row {
    /// Since when OpenCode does not have this row any more, unless it is deleted.
    pub(crate) fn missing_since(&self) -> Option<i64> {
        let is_deleted = self.int("deleted_at").is_some();
        self.int("missing_since").filter(|_| !is_deleted)
    }
}
