//! The commands: what leaves the core, and what a daemon takes.

use serde::{Deserialize, Serialize};

use crate::model::column::Row;
use crate::model::known::Known;
use crate::model::number::Number;
use crate::model::rejection::RejectionRow;
use crate::model::row::{
    MessageRow, OnDelete, PartRow, PermissionRow, SessionErrorRow, SessionRow, TodoRow,
    ToolCallRow, UsageRow,
};

/// Declares the commands: the enum, each one's method name, and its TypeScript type.
macro_rules! commands {
    ($($(#[$doc:meta])* $variant:ident($params:ident) = $method:literal,)+) => {
        /// One idempotent change to a row, `{ method, params }` on the wire.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "method", content = "params")]
        pub enum Command {
            $($(#[$doc])* #[serde(rename = $method)] $variant($params),)+
        }

        impl Command {
            /// Every method's name.
            pub const METHODS: &'static [&'static str] = &[$($method,)+];
            /// The commands' TypeScript type, for the generated declarations.
            pub const TYPESCRIPT: &'static str = concat!(
                "export type Command =",
                $("\n  | { method: \"", $method, "\"; params: ", stringify!($params), " }",)+
                ";\nexport type Method = Command[\"method\"];\n",
            );

            /// The method's name, such as `session.upsert`.
            pub const fn method(&self) -> &'static str {
                match self { $(Self::$variant(_) => $method,)+ }
            }
        }
    };
}

commands! {
    /// A session was created or changed.
    SessionUpsert(SessionRow) = "session.upsert",
    /// A session was deleted.
    SessionDelete(SessionDelete) = "session.delete",
    /// A session's messages from one on were taken back.
    SessionRevert(SessionRevert) = "session.revert",
    /// A message was created or changed.
    MessageUpsert(MessageRow) = "message.upsert",
    /// A message was removed.
    MessageDelete(MessageDelete) = "message.delete",
    /// A part other than a tool call was created or changed.
    PartUpsert(PartRow) = "part.upsert",
    /// A text that is being written grew.
    PartAppend(PartAppend) = "part.append",
    /// A part of any kind was removed.
    PartDelete(PartDelete) = "part.delete",
    /// A session is not answered with any more, and no event told why.
    SessionMissing(SessionMissing) = "session.missing",
    /// A message likewise.
    MessageMissing(MessageMissing) = "message.missing",
    /// A part of any kind likewise.
    PartMissing(PartMissing) = "part.missing",
    /// A tool call was created or changed.
    ToolCallUpsert(ToolCallRow) = "tool_call.upsert",
    /// A step was answered by a provider: what it cost.
    UsageUpsert(UsageRow) = "usage.upsert",
    /// A session reports totals of all that was ever spent in it.
    UsageBalance(UsageBalance) = "usage.balance",
    /// A provider failed, a turn was aborted or is tried again.
    SessionErrorUpsert(SessionErrorRow) = "session_error.upsert",
    /// A permission was asked or answered.
    PermissionUpsert(PermissionRow) = "permission.upsert",
    /// A session's to-do list is now this one.
    TodoReplace(TodoReplace) = "todo.replace",
    /// An event, or a field of one, was refused.
    RejectionRecord(RejectionRow) = "rejection.record",
}

impl Command {
    /// How many bytes it takes, about.
    pub fn weight(&self) -> usize {
        size_of::<Self>() + self.content()
    }

    /// The bytes of what it tells of a row; what only names rows is short.
    fn content(&self) -> usize {
        match self {
            Self::SessionUpsert(row) => row.weight(),
            Self::MessageUpsert(row) => row.weight(),
            Self::PartUpsert(row) => row.weight(),
            Self::PartAppend(append) => append.text.len(),
            Self::ToolCallUpsert(row) => row.weight(),
            Self::UsageUpsert(row) => row.weight(),
            Self::SessionErrorUpsert(row) => row.weight(),
            Self::PermissionUpsert(row) => row.weight(),
            Self::TodoReplace(list) => list.todos.iter().map(Row::weight).sum(),
            Self::RejectionRecord(row) => row.sample.len(),
            Self::SessionDelete(_)
            | Self::SessionRevert(_)
            | Self::SessionMissing(_)
            | Self::MessageDelete(_)
            | Self::MessageMissing(_)
            | Self::PartDelete(_)
            | Self::PartMissing(_)
            | Self::UsageBalance(_) => 0,
        }
    }
}

/// The parameters of `session.delete`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SessionDelete {
    /// The session.
    #[serde(alias = "sessionId")]
    pub id: String,
    /// When, Unix milliseconds.
    pub deleted_at: Number,
    /// The store of OpenCode that told it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_id: Option<String>,
    /// What becomes of it; `tombstone` unless said.
    #[serde(default = "tombstone")]
    pub on_delete: OnDelete,
}

/// The parameters of `session.revert`: the messages of a session from `to` on
/// are deleted, with their parts and tool calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SessionRevert {
    /// The session.
    pub session_id: String,
    /// The first of the messages.
    pub to: String,
    /// The place behind the last of them; those that have no place are
    /// compared by when they were made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Number>,
    /// When, Unix milliseconds.
    pub deleted_at: Number,
    /// The store of OpenCode that told it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_id: Option<String>,
    /// What becomes of them; `tombstone` unless said.
    #[serde(default = "tombstone")]
    pub on_delete: OnDelete,
}

/// The parameters of `usage.balance`: what a session reports and no other row of
/// the ledger accounts for becomes a row of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UsageBalance {
    /// The session.
    pub session_id: String,
}

/// The parameters of `message.delete`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MessageDelete {
    /// The message.
    pub id: String,
    /// Its session.
    pub session_id: String,
    /// When, Unix milliseconds.
    pub deleted_at: Number,
    /// The store of OpenCode that told it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_id: Option<String>,
    /// What becomes of it; `tombstone` unless said.
    #[serde(default = "tombstone")]
    pub on_delete: OnDelete,
}

/// The parameters of `part.append`: what came to a text since it was stored
/// last. It changes nothing where the text is not there up to `offset`, holds
/// more already, or has ended: then a `part.upsert` tells it whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PartAppend {
    /// The part.
    pub id: String,
    /// Its message.
    pub message_id: String,
    /// Its session.
    pub session_id: String,
    /// How much of the text goes before, in bytes of UTF-8.
    pub offset: u32,
    /// What follows it.
    pub text: String,
}

impl PartAppend {
    /// Whether `newer` begins within this text or at its end.
    pub(crate) fn reaches(&self, newer: &Self) -> bool {
        (self.start()..=self.end()).contains(&newer.start())
    }

    /// Takes over what `newer`, which this [reaches](Self::reaches), holds beyond this.
    pub(crate) fn merge_from(&mut self, newer: &Self) {
        let held = self.end().checked_sub(newer.start());
        if let Some(rest) = held.and_then(|held| newer.text.get(held..)) {
            self.text.push_str(rest);
        }
    }

    /// Whether the whole text `whole` is as long as with this.
    pub(crate) fn is_in(&self, whole: &Known<String>) -> bool {
        whole.value().is_some_and(|whole| whole.len() >= self.end())
    }

    fn end(&self) -> usize {
        self.start().saturating_add(self.text.len())
    }

    fn start(&self) -> usize {
        usize::try_from(self.offset).unwrap_or(usize::MAX)
    }
}

/// The parameters of `part.delete`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PartDelete {
    /// The part, or the tool call.
    pub id: String,
    /// Its message.
    pub message_id: String,
    /// Its session.
    pub session_id: String,
    /// When, Unix milliseconds; a tool call keeps it.
    pub deleted_at: Number,
    /// The store of OpenCode that told it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_id: Option<String>,
    /// What becomes of a tool call; `tombstone` unless said.
    #[serde(default = "tombstone")]
    pub on_delete: OnDelete,
}

/// The parameters of `session.missing`: what a store of OpenCode had and does
/// not answer with any more. Content and usage stay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SessionMissing {
    /// The session.
    #[serde(alias = "sessionId")]
    pub id: String,
    /// The store that was asked.
    pub store_id: String,
    /// When it was asked, Unix milliseconds.
    pub since: Number,
}

/// The parameters of `message.missing`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MessageMissing {
    /// The message.
    pub id: String,
    /// Its session.
    pub session_id: String,
    /// The store that was asked.
    pub store_id: String,
    /// When it was asked, Unix milliseconds.
    pub since: Number,
}

/// The parameters of `part.missing`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PartMissing {
    /// The part, or the tool call.
    pub id: String,
    /// Its message.
    pub message_id: String,
    /// Its session.
    pub session_id: String,
    /// The store that was asked.
    pub store_id: String,
    /// When it was asked, Unix milliseconds.
    pub since: Number,
}

/// The parameters of `todo.replace`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TodoReplace {
    /// The session.
    pub session_id: String,
    /// The whole list, in order.
    pub todos: Vec<TodoRow>,
    /// When the session was changed last in the store, or the copy of one, that
    /// was asked for this, Unix milliseconds; none where an event tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copied_at: Option<Number>,
    /// How that copy ranks among those that have the session with the same time of
    /// change; none where no copy tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_rank: Option<Number>,
}

const fn tombstone() -> OnDelete {
    OnDelete::Tombstone
}

/// The TypeScript types of the parameters that are not plain rows.
pub const TYPESCRIPT: &str = "\
export interface SessionDelete {
  id: string;
  deletedAt: number;
  storeId?: string;
  onDelete: OnDelete;
}
export interface MessageDelete {
  id: string;
  sessionId: string;
  deletedAt: number;
  storeId?: string;
  onDelete: OnDelete;
}
export interface SessionRevert {
  sessionId: string;
  to: string;
  before?: number;
  deletedAt: number;
  storeId?: string;
  onDelete: OnDelete;
}
export interface UsageBalance {
  sessionId: string;
}
export interface PartAppend {
  id: string;
  messageId: string;
  sessionId: string;
  offset: number;
  text: string;
}
export interface PartDelete {
  id: string;
  messageId: string;
  sessionId: string;
  deletedAt: number;
  storeId?: string;
  onDelete: OnDelete;
}
export interface SessionMissing {
  id: string;
  storeId: string;
  since: number;
}
export interface MessageMissing {
  id: string;
  sessionId: string;
  storeId: string;
  since: number;
}
export interface PartMissing {
  id: string;
  messageId: string;
  sessionId: string;
  storeId: string;
  since: number;
}
export interface TodoReplace {
  sessionId: string;
  todos: TodoRow[];
  copiedAt?: number;
  copyRank?: number;
}
";
