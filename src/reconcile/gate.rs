//! Keeps back what belongs to projects that are not recorded, and what may.
//!
//! A session is of a project by its directory, which its first event or answer
//! tells; until then what is told of it waits here, and is not stored. Without
//! such projects nothing waits.

use std::num::NonZeroUsize;

use lru::LruCache;

use super::bounded::{LIMIT, LruSet};
use super::pending::session_of;
use crate::model::command::Command;
use crate::model::event::Event;
use crate::model::redaction::is_redacted;
use crate::model::row::SessionRow;
use crate::recorded::Ignored;

/// How many commands may wait until it is known of which project they are. What is
/// beyond is let go, and its sessions are asked for.
const MOST_HELD: usize = 4096;

/// How many sessions are remembered. Longer than the reconciler does, who asks for
/// those that it meets.
const SESSIONS: NonZeroUsize = LIMIT.saturating_add(LIMIT.get());

/// What is known of sessions.
#[derive(Debug)]
pub(super) struct Gate {
    ignored: Ignored,
    /// Whether each session is of a project that is not recorded.
    sessions: LruCache<String, bool>,
    /// Sessions that were asked for, since it is not known of which project they are.
    asked: LruSet,
}

/// Commands, as they pass.
#[derive(Debug, Default)]
pub(super) struct Passed {
    /// What may be stored.
    pub(super) due: Vec<Command>,
    /// What waits, in its order.
    pub(super) held: Vec<Command>,
    /// The sessions to ask for.
    pub(super) wanted: Vec<String>,
}

impl Default for Gate {
    fn default() -> Self {
        Self::new(Ignored::default())
    }
}

impl Gate {
    pub(super) fn new(ignored: Ignored) -> Self {
        Self {
            ignored,
            sessions: LruCache::new(SESSIONS),
            asked: LruSet::default(),
        }
    }

    /// Whether nothing is ever kept back.
    pub(super) fn is_open(&self) -> bool {
        self.ignored.is_empty()
    }

    /// Notes what an event or an answer tells of a session.
    pub(super) fn hear(&mut self, event: &Event) {
        if let Event::SessionCreated(row) | Event::Session(row) | Event::SessionDeleted(row) = event
        {
            self.note_row(row);
        }
    }

    /// Notes in which directory a session is.
    pub(super) fn note(&mut self, id: &str, directory: &str) {
        if !self.is_open() && !is_redacted(directory) {
            let is_ignored = self.ignored.matches(directory);
            self.sessions.put(id.to_owned(), is_ignored);
        }
    }

    /// A sub-agent's session goes with the one that started it.
    fn note_row(&mut self, row: &SessionRow) {
        if let Some(directory) = row.project_path.value() {
            self.note(&row.id, directory);
        }
        let parent = row.parent_id.value();
        if parent.is_some_and(|parent| self.is_ignored(parent)) {
            self.sessions.put(row.id.clone(), true);
        }
    }

    /// Whether a session is known to be of a project that is not recorded.
    pub(super) fn is_ignored(&self, id: &str) -> bool {
        self.sessions.peek(id) == Some(&true)
    }

    /// Which commands pass.
    pub(super) fn pass(&mut self, commands: Vec<Command>) -> Passed {
        let mut passed = Passed::default();
        if self.is_open() {
            passed.due = commands;
            return passed;
        }
        for command in commands {
            // Of what has no session nobody can tell more: a rejection, and a failure
            // that its directory's own instance heard.
            let Some(id) = session_of(&command) else {
                passed.due.push(command);
                continue;
            };
            match self.sessions.get(id) {
                Some(true) => {}
                Some(false) => passed.due.push(command),
                None => {
                    if self.asked.insert(id) {
                        passed.wanted.push(id.to_owned());
                    }
                    passed.held.push(command);
                }
            }
        }
        if passed.held.len() > MOST_HELD {
            let held = std::mem::take(&mut passed.held);
            let ids = held.iter().filter_map(session_of).map(str::to_owned);
            passed.wanted.extend(ids);
        }
        passed
    }
}
