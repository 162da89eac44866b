//! Messages, and which one is being written.

use super::{Reconciler, Urgency, failure};
use crate::model::command::{Command, MessageDelete};
use crate::model::event::Failure;
use crate::model::number::Number;
use crate::model::row::{MessageRow, Role};

impl Reconciler {
    /// Notes which message is being written in a session. Gives how soon that is to be stored.
    pub(super) fn note_turn(&mut self, row: &MessageRow) -> Urgency {
        self.heard.insert(&row.session_id);
        self.missing_events = false;
        self.ensure_session(&row.session_id);
        let created = self.sessions.get(&row.session_id).created;
        let is_copy = row
            .created_at
            .value()
            .is_some_and(|at| created.is_some_and(|created| *at < created));
        if is_copy {
            // Of a fork: no event tells what that makes the session cost.
            self.want(&row.session_id);
        }
        let is_new = !self.messages.contains(&row.id);
        let is_completed = row.completed_at.value().is_some();
        let begins = match row.role.value() {
            Some(Role::User) if is_new => {
                self.answers.remove(&row.session_id);
                self.failures.remove(&row.session_id);
                true
            }
            Some(Role::Assistant) if is_new || !is_completed => {
                self.answers.set(&row.session_id, row.id.clone());
                !is_completed
            }
            _ => false,
        };
        if begins && !is_copy {
            self.turn_begins(&row.session_id)
        } else {
            Urgency::None
        }
    }

    pub(super) fn message(&mut self, mut row: MessageRow, failure: Option<Failure>) -> Urgency {
        self.ensure_session(&row.session_id);
        self.note_end(&mut row);
        self.messages.insert(&row.id);
        let completed = row.completed_at.value().is_some();
        if completed {
            self.cut_streams(&row.session_id, |part| part.message_id == row.id);
        }
        let failed = failure.is_some();
        let error = failure.map(|failure| {
            let mut error = failure::of_message(&row, failure);
            error.created_at = error.created_at.or(self.starts.of(&row.id).into());
            error
        });
        self.pending.add(Command::MessageUpsert(row));
        if let Some(error) = error {
            self.pending.add(Command::SessionErrorUpsert(error));
        }
        if completed || failed {
            Urgency::Now
        } else {
            Urgency::Soon
        }
    }

    /// Notes that an answer has its end, and how long it took.
    fn note_end(&mut self, row: &mut MessageRow) {
        let took = self
            .starts
            .duration(&row.id, &row.created_at, &row.completed_at);
        if row.duration_ms.is_unknown() {
            row.duration_ms = took;
        }
        if row.completed_at.value().is_some() && self.open.get(&row.session_id) == Some(&row.id) {
            self.open.remove(&row.session_id);
        }
    }

    pub(super) fn message_removed(
        &mut self,
        session_id: String,
        id: String,
        now: Number,
    ) -> Urgency {
        self.close_streams(|part| part.message_id == id);
        if self.answers.get(&session_id) == Some(&id) {
            self.answers.remove(&session_id);
        }
        self.ensure_session(&session_id);
        self.delete(Command::MessageDelete(MessageDelete {
            id,
            session_id,
            deleted_at: now,
            store_id: self.store_id.clone(),
            on_delete: self.on_delete,
        }))
    }

    /// A message that is not known yet likewise.
    pub(super) fn ensure_message(&mut self, session_id: &str, id: &str) {
        self.ensure_session(session_id);
        if self.messages.insert(id) {
            self.want(session_id);
            self.pending.add(Command::MessageUpsert(MessageRow {
                id: id.to_owned(),
                session_id: session_id.to_owned(),
                ..MessageRow::default()
            }));
        }
    }
}
