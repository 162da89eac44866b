//! What OpenCode's API is being asked for, and what events told meanwhile:
//! they are newer than the answer, so the answer must not overwrite them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Reconciler, Urgency};
use crate::catch_up::absent::{self, Absent, StoredMessage};
use crate::catch_up::plan::{self, Place, Plan, StoredSession};
use crate::model::event::{Event, Retry};
use crate::model::known::Known;
use crate::model::number::Number;
use crate::model::row::{PartRow, SessionRow, SessionStatus};
use crate::read::node::Node;

/// How many sessions may be noted as wanted. What is beyond is found when
/// OpenCode starts next.
const MAX_WANTED: usize = 1024;

/// Sessions that events left incomplete, and those being asked for.
#[derive(Debug, Default)]
pub(crate) struct Recalls {
    wanted: BTreeSet<String>,
    /// The sessions that are being asked for.
    open: BTreeMap<String, Recall>,
}

/// A session that is being asked for.
#[derive(Debug, Default)]
struct Recall {
    /// What events told of since then.
    told: BTreeSet<String>,
    /// What was answered of the session itself. It goes last: a session that
    /// is stored with its time of change is not asked for again.
    session: Option<SessionRow>,
}

impl Recalls {
    /// Notes that events do not tell all of a session.
    pub(crate) fn want(&mut self, session_id: &str) {
        if self.wanted.len() < MAX_WANTED {
            self.wanted.insert(session_id.to_owned());
        }
    }

    /// The sessions noted since the last call.
    pub(crate) fn take_wanted(&mut self) -> Vec<String> {
        std::mem::take(&mut self.wanted).into_iter().collect()
    }

    /// Whether there are any.
    pub(crate) fn wants(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Whether this is one of them.
    fn is_wanted(&self, session_id: &str) -> bool {
        self.wanted.contains(session_id)
    }

    /// A session is being asked for from now on.
    pub(crate) fn begin(&mut self, session_id: &str) {
        self.wanted.remove(session_id);
        self.open.insert(session_id.to_owned(), Recall::default());
    }

    /// Whether it is.
    pub(crate) fn is_open(&self, session_id: &str) -> bool {
        self.open.contains_key(session_id)
    }

    /// Keeps what was answered of the session itself until all of the answer
    /// is in. Gives it back where the session was not asked for.
    fn keep(&mut self, row: SessionRow) -> Option<SessionRow> {
        let Some(recall) = self.open.get_mut(&row.id) else {
            return Some(row);
        };
        recall.session = Some(row);
        None
    }

    /// Nothing more of the answer comes. Gives what it said of the session
    /// itself, and whether an event told that since.
    fn end(&mut self, session_id: &str) -> Option<(SessionRow, bool)> {
        let Recall { told, session } = self.open.remove(session_id)?;
        session.map(|row| {
            let is_told = told.contains(&row.id);
            (row, is_told)
        })
    }

    /// Notes what an event told.
    pub(crate) fn hear(&mut self, event: &Event) {
        if self.open.is_empty() {
            return;
        }
        if let Some((session_id, id)) = subject(event)
            && let Some(recall) = self.open.get_mut(session_id)
        {
            recall.told.insert(id.to_owned());
        }
    }

    /// Whether an event told what the answer tells now.
    pub(crate) fn is_stale(&self, answer: &Event) -> bool {
        subject(answer).is_some_and(|(session_id, id)| {
            self.open
                .get(session_id)
                .is_some_and(|recall| recall.told.contains(id))
        })
    }
}

impl Reconciler {
    /// Folds in a piece of what OpenCode's API answered, written as an event.
    pub fn recall(&mut self, answer: Event, now: Number) -> Urgency {
        if self.recalls.is_stale(&answer) {
            return Urgency::None;
        }
        let urgency = match answer {
            Event::Part { row, retry } => self.recall_part(row, retry),
            Event::Session(row) => self.recall_session(row),
            answer => self.change(answer, now),
        };
        urgency.min(Urgency::Soon)
    }

    fn recall_session(&mut self, row: SessionRow) -> Urgency {
        self.sessions.meet(&row.id);
        match self.recalls.keep(row) {
            Some(row) => self.session(row),
            None => Urgency::None,
        }
    }

    /// A text without an end is still being written, or was cut off. Then what
    /// OpenCode kept of it is all that will be, however much was written.
    fn recall_part(&mut self, mut row: PartRow, retry: Option<Retry>) -> Urgency {
        if row.ended_at == Known::Empty && self.streams.length(&row.id).is_none() {
            row.ended_at = Known::Unknown;
        }
        self.part(row, retry)
    }

    /// Compares the messages that OpenCode answered of a session with those
    /// that were stored when it was asked.
    pub fn absent<N: Node>(
        &self,
        session: &N,
        answered: &[N],
        stored: &[StoredMessage],
    ) -> Vec<Absent> {
        absent::absent(session, answered, stored, self.origin.as_deref())
    }

    /// Compares what OpenCode lists of a directory with what is stored.
    pub fn plan<N: Node>(
        &mut self,
        directory: &str,
        listed: &[N],
        stored: &[StoredSession],
    ) -> Plan {
        let unsettled = stored.iter().filter(|stored| stored.is_at_work());
        let unsettled = unsettled.map(|stored| stored.id.clone());
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

    /// What OpenCode answered of a session is folded in, all of it where it
    /// `is_whole`. Where it is not, the session is still to be asked for.
    pub fn end_recall(&mut self, session_id: &str, is_whole: bool) -> Urgency {
        let is_whole = is_whole && !self.recalls.is_wanted(session_id);
        self.sessions
            .change(session_id, |met| met.is_whole = is_whole);
        let mut urgency = Urgency::None;
        if let Some((answered, is_told)) = self.recalls.end(session_id) {
            if is_told {
                self.note_whole(session_id, self.whole_at(session_id));
            } else {
                self.session(answered);
            }
            urgency = Urgency::Soon;
        }
        if self.unsettled.remove(session_id) {
            // It was cut off: the process that ran it is not running it any more.
            self.set_status(session_id.to_owned(), SessionStatus::Idle);
            urgency = Urgency::Soon;
        }
        urgency
    }
}

/// The session an event belongs to, and what in it the event is about.
fn subject(event: &Event) -> Option<(&str, &str)> {
    Some(match event {
        Event::SessionCreated(row) | Event::Session(row) | Event::SessionDeleted(row) => {
            (&row.id, &row.id)
        }
        Event::Message { row, .. } => (&row.session_id, &row.id),
        Event::MessageRemoved {
            session_id,
            message_id,
        } => (session_id, message_id),
        Event::Part { row, .. } => (&row.session_id, &row.id),
        Event::ToolCall(row) => (&row.session_id, &row.id),
        Event::Missed(part) | Event::PartRemoved(part) => (&part.session_id, &part.part_id),
        Event::Todos(list) => (&list.session_id, "todos"),
        // A text grows in a stream, which takes nothing that is shorter.
        Event::Grew { .. } | Event::Status { .. } | Event::Failed { .. } | Event::Permission(_) => {
            return None;
        }
    })
}
