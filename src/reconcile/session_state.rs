//! The sessions that this core has met, and what it knows of each: bounded,
//! those met longest ago are forgotten.

use lru::LruCache;

use super::bounded::LIMIT;
use crate::model::number::Number;

/// How far a session's turn is, as far as it was heard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Turn {
    /// None was heard.
    #[default]
    Unheard,
    /// The session was told to have been created, and none has ended since: a fork's
    /// copies may still be coming.
    New,
    /// It is under way: what a crash in its middle would lose is missing then.
    UnderWay,
    /// It has ended, and none has begun since.
    Over,
}

/// What is known of a session that was met.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SessionState {
    /// When it was created, to tell a fork's messages.
    pub(crate) created: Option<Number>,
    /// When it was last changed.
    pub(crate) updated: Option<Number>,
    /// Whether nothing of it is missing: it was seen from its creation on, or
    /// caught up on since this core is there. What events tell leaves it so.
    pub(crate) is_whole: bool,
    /// How far its last turn is.
    pub(crate) turn: Turn,
    /// Whether a turn has ended since an event told of the session itself: its
    /// time of change may have moved, and no event tells to when.
    pub(crate) is_touched: bool,
    /// The number of its last event, where they are numbered.
    pub(crate) number: Option<Number>,
}

/// The sessions, by their ids.
#[derive(Debug)]
pub(crate) struct SessionStates(LruCache<String, SessionState>);

impl Default for SessionStates {
    fn default() -> Self {
        Self(LruCache::new(LIMIT))
    }
}

impl SessionState {
    /// Whether something is being told of it that a crash now would lose.
    pub(crate) fn is_turning(&self) -> bool {
        matches!(self.turn, Turn::New | Turn::UnderWay)
    }
}

impl SessionStates {
    /// Notes a session. True if it was not before, as far as is remembered.
    pub(crate) fn insert(&mut self, id: &str) -> bool {
        if self.0.get(id).is_some() {
            return false;
        }
        self.0.put(id.to_owned(), SessionState::default());
        true
    }

    /// What is known of it.
    pub(crate) fn get(&self, id: &str) -> SessionState {
        self.0.peek(id).copied().unwrap_or_default()
    }

    /// From now on something may be missing of each of them.
    pub(crate) fn forget_whole(&mut self) {
        for (_, state) in &mut self.0 {
            state.is_whole = false;
        }
    }

    /// Changes that, where the session was met.
    pub(crate) fn change(&mut self, id: &str, change: impl FnOnce(&mut SessionState)) {
        if let Some(state) = self.0.get_mut(id) {
            change(state);
        }
    }
}
