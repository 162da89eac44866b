//! Validated events: what the reconciler trusts. OpenCode's names stop here.

use crate::model::command::TodoReplace;
use crate::model::known::Known;
use crate::model::number::Number;
use crate::model::row::{
    MessageRow, PartRow, PermissionRow, SessionRow, SessionStatus, ToolCallRow, UsageRow,
};

/// One thing that happened in OpenCode.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A session was created, and is like this.
    SessionCreated(SessionRow),
    /// A session is now like this.
    Session(SessionRow),
    /// A session was deleted; this is the last that is known of it.
    SessionDeleted(SessionRow),
    /// A session does something else now.
    Status {
        /// The session.
        session_id: String,
        /// What it does.
        status: SessionStatus,
        /// The retry it waits for.
        retry: Option<Retry>,
    },
    /// A turn failed or was aborted.
    Failed {
        /// The session, where the event says it.
        session_id: Option<String>,
        /// OpenCode's `evt_…` id of the event (1.14 on).
        event_id: Option<String>,
        /// Why.
        failure: Failure,
    },
    /// A message is now like this.
    Message {
        /// What is known of it.
        row: MessageRow,
        /// Why it failed, if it did.
        failure: Option<Failure>,
    },
    /// A message is still being written: its session's next call of a model ends
    /// it, and the order of the events to come is that of what it holds. Only an
    /// answer says that.
    Written {
        /// Its session.
        session_id: String,
        /// The message.
        message_id: String,
    },
    /// A message was removed.
    MessageRemoved {
        /// Its session.
        session_id: String,
        /// The message.
        message_id: String,
    },
    /// A part other than a tool call is now like this.
    Part {
        /// What is known of it.
        row: PartRow,
        /// The retry that it tells of (1.0).
        retry: Option<Retry>,
        /// The step that ended with it.
        step: Option<UsageRow>,
    },
    /// A tool call is now like this.
    ToolCall(ToolCallRow),
    /// A text that is held grew at its end.
    Grew {
        /// Whose text.
        part_id: String,
        /// What came to it.
        delta: String,
        /// OpenCode's `evt_…` id of the event (1.14 on), which only rises.
        event_id: Option<String>,
    },
    /// A text grew that is not held: its start was missed.
    Missed(PartKey),
    /// A part was removed.
    PartRemoved(PartKey),
    /// A permission was asked or answered.
    Permission(PermissionRow),
    /// A session's to-do list is now this one.
    Todos(TodoReplace),
    /// Something waits to be said, or to be done, which is no message.
    Enqueued {
        /// The session.
        session_id: String,
        /// What it is called while it waits.
        inbox_id: String,
        /// What message it is to become.
        item: Option<Said>,
    },
    /// It is a message from now on, or was done.
    Delivered {
        /// The session.
        session_id: String,
        /// What it was called.
        inbox_id: String,
        /// The place of the message in its session.
        position: Known<Number>,
    },
    /// It never becomes one.
    Cancelled {
        /// The session.
        session_id: String,
        /// What it was called.
        inbox_id: String,
    },
    /// A call of a model begins, or is tried again. What it answers is this message.
    StepStarted(MessageRow),
    /// A message that comes whole.
    Said(Said),
    /// A message begins whose end does not name it.
    Opened {
        /// What the end is told under.
        key: String,
        /// What is known of it.
        said: Said,
    },
    /// It ends.
    Closed {
        /// What it was begun under.
        key: String,
        /// What is known now. The message has no id where the end does not name
        /// it, and its parts lack that.
        said: Said,
        /// Why it failed, if it did.
        failure: Option<Failure>,
    },
    /// A session's messages from one on are taken back.
    Reverted {
        /// The session.
        session_id: String,
        /// The first of them.
        to: String,
        /// The place behind the last of them, where it is told.
        before: Known<Number>,
    },
    /// The totals that a session reports are of all that was ever spent in it.
    Spent(String),
    /// Events do not tell all of a session.
    Incomplete(String),
    /// A session's events are numbered, and this was the number of one.
    Numbered {
        /// The session.
        session_id: String,
        /// The number.
        number: Number,
    },
}

/// A message, and what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// The message.
    pub row: MessageRow,
    /// Its parts, none of which is a tool call.
    pub parts: Vec<PartRow>,
}

/// A part, and where it belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartKey {
    /// The session.
    pub session_id: String,
    /// The message.
    pub message_id: String,
    /// The part.
    pub part_id: String,
}

/// A provider's failure, or an abort.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Failure {
    /// Its name, such as `APIError` or `MessageAbortedError`.
    pub name: Known<String>,
    /// What it says.
    pub message: Known<String>,
    /// The provider's HTTP status.
    pub status_code: Known<Number>,
    /// Whether OpenCode holds it worth another try.
    pub retryable: Known<bool>,
}

/// A retry that a session waits for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Retry {
    /// Which one, from 1.
    pub attempt: Known<Number>,
    /// Why.
    pub failure: Failure,
    /// When it will be made, Unix milliseconds (from 1.1 on).
    pub next: Known<Number>,
    /// When it was noted, Unix milliseconds (up to 1.0).
    pub at: Known<Number>,
}
