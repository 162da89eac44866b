//! Sessions: what they are, what they do, and how their turns fail.

use super::session_state::Turn;
use super::{Reconciler, Urgency, failure};
use crate::model::command::{Command, SessionDelete};
use crate::model::event::{Failure, Retry};
use crate::model::known::Known;
use crate::model::number::Number;
use crate::model::row::{SessionErrorRow, SessionRow, SessionStatus};

impl Reconciler {
    pub(super) fn session(&mut self, mut row: SessionRow) -> Urgency {
        if self.sessions.insert(&row.id) {
            // What was before is not known; it may lack what its times do not show.
            self.want(&row.id);
        }
        let (created, updated) = (row.created_at.value(), row.updated_at.value());
        self.sessions.change(&row.id, |state| {
            state.created = created.copied().or(state.created);
            state.updated = updated.copied().or(state.updated);
            state.is_touched &= updated.is_none();
        });
        if let Some(store_id) = &self.store_id {
            row.store_id = Known::Value(store_id.clone());
            if row.answered_at.is_unknown() && row.seen_at.is_unknown() {
                // An event is made when what it tells was changed.
                row.seen_at = row.updated_at.clone();
            }
        }
        if row.whole_at.is_unknown() {
            row.whole_at = self.whole_at(&row.id);
        }
        self.pending.add(Command::SessionUpsert(row));
        Urgency::Soon
    }

    /// The time of change up to which nothing of a session is missing, where
    /// that is known now.
    pub(super) fn whole_at(&self, id: &str) -> Known<Number> {
        let state = self.sessions.get(id);
        let is_whole = state.is_whole && !state.is_turning() && !self.inbox.waits_in(id);
        state.updated.filter(|_| is_whole).into()
    }

    /// Events do not tell all of a session: it is to be asked for, now or, should
    /// this process end before, by the next.
    pub(super) fn want(&mut self, id: &str) {
        self.fetches.want(id);
        self.sessions.change(id, |state| state.is_whole = false);
        self.note_whole(id, Known::Empty);
    }

    /// A turn begins, in whose middle a crash may come. That it is under way is
    /// stored at once: till then the session looks whole, and after a crash
    /// OpenCode would not be asked for the prompt, which left the session's time
    /// of change as it was.
    pub(super) fn turn_begins(&mut self, id: &str) -> Urgency {
        let state = self.sessions.get(id);
        self.sessions
            .change(id, |state| state.turn = Turn::UnderWay);
        if state.is_whole && !state.is_turning() {
            self.note_whole(id, Known::Empty);
            return Urgency::Now;
        }
        Urgency::None
    }

    fn turn_ends(&mut self, id: &str) {
        if self.sessions.get(id).is_turning() {
            self.sessions.change(id, |state| state.turn = Turn::Over);
            self.fetches.turn_ends(id);
            self.note_whole(id, self.whole_at(id));
            self.touch(id);
        }
    }

    /// A turn has ended, and its end may have moved the session's time of change.
    pub(super) fn touch(&mut self, id: &str) {
        self.sessions.change(id, |state| {
            // Events that are numbered tell each change of a session's time.
            state.is_touched = state.number.is_none();
        });
        if self.is_touched(id) {
            self.fetches.touch(id);
        }
    }

    /// Whether all of a session is known, but for what a turn under way brings yet.
    pub fn is_known_whole(&self, id: &str) -> bool {
        self.sessions.get(id).is_whole
    }

    /// Whether all of a session is known, but perhaps not when it was changed
    /// last: a turn has ended, and nothing was told of the session itself since.
    pub fn is_touched(&self, id: &str) -> bool {
        let state = self.sessions.get(id);
        state.is_touched && state.is_whole && !state.is_turning()
    }

    pub(super) fn note_whole(&mut self, id: &str, whole_at: Known<Number>) {
        if whole_at.is_unknown() {
            return;
        }
        self.pending.add(Command::SessionUpsert(SessionRow {
            id: id.to_owned(),
            store_id: self.store_id.clone().into(),
            whole_at,
            ..SessionRow::default()
        }));
    }

    pub(super) fn session_deleted(&mut self, row: SessionRow, now: Number) -> Urgency {
        let id = row.id.clone();
        self.sessions.insert(&id);
        self.session(row);
        self.close_streams(|part| part.session_id == id);
        self.answers.remove(&id);
        self.open.remove(&id);
        self.sessions.change(&id, |state| state.number = None);
        self.inbox.clear(&id);
        self.delete(Command::SessionDelete(SessionDelete {
            id,
            deleted_at: now,
            store_id: self.store_id.clone(),
            on_delete: self.on_delete,
        }))
    }

    pub(super) fn status(
        &mut self,
        session_id: String,
        status: SessionStatus,
        retry: Option<Retry>,
        now: Number,
    ) -> Urgency {
        if let Some(retry) = retry {
            let answer = self.answers.get(&session_id);
            let row = failure::of_retry(session_id.clone(), answer, retry, now);
            self.pending.add(Command::SessionErrorUpsert(row));
        }
        self.unsettled.remove(&session_id);
        if status == SessionStatus::Idle {
            self.cut_streams(&session_id, |part| part.session_id == session_id);
            // Some releases tell a served session's turns and not its messages.
            let was_busy = self.busy.remove(&session_id);
            if !self.heard.remove(&session_id) && was_busy {
                self.missing_events = true;
                self.want(&session_id);
            }
            if self.open.get(&session_id).is_some() {
                self.left.insert(&session_id);
            }
            self.turn_ends(&session_id);
        } else {
            self.busy.insert(&session_id);
        }
        self.set_status(session_id, status);
        if status == SessionStatus::Idle {
            Urgency::Now
        } else {
            Urgency::Soon
        }
    }

    pub(super) fn set_status(&mut self, id: String, status: SessionStatus) {
        self.ensure_session(&id);
        let status = Known::Value(status);
        self.pending.add(Command::SessionUpsert(SessionRow {
            id,
            status,
            ..SessionRow::default()
        }));
    }

    pub(super) fn failed(
        &mut self,
        session_id: Option<String>,
        event_id: Option<String>,
        failure: Failure,
        now: Number,
    ) -> Urgency {
        let answer = session_id.as_deref().and_then(|id| self.answers.get(id));
        let has_answer = answer.is_some();
        let row = failure::of_session(session_id, answer, event_id, failure, now);
        if has_answer || self.is_news(&row) {
            self.pending.add(Command::SessionErrorUpsert(row));
        }
        Urgency::Now
    }

    /// Whether this is not the failure that its session told last: releases
    /// without event ids tell the same one up to three times.
    pub(super) fn is_news(&mut self, row: &SessionErrorRow) -> bool {
        let session = row.session_id.value().map_or("", String::as_str);
        let text = |known: &Known<String>| known.value().cloned().unwrap_or_default();
        self.failures.set(
            session,
            format!("{}: {}", text(&row.name), text(&row.message)),
        )
    }

    /// A session that was not met yet goes before its child, as a placeholder.
    pub(super) fn ensure_session(&mut self, id: &str) {
        if self.sessions.insert(id) {
            if !self.fetches.is_open(id) {
                self.want(id);
            }
            let placeholder = SessionRow {
                id: id.to_owned(),
                ..SessionRow::default()
            };
            self.pending.add(Command::SessionUpsert(placeholder));
        }
    }
}
