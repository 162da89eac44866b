//! A call of a model, in an engine where that is a message of its own.

use super::{Reconciler, Urgency};
use crate::model::command::{Command, SessionRevert, UsageBalance};
use crate::model::known::Known;
use crate::model::number::Number;
use crate::model::row::{MessageRow, SessionStatus};

/// How far the numbers of events of a session jump though nothing was missed:
/// some are of events that nobody is told.
const UNTOLD: f64 = 2.0;
/// How much older an answered session is than its creation was told, where it
/// was brought from elsewhere, milliseconds.
const IMPORTED_MS: f64 = 1000.0;

impl Reconciler {
    /// A call begins. It may be another attempt, whose place is the first one's.
    pub(super) fn step_started(&mut self, mut row: MessageRow, now: Number) -> Urgency {
        let session_id = row.session_id.clone();
        if self.messages.contains(&row.id) {
            row.position = Known::Unknown;
        } else {
            // Should earlier attempts have left something in it, an answer tells the places.
            self.items.begin(&row.id);
        }
        self.close_left(&session_id, &row.id, now);
        let noted = self.note_turn(&row);
        self.open.set(&session_id, row.id.clone());
        let urgency = self.message(row, None);
        let status = self.status(session_id, SessionStatus::Busy, None, now);
        noted.max(urgency).max(status)
    }

    /// An answer has no end yet, which was told now, as it was when it was asked for.
    pub(super) fn written(&mut self, session_id: &str, id: String) -> Urgency {
        self.items.begin(&id);
        // Another was told to have begun meanwhile, which ended this one.
        let is_over = self
            .answers
            .get(session_id)
            .is_some_and(|next| next != id && self.fetches.is_told(session_id, next));
        if is_over {
            self.want(session_id);
        } else {
            self.open.set(session_id, id);
        }
        Urgency::None
    }

    /// Ends the answer that a session has left open. Where no end of its turn was
    /// told, the process was gone, and how it ended only an answer tells.
    fn close_left(&mut self, session_id: &str, next: &str, now: Number) {
        let open = self.open.get(session_id).map(str::to_owned);
        let was_left = self.left.remove(session_id);
        let Some(id) = open.filter(|open| open != next) else {
            return;
        };
        self.open.remove(session_id);
        if was_left {
            let closed = MessageRow {
                id,
                session_id: session_id.to_owned(),
                completed_at: Known::Value(now),
                ..MessageRow::default()
            };
            self.message(closed, None);
        } else {
            self.want(session_id);
        }
    }

    /// Messages are taken back, by a person who said something else instead.
    pub(super) fn reverted(
        &mut self,
        session_id: String,
        to: String,
        before: Option<Number>,
        now: Number,
    ) -> Urgency {
        self.ensure_session(&session_id);
        self.close_streams(|part| part.session_id == session_id);
        self.answers.remove(&session_id);
        // Whether the answer that was left open is one of them is not known.
        self.left.remove(&session_id);
        self.inbox.clear(&session_id);
        if !self.sessions.get(&session_id).is_whole {
            // A message whose place is not known is not among those that are taken back.
            self.want(&session_id);
        }
        self.delete(Command::SessionRevert(SessionRevert {
            session_id,
            to,
            before,
            deleted_at: now,
            store_id: self.store_id.clone(),
            on_delete: self.on_delete,
        }))
    }

    /// What a session reports is of all that was ever spent in it.
    pub(super) fn spent(&mut self, session_id: String) -> Urgency {
        self.pending
            .add(Command::UsageBalance(UsageBalance { session_id }));
        Urgency::Soon
    }

    /// Events are numbered; a jump tells that some were missed.
    pub(super) fn numbered(&mut self, session_id: &str, number: Number) -> Urgency {
        self.heard.insert(session_id);
        let last = self.sessions.get(session_id).number;
        self.sessions
            .change(session_id, |state| state.number = Some(number));
        if last.is_some_and(|last| (number - last).get() > UNTOLD) {
            self.want(session_id);
            return Urgency::Soon;
        }
        Urgency::None
    }

    /// A session that is older than its creation was told was brought from
    /// elsewhere: its messages may still be coming, so it is asked for again.
    pub(super) fn note_import(&mut self, id: &str, created: &Known<Number>) {
        let told = self.sessions.get(id).created;
        if let (Some(told), Some(&created)) = (told, created.value())
            && (told - created).get() > IMPORTED_MS
        {
            self.want(id);
        }
    }
}
