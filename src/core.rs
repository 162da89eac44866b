//! The core as its callers see it: observe, drain, settle.

use serde::Serialize;

use crate::catch_up::absent::{self, Absent, StoredMessage};
use crate::catch_up::plan::{Plan, StoredSession};
use crate::model::command::Command;
use crate::model::event::Event;
use crate::model::number::Number;
use crate::model::row::OnDelete;
use crate::read::node::Node;
use crate::read::rejections::Rejections;
use crate::reconcile::{Reconciler, Urgency};
use crate::sources::opencode1::types;
use crate::sources::{Context, opencode1};

/// What a core is told when it is made.
#[derive(Debug, Clone)]
pub struct Options {
    /// What becomes of what OpenCode deletes.
    pub on_delete: OnDelete,
    /// What tells OpenCode's store from others, where that is known.
    pub store_id: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            on_delete: OnDelete::Tombstone,
            store_id: None,
        }
    }
}

/// The event types a caller need not pass on, and those it must.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct EventTypes {
    /// Types that become rows.
    pub recorded: &'static [&'static str],
    /// Types that are known and ignored on purpose. Types in neither list are
    /// to be passed on as well: the core counts them as unknown.
    pub ignored: &'static [&'static str],
}

/// The event types this core knows.
pub const fn event_types() -> EventTypes {
    EventTypes {
        recorded: types::RECORDED,
        ignored: types::IGNORED,
    }
}

/// Decodes and reconciles events, and holds what is not stored yet.
#[derive(Debug)]
pub struct Core {
    reconciler: Reconciler,
    rejections: Rejections,
    /// The commands that were drained and are not settled.
    in_flight: Vec<Command>,
    /// The release that made the session met last, for rejections.
    source_version: Option<String>,
}

impl Core {
    /// A core that has seen nothing.
    pub fn new(options: Options) -> Self {
        Self {
            reconciler: Reconciler::new(options.on_delete, options.store_id),
            rejections: Rejections::default(),
            in_flight: Vec::new(),
            source_version: None,
        }
    }

    /// Takes one bus event, whatever it is. `now` is Unix milliseconds.
    pub fn observe<N: Node>(&mut self, event: &N, now: f64) -> Urgency {
        self.take(event, now, Reconciler::fold)
    }

    /// Takes a piece of what OpenCode's API answered, written as the event
    /// that would tell it. What events told since the session was asked for wins.
    pub fn recall<N: Node>(&mut self, answer: &N, now: f64) -> Urgency {
        self.take(answer, now, Reconciler::recall)
    }

    fn take<N: Node>(
        &mut self,
        event: &N,
        now: f64,
        fold: impl Fn(&mut Reconciler, Event, Number) -> Urgency,
    ) -> Urgency {
        let reconciler = &self.reconciler;
        let held = |part_id: &str| reconciler.held(part_id);
        let mut decoded = opencode1::decode(event, &Context { now, held: &held });
        let now = Number::new(now).unwrap_or_default();
        let mut urgency = Urgency::None;
        if let Some(event) = decoded.event.take() {
            if let Event::SessionCreated(row) | Event::Session(row) = &event {
                self.source_version = row
                    .source_version
                    .value()
                    .cloned()
                    .or(self.source_version.take());
            }
            urgency = fold(&mut self.reconciler, event, now);
        }
        if !decoded.rejections.is_empty() {
            let version = self.source_version.as_deref();
            for row in self.rejections.count(
                event,
                &decoded.event_type,
                &decoded.rejections,
                version,
                now,
            ) {
                self.reconciler.reject(row);
            }
            urgency = urgency.max(Urgency::Soon);
        }
        urgency
    }

    /// Takes the commands that are due. They are in flight until
    /// [`settle`](Self::settle); meanwhile this gives none.
    pub fn drain(&mut self) -> &[Command] {
        if !self.in_flight.is_empty() {
            return &[];
        }
        self.in_flight = self.reconciler.drain();
        &self.in_flight
    }

    /// Ends the flight of the last drain: stored, or to be tried again,
    /// merged with what came since.
    pub fn settle(&mut self, stored: bool) {
        let commands = std::mem::take(&mut self.in_flight);
        if !stored {
            self.reconciler.put_back(commands);
        }
    }

    /// Compares what OpenCode lists of a directory with what is stored: what
    /// to ask it for.
    pub fn plan<N: Node>(
        &mut self,
        directory: &str,
        listed: &[N],
        stored: &[StoredSession],
        now: f64,
    ) -> Plan {
        let now = Number::new(now).unwrap_or_default();
        self.reconciler.plan(directory, listed, stored, now)
    }

    /// Sessions that events left incomplete, since the last call.
    pub fn wanted(&mut self) -> Vec<String> {
        self.reconciler.take_wanted()
    }

    /// Whether events are known to be missing, so that OpenCode's list has to
    /// be compared again from time to time.
    pub fn is_deaf(&self) -> bool {
        self.reconciler.is_deaf()
    }

    /// A session is being asked for: what events tell from now on is newer
    /// than the answer.
    pub fn begin_recall(&mut self, session_id: &str, now: f64) {
        let now = Number::new(now).unwrap_or_default();
        self.reconciler.begin_recall(session_id, now);
    }

    /// OpenCode was asked at `since`, Unix milliseconds, for a session that its
    /// store had, and has none of this id any more.
    pub fn session_missing(&mut self, session_id: &str, since: f64) -> Urgency {
        let since = Number::new(since).unwrap_or_default();
        self.reconciler.session_missing(session_id, since)
    }

    /// From now on events and answers come from this store; none where that
    /// is in doubt.
    pub fn set_store(&mut self, store_id: Option<String>) {
        self.reconciler.set_store(store_id);
    }

    /// What is stored of a session and was not answered: `answered` are its
    /// messages with their parts, `stored` what was stored when OpenCode was
    /// asked. Each is to be asked for by itself.
    pub fn absent<N: Node>(&self, answered: &[N], stored: &[StoredMessage]) -> Vec<Absent> {
        absent::absent(answered, stored)
    }

    /// Takes what OpenCode answered when it was asked for one of these, before
    /// the end of its session's recall: the message with its parts, or `null`
    /// where it has none.
    pub fn settle_absent<N: Node>(
        &mut self,
        session_id: &str,
        absent: Absent,
        answer: &N,
    ) -> Urgency {
        self.reconciler.settle_absent(session_id, absent, answer)
    }

    /// What OpenCode answered of a session was taken, all of it where it
    /// `is_whole`. Where it is not, the session is still to be asked for.
    pub fn end_recall(&mut self, session_id: &str, is_whole: bool) -> Urgency {
        self.reconciler.end_recall(session_id, is_whole)
    }

    /// Kinds of rejection that are new since the last call, a line each.
    pub fn notices(&mut self) -> Vec<String> {
        self.rejections.take_notices()
    }
}
