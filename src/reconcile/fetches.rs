//! The sessions that are being fetched, and what events told meanwhile: they
//! are newer than the answer, so the answer must not overwrite them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Reconciler, Urgency};
use crate::catch_up::{Missing, StoredSession};
use crate::model::column::Row;
use crate::model::command::{Command, MessageMissing, PartMissing, SessionMissing};
use crate::model::event::{Event, Retry};
use crate::model::known::Known;
use crate::model::number::Number;
use crate::model::row::{PartRow, SessionRow, SessionStatus, UsageRow};

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

    /// Notes that a session's time of change may have moved.
    pub(crate) fn touch(&mut self, session_id: &str) {
        if self.touched.len() < MAX_WANTED {
            self.touched.insert(session_id.to_owned());
        }
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
    pub(crate) fn begin(&mut self, session_id: &str, now: Number) {
        self.wanted.remove(session_id);
        let fetch = Fetch {
            asked_at: now,
            ..Fetch::default()
        };
        self.open.insert(session_id.to_owned(), fetch);
    }

    /// When the session that is being asked for was asked for.
    fn asked_at(&self, session_id: &str) -> Option<Number> {
        self.open.get(session_id).map(|fetch| fetch.asked_at)
    }

    /// When the session was changed last, as is answered of it.
    fn copied_at(&self, session_id: &str) -> Option<Number> {
        let session = self.open.get(session_id)?.session.as_ref()?;
        session.updated_at.value().copied()
    }

    /// Whether what is answered of the session is older than what is stored of
    /// it whole, which another store told.
    fn is_older(&self, session_id: &str) -> bool {
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
    fn keep(&mut self, row: SessionRow) -> Option<SessionRow> {
        let Some(fetch) = self.open.get_mut(&row.id) else {
            return Some(row);
        };
        fetch.session = Some(row);
        None
    }

    /// Nothing more of the answer comes. Gives what it said of the session
    /// itself, and whether an event told that since.
    fn end(&mut self, session_id: &str) -> Option<Answered> {
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
    fn keep_spent(&mut self, session_id: &str) -> bool {
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
        if let Some((session_id, id)) = subject(event)
            && let Some(fetch) = self.open.get_mut(session_id)
        {
            fetch.told.insert(id.to_owned());
        }
    }

    /// Whether an event told what the answer tells now.
    pub(crate) fn is_stale(&self, answer: &Event) -> bool {
        subject(answer).is_some_and(|(session_id, id)| self.is_told(session_id, id))
    }
}

impl Reconciler {
    /// Folds in a piece of what was answered, read as the event that would tell it.
    pub fn fold_answer(&mut self, mut answer: Event, now: Number) -> Urgency {
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
        if self.of_copy || self.is_older(&answer) {
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
        self.sessions.meet(&row.id);
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
        match answer {
            Event::Session(row) => {
                row.copied_at = Known::Value(row.updated_at.value().copied().unwrap_or_default());
                forget_redacted(&mut row.project_path);
                forget_redacted(&mut row.project_name);
            }
            Event::Message { row, .. } => row.copied_at = of(&row.session_id),
            Event::Part { row, .. } => row.copied_at = of(&row.session_id),
            Event::ToolCall(row) => {
                row.copied_at = of(&row.session_id);
                forget_redacted(&mut row.file_path);
            }
            Event::Todos(list) if list.copied_at.is_none() => {
                list.copied_at = Some(Number::default());
            }
            _ => {}
        }
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
            self.meet_message(&row.session_id, &row.message_id);
            self.pending.add(Command::PartUpsert(row));
            return Urgency::Soon;
        }
        self.part(row, retry, step)
    }

    /// OpenCode was asked at `since` for a session that it does not list, and
    /// has none of this id.
    pub fn session_missing(&mut self, id: &str, since: Number) -> Urgency {
        let Some(store_id) = self.store_id.clone() else {
            return Urgency::None;
        };
        self.pending.add(Command::SessionMissing(SessionMissing {
            id: id.to_owned(),
            store_id,
            since,
        }));
        Urgency::Soon
    }

    /// What OpenCode has no more of a session that is being asked for. What
    /// events told meanwhile it has.
    pub fn missing(&mut self, session_id: &str, missing: Missing) -> Urgency {
        let (Some(store_id), Some(since)) =
            (self.store_id.clone(), self.fetches.asked_at(session_id))
        else {
            return Urgency::None;
        };
        let is_told = |id: &str| self.fetches.is_told(session_id, id);
        let session_id = session_id.to_owned();
        let commands: Vec<Command> = match missing {
            Missing::Message(id) if is_told(&id) => return Urgency::None,
            Missing::Message(id) => vec![Command::MessageMissing(MessageMissing {
                id,
                session_id,
                store_id,
                since,
            })],
            Missing::Parts {
                message_id,
                part_ids,
            } => part_ids
                .into_iter()
                .filter(|id| !is_told(id))
                .map(|id| {
                    Command::PartMissing(PartMissing {
                        id,
                        message_id: message_id.clone(),
                        session_id: session_id.clone(),
                        store_id: store_id.clone(),
                        since,
                    })
                })
                .collect(),
        };
        let urgency = if commands.is_empty() {
            Urgency::None
        } else {
            Urgency::Soon
        };
        for command in commands {
            self.pending.add(command);
        }
        urgency
    }

    /// What is stored was compared with what OpenCode lists, which was asked for
    /// at `asked`: sessions that are stored as being at work may have been cut
    /// off, and `seen` are there, too.
    pub fn compared(
        &mut self,
        stored: &[StoredSession],
        seen: Vec<(String, Option<Number>)>,
        asked: Number,
    ) {
        let unsettled = stored.iter().filter(|stored| stored.is_at_work());
        let unsettled = unsettled.map(|stored| stored.id.clone());
        self.unsettled
            .extend(unsettled.filter(|id| !self.busy.contains(id)));
        let Some(store_id) = &self.store_id else {
            return;
        };
        for (id, updated_at) in seen {
            self.pending.add(Command::SessionUpsert(SessionRow {
                id,
                store_id: Known::Value(store_id.clone()),
                seen_at: Known::Value(asked),
                whole_at: updated_at.into(),
                ..SessionRow::default()
            }));
        }
    }

    /// These sessions are going to be asked for, and are stored whole as another
    /// store had them later.
    pub(crate) fn note_older(&mut self, older: Vec<(String, Number)>) {
        self.fetches.older.extend(older);
    }

    /// Whether an answer is of a session that another store had later: like a
    /// copy, it brings in what is not stored and overwrites nothing else.
    fn is_older(&self, answer: &Event) -> bool {
        subject(answer).is_some_and(|(session_id, _)| self.fetches.is_older(session_id))
    }

    /// Sessions that events left incomplete, since the last call.
    pub fn take_wanted(&mut self) -> Vec<String> {
        self.fetches.take_wanted()
    }

    /// Sessions whose time of change may have moved, since the last call.
    pub fn take_touched(&mut self) -> BTreeSet<String> {
        std::mem::take(&mut self.fetches.touched)
    }

    /// Whether a session that is being asked for is to be asked for once more:
    /// what events told meanwhile left it incomplete, and no turn of it is
    /// running, so that none may come that would ask for it.
    pub fn wants_again(&self, session_id: &str) -> bool {
        let fetch = self.fetches.open.get(session_id);
        fetch.is_some_and(|fetch| !fetch.told.is_empty())
            && self.fetches.is_wanted(session_id)
            && !self.busy.contains(session_id)
    }

    /// Whether events are known to be missing: turns pass and tell no message
    /// (releases 1.14.42 to 1.15.1, served).
    pub fn is_missing_events(&self) -> bool {
        self.missing_events
    }

    /// A session is being asked for: what events tell from now on is newer.
    pub fn begin_fetch(&mut self, session_id: &str, now: Number) {
        self.fetches.begin(session_id, now);
    }

    /// What OpenCode answered of a session is folded in, all of it where it
    /// `is_whole`. Where it is not, the session is still to be asked for.
    pub fn end_fetch(&mut self, session_id: &str, is_whole: bool) -> Urgency {
        let is_whole = is_whole && !self.fetches.is_wanted(session_id);
        self.sessions
            .change(session_id, |state| state.is_whole = is_whole);
        let mut urgency = Urgency::None;
        if let Some(mut answered) = self.fetches.end(session_id) {
            // Of one that did not come whole something is missing, whatever was
            // known of it: it may have been deleted meanwhile, and is there again.
            let whole_at = if is_whole {
                self.whole_at(session_id)
            } else {
                Known::Empty
            };
            if answered.is_told {
                self.note_whole(session_id, whole_at);
            } else {
                if !is_whole {
                    answered.row.whole_at = whole_at;
                }
                self.session(answered.row);
                if answered.is_spent {
                    self.spent(session_id.to_owned());
                }
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

/// A path that `opencode export --sanitize` has taken out; a folder's begins
/// with a slash there, in OpenCode 2.
fn forget_redacted(path: &mut Known<String>) {
    if path
        .value()
        .is_some_and(|path| path.trim_start_matches('/').starts_with("[redacted:"))
    {
        *path = Known::Unknown;
    }
}

/// What was answered of a session itself.
struct Answered {
    row: SessionRow,
    /// Whether an event told that since.
    is_told: bool,
    /// Whether its totals are of all that was spent.
    is_spent: bool,
}

/// The session an event belongs to, and what in it the event is about.
fn subject(event: &Event) -> Option<(&str, &str)> {
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
