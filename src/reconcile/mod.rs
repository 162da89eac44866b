//! Reconciling: events are folded into what changed, which drains as commands.
//!
//! What a row becomes where a stored one is older or newer is decided in the
//! store's SQL, so that restarts and several writers end in the same rows.
//! Here is only what events need beside each other:
//!
//! 1. What is pending is at most one change a row (`pending`).
//! 2. A text that is being written is held until it ends (`stream`).
//! 3. A child's parents have been met, or go before it as placeholders (`seen`).
//! 4. A failure that is told twice is one row (`failure`).
//! 5. What events did not tell is wanted from OpenCode's API, and what they
//!    told meanwhile wins over its answer (`recall`).
//! 6. All of it is bounded: finished messages leave memory with their drain.

mod failure;
mod pending;
mod recall;
mod seen;
mod stream;

use std::collections::BTreeSet;

use crate::command::{Command, MessageDelete, PartDelete, SessionDelete};
use crate::event::{Event, Failure, PartKey, Retry};
use crate::known::Known;
use crate::node::Node;
use crate::number::Number;
use crate::plan::{self, Place, Plan, StoredSession};
use crate::rejection::RejectionRow;
use crate::row::{
    MessageRow, OnDelete, PartRow, Role, SessionErrorRow, SessionRow, SessionStatus, ToolCallRow,
};
use lru::LruCache;
use pending::Pending;
use recall::Recalls;
use seen::{Latest, Seen};
use stream::Streams;

/// How soon what changed is to be drained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Urgency {
    /// Nothing changed.
    #[default]
    None,
    /// Within a second: a text grew.
    Stream,
    /// Within a quarter of a second.
    Soon,
    /// Before the hook returns: a turn ended, or something was deleted.
    Now,
}

/// What has been observed and not been stored yet, and what that takes.
#[derive(Debug)]
pub struct Reconciler {
    on_delete: OnDelete,
    pending: Pending,
    streams: Streams,
    sessions: Seen,
    messages: Seen,
    /// Parts that were removed: what is told of them late brings none back.
    removed: Seen,
    /// The assistant message that is being written in a session.
    answers: Latest,
    /// The last failure of a session that has no such message.
    failures: Latest,
    recalls: Recalls,
    /// Sessions that are at work, and those of them that told of a message.
    busy: Seen,
    heard: Seen,
    /// Whether a turn passed of which no message was told.
    deaf: bool,
    /// When sessions were created, to tell a fork's messages.
    created: LruCache<String, Number>,
    /// Sessions that are stored as being at work and may have been cut off.
    unsettled: BTreeSet<String>,
    origin: Option<String>,
}

impl Reconciler {
    /// One that has seen nothing.
    ///
    /// `origin` is where OpenCode keeps its sessions, where that is known.
    pub fn new(on_delete: OnDelete, origin: Option<String>) -> Self {
        Self {
            on_delete,
            pending: Pending::default(),
            streams: Streams::default(),
            sessions: Seen::default(),
            messages: Seen::default(),
            removed: Seen::default(),
            answers: Latest::default(),
            failures: Latest::default(),
            recalls: Recalls::default(),
            busy: Seen::default(),
            heard: Seen::default(),
            deaf: false,
            created: LruCache::new(seen::LIMIT),
            unsettled: BTreeSet::new(),
            origin,
        }
    }

    /// How long the held text of a part is, in UTF-16 units.
    pub fn held(&self, part_id: &str) -> Option<usize> {
        self.streams.length(part_id)
    }

    /// Folds one event in. `now` is Unix milliseconds.
    pub fn fold(&mut self, event: Event, now: Number) -> Urgency {
        self.recalls.hear(&event);
        if let Event::Message { row, .. } = &event {
            self.note_turn(row);
        }
        self.change(event, now)
    }

    /// Folds in a piece of what OpenCode's API answered, written as an event.
    pub fn recall(&mut self, answer: Event, now: Number) -> Urgency {
        if self.recalls.is_stale(&answer) {
            return Urgency::None;
        }
        if let Event::Part { row, retry } = answer {
            return self.recall_part(row, retry);
        }
        self.change(answer, now).min(Urgency::Soon)
    }

    /// A text without an end is still being written, or was cut off. Then what
    /// OpenCode kept of it is all that will be, however much was written.
    fn recall_part(&mut self, mut row: PartRow, retry: Option<Retry>) -> Urgency {
        if row.ended_at == Known::Empty && self.streams.length(&row.id).is_none() {
            row.ended_at = Known::Unknown;
        }
        self.part(row, retry)
    }

    /// Compares what OpenCode lists of a directory with what is stored.
    pub fn plan<N: Node>(
        &mut self,
        directory: &str,
        listed: &[N],
        stored: &[StoredSession],
    ) -> Plan {
        let at_work = |stored: &&StoredSession| {
            stored
                .status
                .is_some_and(|status| status != SessionStatus::Idle)
        };
        let unsettled = stored
            .iter()
            .filter(at_work)
            .map(|stored| stored.id.clone());
        self.unsettled
            .extend(unsettled.filter(|id| !self.busy.contains(id)));
        let origin = self.origin.as_deref();
        plan::plan(listed, stored, Place { origin, directory })
    }

    /// Sessions that events left incomplete, since the last call.
    pub fn take_wanted(&mut self) -> Vec<String> {
        self.recalls.take_wanted()
    }

    /// Whether events are known to be missing: turns pass and tell no message
    /// (releases 1.14.42 to 1.15.1, served).
    pub fn is_deaf(&self) -> bool {
        self.deaf
    }

    /// A session is being asked for: what events tell from now on is newer.
    pub fn begin_recall(&mut self, session_id: &str) {
        self.recalls.begin(session_id);
    }

    /// All that OpenCode answered of a session is folded in.
    pub fn end_recall(&mut self, session_id: &str) -> Urgency {
        self.recalls.end(session_id);
        if !self.unsettled.remove(session_id) {
            return Urgency::None;
        }
        // It was cut off: the process that ran it is not running it any more.
        self.set_status(session_id.to_owned(), SessionStatus::Idle);
        Urgency::Soon
    }

    fn change(&mut self, event: Event, now: Number) -> Urgency {
        match event {
            Event::Session(row) => self.session(row),
            Event::SessionDeleted(row) => self.session_deleted(row, now),
            Event::Status {
                session_id,
                status,
                retry,
            } => self.status(session_id, status, retry, now),
            Event::Failed {
                session_id,
                event_id,
                failure,
            } => self.failed(session_id, event_id, failure, now),
            Event::Message { row, failure } => self.message(row, failure),
            Event::MessageRemoved {
                session_id,
                message_id,
            } => self.message_removed(session_id, message_id, now),
            Event::Part { row, retry } => self.part(row, retry),
            Event::ToolCall(row) => self.tool_call(row),
            Event::Grew {
                part_id,
                delta,
                event_id,
            } => {
                self.streams.grow(&part_id, &delta, event_id);
                Urgency::Stream
            }
            Event::Missed(part) => {
                // The end brings the whole text, if it comes.
                self.recalls.want(&part.session_id);
                Urgency::Soon
            }
            Event::PartRemoved(part) => self.part_removed(part, now),
            Event::Permission(row) => {
                self.pending.add(Command::PermissionUpsert(row));
                Urgency::Soon
            }
            Event::Todos(list) => {
                self.pending.add(Command::TodoReplace(list));
                Urgency::Soon
            }
        }
    }

    /// Counts a rejection.
    pub fn reject(&mut self, row: RejectionRow) {
        self.pending.add(Command::RejectionRecord(row));
    }

    /// Takes what changed, as commands.
    pub fn drain(&mut self) -> Vec<Command> {
        for row in self.streams.take_changed() {
            self.pending.add(Command::PartUpsert(row));
        }
        std::mem::take(&mut self.pending).into_commands()
    }

    /// Puts back commands that could not be stored, under what came since.
    pub fn put_back(&mut self, commands: Vec<Command>) {
        self.pending.put_back(commands);
    }

    fn session(&mut self, mut row: SessionRow) -> Urgency {
        self.sessions.insert(&row.id);
        if let Some(&created) = row.created_at.value() {
            self.created.put(row.id.clone(), created);
        }
        row.origin = self.origin.clone().into();
        self.pending.add(Command::SessionUpsert(row));
        Urgency::Soon
    }

    fn session_deleted(&mut self, row: SessionRow, now: Number) -> Urgency {
        let id = row.id.clone();
        self.session(row);
        self.close_streams(|part| part.session_id == id);
        self.answers.remove(&id);
        self.pending.add(Command::SessionDelete(SessionDelete {
            id,
            deleted_at: now,
            on_delete: self.on_delete,
        }));
        Urgency::Now
    }

    fn status(
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
                self.deaf = true;
                self.recalls.want(&session_id);
            }
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

    fn set_status(&mut self, id: String, status: SessionStatus) {
        self.meet_session(&id);
        let status = Known::Value(status);
        self.pending.add(Command::SessionUpsert(SessionRow {
            id,
            status,
            ..SessionRow::default()
        }));
    }

    fn failed(
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
    fn is_news(&mut self, row: &SessionErrorRow) -> bool {
        let session = row.session_id.value().map_or("", String::as_str);
        let text = |known: &Known<String>| known.value().cloned().unwrap_or_default();
        self.failures.set(
            session,
            format!("{}: {}", text(&row.name), text(&row.message)),
        )
    }

    /// Notes which message is being written in a session.
    fn note_turn(&mut self, row: &MessageRow) {
        self.heard.insert(&row.session_id);
        let created = self.created.peek(&row.session_id);
        if row
            .created_at
            .value()
            .is_some_and(|at| created.is_some_and(|created| at < created))
        {
            // A fork's copy: no event tells what that makes the session cost.
            self.recalls.want(&row.session_id);
        }
        let is_new = !self.messages.contains(&row.id);
        match row.role.value() {
            Some(Role::User) if is_new => {
                self.answers.remove(&row.session_id);
                self.failures.remove(&row.session_id);
            }
            Some(Role::Assistant) if is_new || row.completed_at.value().is_none() => {
                self.answers.set(&row.session_id, row.id.clone());
            }
            _ => {}
        }
    }

    fn message(&mut self, row: MessageRow, failure: Option<Failure>) -> Urgency {
        self.meet_session(&row.session_id);
        self.messages.insert(&row.id);
        let completed = row.completed_at.value().is_some();
        if completed {
            self.cut_streams(&row.session_id, |part| part.message_id == row.id);
        }
        let failed = failure.is_some();
        if let Some(failure) = failure {
            let error = failure::of_message(&row, failure);
            self.pending.add(Command::SessionErrorUpsert(error));
        }
        self.pending.add(Command::MessageUpsert(row));
        if completed || failed {
            Urgency::Now
        } else {
            Urgency::Soon
        }
    }

    fn message_removed(&mut self, session_id: String, id: String, now: Number) -> Urgency {
        self.close_streams(|part| part.message_id == id);
        if self.answers.get(&session_id) == Some(&id) {
            self.answers.remove(&session_id);
        }
        self.meet_session(&session_id);
        // No event tells what that makes the session cost (1.17 on).
        self.recalls.want(&session_id);
        self.pending.add(Command::MessageDelete(MessageDelete {
            id,
            session_id,
            deleted_at: now,
            on_delete: self.on_delete,
        }));
        Urgency::Now
    }

    fn part(&mut self, row: PartRow, retry: Option<Retry>) -> Urgency {
        if self.removed.contains(&row.id) {
            return Urgency::None;
        }
        if let Some(retry) = retry {
            let error = failure::of_retry_part(&row, retry);
            self.pending.add(Command::SessionErrorUpsert(error));
        }
        self.meet_message(&row.session_id, &row.message_id);
        let is_text = matches!(
            row.kind.value().map(String::as_str),
            Some("text" | "reasoning")
        );
        if is_text && row.ended_at == Known::Empty {
            if let Some(evicted) = self.streams.open(row) {
                self.pending.add(Command::PartUpsert(evicted));
            }
            return Urgency::Stream;
        }
        if let Some(written) = self.streams.close(&row.id) {
            self.pending.add(Command::PartUpsert(written));
        }
        self.pending.add(Command::PartUpsert(row));
        Urgency::Soon
    }

    fn tool_call(&mut self, row: ToolCallRow) -> Urgency {
        if self.removed.contains(&row.id) {
            return Urgency::None;
        }
        self.meet_message(&row.session_id, &row.message_id);
        self.pending.add(Command::ToolCallUpsert(row));
        Urgency::Soon
    }

    fn part_removed(&mut self, part: PartKey, now: Number) -> Urgency {
        self.removed.insert(&part.part_id);
        self.streams.close(&part.part_id);
        self.pending.add(Command::PartDelete(PartDelete {
            id: part.part_id,
            message_id: part.message_id,
            session_id: part.session_id,
            deleted_at: now,
            on_delete: self.on_delete,
        }));
        Urgency::Now
    }

    /// A session that was not met yet goes before its child, as a placeholder.
    fn meet_session(&mut self, id: &str) {
        if self.sessions.insert(id) {
            self.recalls.want(id);
            let placeholder = SessionRow {
                id: id.to_owned(),
                ..SessionRow::default()
            };
            self.pending.add(Command::SessionUpsert(placeholder));
        }
    }

    /// A message that was not met yet likewise.
    fn meet_message(&mut self, session_id: &str, id: &str) {
        self.meet_session(session_id);
        if self.messages.insert(id) {
            self.recalls.want(session_id);
            self.pending.add(Command::MessageUpsert(MessageRow {
                id: id.to_owned(),
                session_id: session_id.to_owned(),
                ..MessageRow::default()
            }));
        }
    }

    fn close_streams(&mut self, which: impl Fn(&PartRow) -> bool) {
        for row in self.streams.close_all(which) {
            self.pending.add(Command::PartUpsert(row));
        }
    }

    /// Ends texts whose own end was not told: OpenCode may have dropped what
    /// was written so far (an attempt that was cut off), so it is asked.
    fn cut_streams(&mut self, session_id: &str, which: impl Fn(&PartRow) -> bool) {
        if self.streams.any(&which) {
            self.recalls.want(session_id);
            self.close_streams(which);
        }
    }
}
