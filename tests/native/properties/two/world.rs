//! OpenCode 2's own state, as naive as can be. What changes it is in `deeds`,
//! what it sends and answers in `tell` and `answers`.
#![expect(clippy::indexing_slicing, reason = "the model names only what it made")]

use std::collections::BTreeMap;

use crate::properties::picks::Picks;
use crate::support::Recorded;

/// Input tokens and dollars.
pub(crate) type Spent = (u32, f64);

#[derive(Debug, Clone, Default)]
pub(crate) struct Session {
    pub(crate) parent: Option<String>,
    /// The origin of a fork, and the copies' last message.
    pub(crate) fork_of: Option<(String, String)>,
    pub(crate) title: String,
    /// What a person chose.
    pub(crate) agent: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) created: u32,
    pub(crate) updated: u32,
    pub(crate) deleted: bool,
    /// The number of its next event.
    pub(crate) next: u32,
    pub(crate) is_busy: bool,
    /// What was ever spent in it.
    pub(crate) total: Spent,
    /// What waits to be said.
    pub(crate) waiting: Vec<Waiting>,
    /// The answer that is being written.
    pub(crate) open: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) is_note: bool,
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    User,
    Answer,
    Synthetic,
    Skill,
    System,
    Compaction,
    Shell { exit: u8 },
}

impl What {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Answer => "assistant",
            Self::Synthetic => "synthetic",
            Self::Skill => "skill",
            Self::System => "system",
            Self::Compaction => "compaction",
            Self::Shell { .. } => "shell",
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) session: String,
    pub(crate) what: What,
    /// Its place in the session.
    pub(crate) number: u32,
    pub(crate) model: Option<String>,
    pub(crate) created: u32,
    pub(crate) completed: Option<u32>,
    pub(crate) finish: Option<&'static str>,
    pub(crate) error: Option<&'static str>,
    /// What is told of its cost, once that is.
    pub(crate) spent: Option<Spent>,
    /// What it has cost so far, which is told at its end.
    pub(crate) running: Spent,
    /// What a message says that is no answer; a command, a summary.
    pub(crate) text: Option<String>,
    pub(crate) items: Vec<Item>,
    pub(crate) removed: bool,
    pub(crate) removed_with_session: bool,
    /// Whether a fork copied it, which no event tells.
    pub(crate) is_copy: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Text,
    Reasoning,
    Call {
        call: String,
        fails: bool,
        wait: u32,
    },
}

/// What an answer holds, in its order.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    /// Its place among its kind.
    pub(crate) ordinal: usize,
    pub(crate) text: String,
    pub(crate) started: u32,
    pub(crate) ended: Option<u32>,
    /// Whether a crash left OpenCode nothing of the text.
    pub(crate) is_lost: bool,
}

impl Item {
    pub(crate) const fn is_call(&self) -> bool {
        matches!(self.kind, Kind::Call { .. })
    }

    pub(crate) fn is_open(&self) -> bool {
        self.ended.is_none() && !self.is_lost
    }
}

/// A failure: its session, message, name and attempt.
pub(crate) type Failure = (String, String, &'static str, Option<u32>);

#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) now: u32,
    pub(crate) sessions: BTreeMap<String, Session>,
    pub(crate) messages: BTreeMap<String, Message>,
    /// Permissions: when each was asked and answered, and of which message.
    pub(crate) asked: BTreeMap<String, (u32, u32, String)>,
    pub(crate) failures: BTreeMap<String, Failure>,
    pub(crate) events: Vec<Recorded>,
}

impl Picks for World {
    fn alive(&self) -> Vec<&String> {
        let alive = self.sessions.iter().filter(|(_, one)| !one.deleted);
        alive.map(|(id, _)| id).collect()
    }

    fn open_answer(&self, session: &str) -> Option<String> {
        self.sessions[session].open.clone()
    }

    fn clock(&mut self) -> &mut u32 {
        &mut self.now
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            now: 1_000_000,
            ..Self::default()
        }
    }

    /// The messages of a session that were not removed, in order.
    pub(crate) fn messages_of(&self, session: &str) -> Vec<(&String, &Message)> {
        let all = self.messages.iter();
        let mut of: Vec<_> = all
            .filter(|(_, message)| message.session == session && !message.removed)
            .collect();
        of.sort_by_key(|(_, message)| message.number);
        of
    }

    pub(super) fn of(&mut self, session: &str) -> &mut Session {
        self.sessions.entry(session.to_owned()).or_default()
    }

    pub(super) fn change(&mut self, message: &str, change: impl FnOnce(&mut Message)) {
        if let Some(message) = self.messages.get_mut(message) {
            change(message);
        }
    }

    /// The session and the items of a message.
    pub(super) fn session_of(&self, message: &str) -> String {
        self.messages[message].session.clone()
    }

    /// A message that there was none of.
    pub(super) fn message(&mut self, id: &str, session: &str, what: What, number: u32) {
        let message = Message {
            session: session.to_owned(),
            what,
            number,
            model: None,
            created: self.now,
            completed: None,
            finish: None,
            error: None,
            spent: None,
            running: (0, 0.0),
            text: None,
            items: Vec::new(),
            removed: false,
            removed_with_session: false,
            is_copy: false,
        };
        self.messages.insert(id.to_owned(), message);
    }
}
