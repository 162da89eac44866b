//! What was answered of a session, folded in piece by piece.

use super::fetches::subject;
use super::{Reconciler, Urgency};
use crate::model::command::Command;
use crate::model::event::{Event, Retry};
use crate::model::known::Known;
use crate::model::number::Number;
use crate::model::redaction::is_taken_out;
use crate::model::row::{PartRow, SessionRow, UsageRow};

impl Reconciler {
    /// Folds in a piece of what was answered, read as the event that would tell it.
    pub fn fold_answer(&mut self, mut answer: Event, now: Number) -> Urgency {
        self.gate.hear(&answer);
        if self.fetches.is_stale(&answer) {
            if let Some((session_id, _)) = subject(&answer)
                && self.sessions.get(session_id).number.is_some()
            {
                // Its events tell a part each: what else there is, only a
                // later answer tells.
                self.fetches.want(session_id);
            }
            return Urgency::None;
        }
        self.note_answered(&mut answer);
        if let Event::Todos(list) = &mut answer {
            list.copied_at = self.changed_at(&list.session_id);
        }
        if self.copy.is_some() || self.is_older(&answer) || is_sanitized(&answer) {
            self.note_copied(&mut answer);
        }
        let urgency = match answer {
            Event::Part { row, retry, step } => self.answered_part(row, retry, step),
            Event::Session(row) => self.answered_session(row),
            Event::Spent(session_id) if self.fetches.keep_spent(&session_id) => Urgency::None,
            answer => self.change(answer, now),
        };
        urgency.min(Urgency::Soon)
    }

    /// What is answered of a session goes last. That it is there goes first: of
    /// one that was deleted nothing else is taken. When it was changed says whether
    /// somebody has gone on with it since, where another store told the deletion.
    fn answered_session(&mut self, row: SessionRow) -> Urgency {
        self.sessions.insert(&row.id);
        if row.answered_at.value().is_some() {
            self.pending.add(Command::SessionUpsert(SessionRow {
                id: row.id.clone(),
                store_id: row.store_id.clone(),
                seen_at: row.updated_at.clone(),
                answered_at: row.answered_at.clone(),
                ..SessionRow::default()
            }));
        }
        self.note_import(&row.id, &row.created_at);
        match self.fetches.keep(row) {
            Some(row) => self.session(row),
            None => Urgency::None,
        }
    }

    /// Notes which store answers, and when it was asked: what it has was neither
    /// deleted nor missing then. What is in another engine's tables alone, whose
    /// `answered_at` is empty, that store has not.
    fn note_answered(&mut self, answer: &mut Event) {
        let (session_id, part_id, told_by, answered_at) = match answer {
            Event::Session(row) => (&row.id, None, &mut row.store_id, &mut row.answered_at),
            Event::Message { row, .. } => (
                &row.session_id,
                None,
                &mut row.store_id,
                &mut row.answered_at,
            ),
            Event::Part { row, .. } => (
                &row.session_id,
                Some(&row.id),
                &mut row.store_id,
                &mut row.answered_at,
            ),
            Event::ToolCall(row) => (
                &row.session_id,
                Some(&row.id),
                &mut row.store_id,
                &mut row.answered_at,
            ),
            _ => return,
        };
        let is_elsewhere = std::mem::take(answered_at) == Known::Empty;
        let Some(store_id) = self.store_id.clone().filter(|_| !is_elsewhere) else {
            return;
        };
        if let Some(id) = part_id {
            self.removed.remove(id);
        }
        if let Some(asked_at) = self.fetches.asked_at(session_id) {
            *told_by = Known::Value(store_id);
            *answered_at = Known::Value(asked_at);
        }
    }

    /// Whether an answer is of a session that another store had later: like a
    /// copy, it brings in what is not stored and overwrites nothing else.
    fn is_older(&self, answer: &Event) -> bool {
        subject(answer).is_some_and(|(session_id, _)| self.fetches.is_older(session_id))
    }

    /// When a session that is being asked for was changed last in the store that
    /// answers. A to-do list has no time of its own: one of an older copy of the
    /// session, as in a store that was put back, is not newer than what is stored.
    fn changed_at(&self, session_id: &str) -> Option<Number> {
        let answered = self.fetches.copied_at(session_id);
        let told = self.sessions.get(session_id).updated;
        if answered > told { answered } else { told }
    }

    /// Notes how new the copy is that answers. Paths that it has redacted are
    /// not known.
    fn note_copied(&self, answer: &mut Event) {
        let of = |session_id: &str| {
            let copied = self.fetches.copied_at(session_id);
            Known::Value(copied.unwrap_or_default())
        };
        let rank = |session_id: &str| self.copy_rank(self.fetches.is_taken_out(session_id));
        match answer {
            Event::Session(row) => {
                row.copied_at = Known::Value(row.updated_at.value().copied().unwrap_or_default());
                row.copy_rank = self.copy_rank(is_taken_out(&row.title)).into();
                forget_redacted(&mut row.project_path);
                forget_redacted(&mut row.project_name);
            }
            Event::Message { row, .. } => {
                row.copied_at = of(&row.session_id);
                row.copy_rank = rank(&row.session_id).into();
            }
            Event::Part { row, .. } => {
                row.copied_at = of(&row.session_id);
                row.copy_rank = rank(&row.session_id).into();
            }
            Event::ToolCall(row) => {
                row.copied_at = of(&row.session_id);
                row.copy_rank = rank(&row.session_id).into();
                forget_redacted(&mut row.file_path);
            }
            Event::Todos(list) => {
                list.copied_at = list.copied_at.or_else(|| Some(Number::default()));
                list.copy_rank = rank(&list.session_id);
            }
            _ => {}
        }
    }

    /// How the copy ranks that answers, as is stored; none where OpenCode answers.
    fn copy_rank(&self, is_taken_out: bool) -> Option<Number> {
        Some(self.copy?.of_session(is_taken_out).number())
    }

    /// A text without an end is still being written, or was cut off. Where this
    /// core holds it, the stream knows which is longer. Else the store keeps the
    /// longer one: what OpenCode has not kept of a text that a crash cut off, no
    /// deletion named.
    fn answered_part(
        &mut self,
        mut row: PartRow,
        retry: Option<Retry>,
        step: Option<UsageRow>,
    ) -> Urgency {
        if row.ended_at == Known::Empty && self.streams.length(&row.id).is_none() {
            row.position = self.items.place(&row.message_id, &row.id, row.position);
            self.ensure_message(&row.session_id, &row.message_id);
            self.pending.add(Command::PartUpsert(row));
            return Urgency::Soon;
        }
        self.part(row, retry, step)
    }
}

/// A path of which nothing is left is not known.
fn forget_redacted(path: &mut Known<String>) {
    if is_taken_out(path) {
        *path = Known::Unknown;
    }
}

/// Whether OpenCode answers with what `opencode import` brought back of an export
/// whose words were taken out: a copy of what it had said itself.
fn is_sanitized(answer: &Event) -> bool {
    match answer {
        Event::Session(row) => is_taken_out(&row.title),
        Event::Part { row, .. } => is_taken_out(&row.text),
        Event::ToolCall(row) => [&row.title, &row.output, &row.error]
            .into_iter()
            .any(is_taken_out),
        _ => false,
    }
}
