//! Reconciling: events are folded into what changed, which drains as commands.
//!
//! What a row becomes where a stored one is older or newer is decided in the
//! store's SQL, so that restarts and several writers end in the same rows.
//! Here is only what events need beside each other:
//!
//! 1. What is pending is one change a row, where that is exact (`pending`).
//! 2. A text that is being written is held until it ends (`stream`).
//! 3. A child's parents have been met, or go before it as placeholders (`bounded`).
//! 4. A failure that is told twice is one row (`failure`).
//! 5. What events did not tell is wanted from OpenCode's API, and what they
//!    told meanwhile wins over its answer (`fetches`).
//! 6. Of what a person wants no record nothing leaves (`gate`).
//! 7. All of it is bounded: finished messages leave memory with their drain.

mod answers;
mod bounded;
mod early;
mod failure;
mod fetches;
mod fetching;
mod gate;
mod inbox;
mod items;
mod merge;
mod message;
mod part;
pub mod pending;
mod session;
mod session_state;
mod step;
mod stream;

use std::collections::BTreeSet;

use crate::model::command::Command;
use crate::model::content::without_content;
use crate::model::copy_rank::CopyRank;
use crate::model::event::Event;
use crate::model::number::Number;
use crate::model::rejection::RejectionRow;
use crate::model::row::{Content, OnDelete};
use crate::recorded::Recorded;
use bounded::{LruMap, LruSet};
use early::Early;
use fetches::Fetches;
use gate::Gate;
use inbox::Inbox;
use items::{Items, Starts};
use pending::Pending;
use session_state::{SessionStates, Turn};
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
    sessions: SessionStates,
    messages: LruSet,
    /// Parts that were removed: what is told of them late brings none back.
    removed: LruSet,
    /// The assistant message that is being written in a session.
    answers: LruMap,
    /// The last failure of a session that has no such message.
    failures: LruMap,
    fetches: Fetches,
    /// Sessions that are at work, and those of them that told of a message.
    busy: LruSet,
    heard: LruSet,
    /// Whether a turn passed of which no message was told.
    missing_events: bool,
    /// Parts whose beginning was missed.
    missed: LruSet,
    /// Sessions that are stored as being at work and may have been cut off.
    unsettled: BTreeSet<String>,
    store_id: Option<String>,
    early: Early,
    /// How the copy of OpenCode's data ranks that answers; none where OpenCode does.
    copy: Option<CopyRank>,
    /// What waits to be said.
    inbox: Inbox,
    /// Messages that end under another name, by that name.
    opened: LruMap,
    /// The answer of a session that has no end yet.
    open: LruMap,
    /// Sessions whose turn was told to have ended before their answer was.
    left: LruSet,
    items: Items,
    starts: Starts,
    gate: Gate,
    content: Content,
}

impl Reconciler {
    /// One that has seen nothing.
    ///
    /// `store_id` tells the store of OpenCode from others, where it is known.
    pub fn new(on_delete: OnDelete, store_id: Option<String>) -> Self {
        Self {
            on_delete,
            pending: Pending::default(),
            streams: Streams::default(),
            sessions: SessionStates::default(),
            messages: LruSet::default(),
            removed: LruSet::default(),
            answers: LruMap::default(),
            failures: LruMap::default(),
            fetches: Fetches::default(),
            busy: LruSet::default(),
            heard: LruSet::default(),
            missing_events: false,
            missed: LruSet::default(),
            unsettled: BTreeSet::new(),
            store_id,
            early: Early::default(),
            copy: None,
            inbox: Inbox::default(),
            opened: LruMap::default(),
            open: LruMap::default(),
            left: LruSet::default(),
            items: Items::default(),
            starts: Starts::default(),
            gate: Gate::default(),
            content: Content::Full,
        }
    }

    /// What answers is a copy of OpenCode's data: it does not overwrite what is
    /// stored whole and is newer.
    pub fn read_copy(&mut self, rank: CopyRank) {
        self.copy = Some(rank);
    }

    /// What of it is stored.
    pub fn record(&mut self, recorded: Recorded) {
        self.content = recorded.content;
        self.gate = Gate::new(recorded.ignored);
    }

    /// Notes in which directory a session is.
    pub(crate) fn note_directory(&mut self, session_id: &str, directory: &str) {
        self.gate.note(session_id, directory);
    }

    /// Whether a session is of a project that is not recorded, as far as is known.
    pub(crate) fn is_ignored(&self, session_id: &str) -> bool {
        self.gate.is_ignored(session_id)
    }

    /// That store.
    pub fn store_id(&self) -> Option<&str> {
        self.store_id.as_deref()
    }

    /// How long the held text of a part is, in UTF-16 units.
    pub fn held(&self, part_id: &str) -> Option<usize> {
        self.streams.length(part_id)
    }

    /// Folds one event in. `now` is Unix milliseconds.
    pub fn fold(&mut self, event: Event, now: Number) -> Urgency {
        self.gate.hear(&event);
        self.fetches.hear(&event);
        let is_late = self.is_of_one_at_rest(&event);
        let noted = match &event {
            Event::Message { row, .. } => self.note_turn(row),
            // No event tells what that makes the session cost (1.17 on).
            Event::MessageRemoved { session_id, .. } => {
                self.want(session_id);
                Urgency::None
            }
            _ => Urgency::None,
        };
        let mut urgency = self.change(event, now).max(noted);
        if self.fetches.wants() {
            urgency = urgency.max(Urgency::Soon);
        }
        if is_late && urgency == Urgency::Soon {
            urgency = Urgency::Now;
        }
        urgency
    }

    /// Whether an event is of a session whose turn is over. What is told then (its
    /// totals, what the prompt changed: 50 to 90 ms after the end on 1.18.34) is
    /// little, and nothing comes after it that would be stored at once.
    fn is_of_one_at_rest(&self, event: &Event) -> bool {
        fetches::subject(event)
            .is_some_and(|(session_id, _)| self.sessions.get(session_id).turn == Turn::Over)
    }

    fn change(&mut self, event: Event, now: Number) -> Urgency {
        match event {
            Event::SessionCreated(row) => {
                self.sessions.insert(&row.id);
                self.sessions.change(&row.id, |state| {
                    state.is_whole = true;
                    if state.turn == Turn::Unheard {
                        state.turn = Turn::New;
                    }
                });
                self.session(row)
            }
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
            Event::Part { row, retry, step } => self.part(row, retry, step),
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
                // Once: the end brings the whole text, if it comes.
                if self.missed.insert(&part.part_id) {
                    self.want(&part.session_id);
                }
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
            event => self.change_of_two(event, now),
        }
    }

    /// What an engine tells whose messages have no parts.
    fn change_of_two(&mut self, event: Event, now: Number) -> Urgency {
        match event {
            Event::Enqueued {
                session_id,
                inbox_id,
                item,
            } => self.enqueued(&session_id, inbox_id, item),
            Event::Delivered {
                session_id,
                inbox_id,
                position,
            } => self.delivered(&session_id, &inbox_id, position, now),
            Event::Cancelled {
                session_id,
                inbox_id,
            } => self.cancelled(&session_id, &inbox_id),
            Event::StepStarted(row) => self.step_started(row, now),
            Event::Written {
                session_id,
                message_id,
            } => self.written(&session_id, message_id),
            Event::Said(said) => self.said(said),
            Event::Opened { key, said } => self.opened(&key, said),
            Event::Closed { key, said, failure } => self.closed(&key, said, failure),
            Event::Reverted {
                session_id,
                to,
                before,
            } => self.reverted(session_id, to, before.value().copied(), now),
            Event::Spent(session_id) => self.spent(session_id),
            Event::Incomplete(session_id) => {
                self.ensure_session(&session_id);
                self.want(&session_id);
                Urgency::Soon
            }
            Event::Numbered { session_id, number } => self.numbered(&session_id, number),
            _ => Urgency::None,
        }
    }

    /// Counts a rejection.
    pub fn reject(&mut self, row: RejectionRow) {
        self.pending.add(Command::RejectionRecord(row));
    }

    /// What was stored is not there any more, or not known to be: another file is
    /// in its place. What is told from now on stands alone, and no session counts
    /// as whole before it was asked for.
    pub fn forget_stored(&mut self) {
        self.sessions.forget_whole();
        self.fetches.want_open();
        self.streams.forget_drained();
        self.pending.forget_whole(|_| true);
    }

    /// Takes what changed and is to be stored, as commands. What is stored of them is
    /// decided here and nowhere else, whoever told it.
    pub fn drain(&mut self) -> Vec<Command> {
        for command in self.streams.drain() {
            self.pending.add(command);
        }
        let changed = std::mem::take(&mut self.pending).into_commands();
        let passed = self.gate.pass(changed);
        self.pending.put_back(passed.held);
        for session_id in passed.wanted {
            self.fetches.want(&session_id);
        }
        match self.content {
            Content::Full => passed.due,
            Content::Metadata => passed.due.into_iter().filter_map(without_content).collect(),
        }
    }

    /// How many changes wait, those of a text that is being written apart.
    pub fn pending_count(&self) -> usize {
        self.pending.count()
    }

    /// Evicts the longest texts and tool calls that wait, until what is left
    /// has no more [bytes](Command::weight) than that. The sessions that they
    /// belong to, which are not whole any more.
    pub fn evict(&mut self, most_bytes: usize) -> BTreeSet<String> {
        let sessions = self.pending.evict(most_bytes);
        for session_id in &sessions {
            self.sessions
                .change(session_id, |state| state.is_whole = false);
        }
        sessions
    }

    /// Puts back commands that could not be stored, under what came since.
    pub fn put_back(&mut self, commands: Vec<Command>) {
        self.pending.put_back(commands);
    }
}
