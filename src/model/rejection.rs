//! Rejections: what was refused, where, and what was expected instead.

use serde::{Deserialize, Serialize};

use crate::model::number::Number;

/// Why something was refused. Stable: users query these words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The event lacks the id that says what it is about: it was refused whole.
    MissingIdentity,
    /// A field holds another type or word than any known release sends: the
    /// field was lost, the row was not.
    WrongType,
    /// A field that every known release sends is absent.
    MissingField,
    /// A field that no known release sends.
    UnknownField,
    /// An event type that no known release sends.
    UnknownEvent,
}

impl Code {
    /// The code as it is stored.
    pub const fn word(self) -> &'static str {
        match self {
            Self::MissingIdentity => "missing_identity",
            Self::WrongType => "wrong_type",
            Self::MissingField => "missing_field",
            Self::UnknownField => "unknown_field",
            Self::UnknownEvent => "unknown_event",
        }
    }
}

/// One thing that decoding refused in an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Why.
    pub code: Code,
    /// Where in the event, such as `properties.info.tokens.input`.
    pub path: String,
    /// What known releases send there.
    pub expected: &'static str,
    /// What was there: a type, never content.
    pub found: &'static str,
}

/// A kind of rejection and how often it was met (`rejections`).
///
/// `event_type`, `code` and `path` are the key; `count` is how many were met
/// since the last such command, and is added to what is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RejectionRow {
    /// The event's type.
    pub event_type: String,
    /// Why it was refused.
    pub code: Code,
    /// Where in the event.
    pub path: String,
    /// What known releases send there.
    pub expected: String,
    /// What was there.
    pub found: String,
    /// The event's keys and types as JSON, never its content.
    pub sample: String,
    /// The OpenCode release that sent it, where it is known.
    #[serde(default)]
    pub source_version: Option<String>,
    /// How many since the last command of this key.
    pub count: Number,
    /// The first of them, Unix milliseconds.
    pub first_seen: Number,
    /// The last of them, Unix milliseconds.
    pub last_seen: Number,
}

impl RejectionRow {
    /// The row's TypeScript type, for the generated declarations.
    pub const TYPESCRIPT: &'static str = "\
export interface RejectionRow {
  eventType: string;
  code: \"missing_identity\" | \"wrong_type\" | \"missing_field\" | \"unknown_field\" | \"unknown_event\";
  path: string;
  expected: string;
  found: string;
  sample: string;
  sourceVersion: string | null;
  count: number;
  firstSeen: number;
  lastSeen: number;
}
";

    /// Adds the same kind, met again.
    pub(crate) fn merge_from(&mut self, again: Self) {
        let earliest = |one: Number, other: Number| if other < one { other } else { one };
        let latest = |one: Number, other: Number| if other > one { other } else { one };
        *self = Self {
            source_version: again.source_version.or(self.source_version.take()),
            count: self.count + again.count,
            first_seen: earliest(self.first_seen, again.first_seen),
            last_seen: latest(self.last_seen, again.last_seen),
            ..again
        };
    }

    /// One line for a log, such as ``refused a field of `session.updated`:
    /// properties.info.title: expected string, found number``.
    pub fn notice(&self) -> String {
        let what = match self.code {
            Code::MissingIdentity => "refused an event",
            Code::WrongType => "refused a field",
            Code::MissingField => "missed a field",
            Code::UnknownField => "met an unknown field",
            Code::UnknownEvent => return format!("met an unknown event `{}`", self.event_type),
        };
        format!(
            "{what} of `{}`: {}: expected {}, found {}",
            self.event_type, self.path, self.expected, self.found
        )
    }
}
