//! The sessions that are being fetched, and what events told meanwhile: they
//! are newer than the answer, so the answer must not overwrite them.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::column::Row;
use crate::model::event::Event;
use crate::model::number::Number;
use crate::model::redaction::is_taken_out;
use crate::model::row::SessionRow;

/// How many sessions may be noted as wanted. What is beyond is found when
/// OpenCode starts next.
const MAX_WANTED: usize = 1024;

/// Sessions that events left incomplete, and those being asked for.
#[derive(Debug, Default)]
pub(crate) struct Fetches {
    wanted: BTreeSet<String>,
    /// Sessions whose turn has ended, and whose time of change may have moved.
    touched: BTreeSet<String>,
    /// The sessions that are being asked for.
    open: BTreeMap<String, Fetch>,
    /// Sessions to ask for that are stored whole as another store had them later,
    /// each with the time of change up to which they are.
    older: BTreeMap<String, Number>,
}

/// A session that is being asked for.
#[derive(Debug, Default)]
struct Fetch {
    /// When it was asked for, Unix milliseconds.
    asked_at: Number,
    /// What events told of since then.
    told: BTreeSet<String>,
    /// What was answered of the session itself. It goes last: a session that
    /// is stored with its time of change is not asked for again.
    session: Option<SessionRow>,
    /// What events told since then of the session itself, where each tells a
    /// part of it. It is newer than the answer.
    over: SessionRow,
    /// Whether the totals that were answered are of all that was spent.
    is_spent: bool,
    /// Whether a turn has ended since then: the answer may be of before its end.
    is_turn_over: bool,
}

impl Fetches {
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

    /// What is being asked for is to be asked for once more, from its beginning.
    pub(super) fn want_open(&mut self) {
        self.wanted.extend(self.open.keys().cloned());
    }

    /// Notes that a session's time of change may have moved.
    pub(crate) fn touch(&mut self, session_id: &str) {
        if self.touched.len() < MAX_WANTED {
            self.touched.insert(session_id.to_owned());
        }
    }

    /// Those sessions, since the last call.
    pub(super) fn take_touched(&mut self) -> BTreeSet<String> {
        std::mem::take(&mut self.touched)
    }

    /// Whether there are any.
    pub(crate) fn wants(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Whether this is one of them.
    pub(super) fn is_wanted(&self, session_id: &str) -> bool {
        self.wanted.contains(session_id)
    }

    /// Notes sessions that are going to be asked for, and are stored whole as another
    /// store had them later, each with the time of change up to which they are.
    pub(super) fn note_older(&mut self, older: Vec<(String, Number)>) {
        self.older.extend(older);
    }

    /// Whether events told anything of the session since it was asked for.
    pub(super) fn is_any_told(&self, session_id: &str) -> bool {
        self.open
            .get(session_id)
            .is_some_and(|fetch| !fetch.told.is_empty())
    }

    /// A session is being asked for from now on.
    pub(crate) fn begin(&mut self, session_id: &str, now: Number) {
        self.wanted.remove(session_id);
        let fetch = Fetch {
            asked_at: now,
            ..Fetch::default()
        };
        self.open.insert(session_id.to_owned(), fetch);
    }

    /// A turn of a session has ended.
    pub(super) fn turn_ends(&mut self, session_id: &str) {
        if let Some(fetch) = self.open.get_mut(session_id) {
            fetch.is_turn_over = true;
        }
    }

    /// Whether a turn has ended since the session was asked for.
    pub(super) fn is_turn_over(&self, session_id: &str) -> bool {
        self.open
            .get(session_id)
            .is_some_and(|fetch| fetch.is_turn_over)
    }

    /// When the session that is being asked for was asked for.
    pub(super) fn asked_at(&self, session_id: &str) -> Option<Number> {
        self.open.get(session_id).map(|fetch| fetch.asked_at)
    }

    /// When the session was changed last, as is answered of it.
    pub(super) fn copied_at(&self, session_id: &str) -> Option<Number> {
        let session = self.open.get(session_id)?.session.as_ref()?;
        session.updated_at.value().copied()
    }

    /// Whether the words were taken out of what is answered of the session.
    pub(super) fn is_taken_out(&self, session_id: &str) -> bool {
        let fetch = self.open.get(session_id);
        let session = fetch.and_then(|fetch| fetch.session.as_ref());
        session.is_some_and(|session| is_taken_out(&session.title))
    }

    /// Whether what is answered of the session is older than what is stored of
    /// it whole, which another store told.
    pub(super) fn is_older(&self, session_id: &str) -> bool {
        let whole_at = self.older.get(session_id);
        whole_at.is_some_and(|whole_at| self.copied_at(session_id) < Some(*whole_at))
    }

    /// Whether an event told of this since its session was asked for.
    pub(crate) fn is_told(&self, session_id: &str, id: &str) -> bool {
        self.open
            .get(session_id)
            .is_some_and(|fetch| fetch.told.contains(id))
    }

    /// Whether it is.
    pub(crate) fn is_open(&self, session_id: &str) -> bool {
        self.open.contains_key(session_id)
    }

    /// Keeps what was answered of the session itself until all of the answer
    /// is in. Gives it back where the session was not asked for.
    pub(super) fn keep(&mut self, row: SessionRow) -> Option<SessionRow> {
        let Some(fetch) = self.open.get_mut(&row.id) else {
            return Some(row);
        };
        fetch.session = Some(row);
        None
    }

    /// Nothing more of the answer comes. Gives what it said of the session
    /// itself, and whether an event told that since.
    pub(super) fn end(&mut self, session_id: &str) -> Option<Answered> {
        self.older.remove(session_id);
        let fetch = self.open.remove(session_id)?;
        let mut row = fetch.session?;
        row.merge_from(fetch.over);
        Some(Answered {
            is_told: fetch.told.contains(&row.id),
            is_spent: fetch.is_spent,
            row,
        })
    }

    /// Notes that the totals that were answered are of all that was spent. False
    /// where the session was not asked for.
    pub(super) fn keep_spent(&mut self, session_id: &str) -> bool {
        let fetch = self.open.get_mut(session_id);
        fetch.map(|fetch| fetch.is_spent = true).is_some()
    }

    /// Notes what an event told.
    pub(crate) fn hear(&mut self, event: &Event) {
        if self.open.is_empty() {
            return;
        }
        if let Event::Session(row) = event
            && row.created_at.is_unknown()
        {
            if let Some(fetch) = self.open.get_mut(&row.id) {
                fetch.over.merge_from(row.clone());
            }
            return;
        }
        if let Some((session_id, id)) = subject(event) {
            self.hear_of(session_id, id);
        }
    }

    /// Notes that an event told of this, which it may not have named itself.
    pub(super) fn hear_of(&mut self, session_id: &str, id: &str) {
        if let Some(fetch) = self.open.get_mut(session_id) {
            fetch.told.insert(id.to_owned());
        }
    }

    /// Whether an event told what the answer tells now.
    pub(crate) fn is_stale(&self, answer: &Event) -> bool {
        subject(answer).is_some_and(|(session_id, id)| self.is_told(session_id, id))
    }
}

/// What was answered of a session itself.
pub(super) struct Answered {
    pub(super) row: SessionRow,
    /// Whether an event told that since.
    pub(super) is_told: bool,
    /// Whether its totals are of all that was spent.
    pub(super) is_spent: bool,
}

/// The session an event belongs to, and what in it the event is about.
pub(super) fn subject(event: &Event) -> Option<(&str, &str)> {
    Some(match event {
        Event::SessionCreated(row) | Event::Session(row) | Event::SessionDeleted(row) => {
            (&row.id, &row.id)
        }
        Event::Message { row, .. } | Event::StepStarted(row) => (&row.session_id, &row.id),
        Event::MessageRemoved {
            session_id,
            message_id,
        }
        | Event::Written {
            session_id,
            message_id,
        } => (session_id, message_id),
        Event::Part { row, .. } => (&row.session_id, &row.id),
        Event::ToolCall(row) => (&row.session_id, &row.id),
        Event::PartRemoved(part) => (&part.session_id, &part.part_id),
        Event::Todos(list) => (&list.session_id, "todos"),
        Event::Reverted { session_id, .. } => (session_id, "messages"),
        Event::Delivered {
            session_id,
            inbox_id,
            ..
        } => (session_id, inbox_id),
        Event::Said(said) | Event::Opened { said, .. } | Event::Closed { said, .. } => {
            (&said.row.session_id, &said.row.id)
        }
        // A text grows in a stream, which takes nothing that is shorter; of one
        // whose start was missed nothing was told that could be stored.
        Event::Grew { .. }
        | Event::Missed(_)
        | Event::Status { .. }
        | Event::Failed { .. }
        | Event::Permission(_)
        | Event::Enqueued { .. }
        | Event::Cancelled { .. }
        | Event::Spent(_)
        | Event::Incomplete(_)
        | Event::Numbered { .. } => return None,
    })
}
