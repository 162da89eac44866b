//! What is to be erased, and the commands that do it.

use std::time::{SystemTime, UNIX_EPOCH};

use clankers::model::command::{Command, MessageDelete, PartDelete, SessionDelete};
use clankers::model::number::Number;
use clankers::model::row::OnDelete;

use crate::output::{one_line, time};
use crate::store::Row;

/// What was found.
pub(super) struct Selection {
    pub(super) targets: Vec<Target>,
    /// All of it in a few words.
    pub(super) summary: String,
    /// A line for each session, for people who want to look before.
    pub(super) list: Vec<String>,
}

/// Something to erase, with all that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Session {
        id: String,
    },
    Message {
        id: String,
        session_id: String,
    },
    /// A part of any kind, tool calls too.
    Part {
        id: String,
        message_id: String,
        session_id: String,
    },
}

/// When and how rows are deleted.
pub(super) struct Deletion {
    at: Number,
    on_delete: OnDelete,
}

impl Deletion {
    /// A deletion at this moment.
    pub(super) fn now(purges: bool) -> Self {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds are exact for 280,000 years"
        )]
        let at = Number::new(now.as_millis() as f64).unwrap_or_default();
        let on_delete = if purges {
            OnDelete::Purge
        } else {
            OnDelete::Tombstone
        };
        Self { at, on_delete }
    }

    /// The command that deletes this. No store of OpenCode told it: a person did,
    /// so that no store can end it.
    pub(super) fn of(&self, target: &Target) -> Command {
        let (deleted_at, on_delete, store_id) = (self.at, self.on_delete, None);
        match target.clone() {
            Target::Session { id } => Command::SessionDelete(SessionDelete {
                id,
                deleted_at,
                store_id,
                on_delete,
            }),
            Target::Message { id, session_id } => Command::MessageDelete(MessageDelete {
                id,
                session_id,
                deleted_at,
                store_id,
                on_delete,
            }),
            Target::Part {
                id,
                message_id,
                session_id,
            } => Command::PartDelete(PartDelete {
                id,
                message_id,
                session_id,
                deleted_at,
                store_id,
                on_delete,
            }),
        }
    }
}

/// A session in the list: when, which, and its title.
pub(super) fn line(at: Option<i64>, id: &str, session: &Row) -> String {
    let title = one_line(session.text("title").unwrap_or("(no title)"));
    let at = at.map(time).unwrap_or_default();
    format!("{at}  {id}  {title}")
}
