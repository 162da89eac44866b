//! The sessions that this core has met, and what it knows of each: bounded,
//! those met longest ago are forgotten.

use lru::LruCache;

use super::seen::LIMIT;
use crate::model::number::Number;

/// What is known of a session that was met.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Met {
    /// When it was created, to tell a fork's messages.
    pub(crate) created: Option<Number>,
    /// When it was last changed.
    pub(crate) updated: Option<Number>,
    /// Whether nothing of it is missing: it was seen from its creation on, or
    /// caught up on since this core is there. What events tell leaves it so.
    pub(crate) is_whole: bool,
    /// Whether a turn is under way: what a crash in its middle would lose is
    /// missing then.
    pub(crate) is_turning: bool,
    /// The number of its last event, where they are numbered.
    pub(crate) number: Option<Number>,
}

/// The sessions, by their ids.
#[derive(Debug)]
pub(crate) struct MetSessions(LruCache<String, Met>);

impl Default for MetSessions {
    fn default() -> Self {
        Self(LruCache::new(LIMIT))
    }
}

impl MetSessions {
    /// Notes that a session is met. True if it was not before, as far as is remembered.
    pub(crate) fn meet(&mut self, id: &str) -> bool {
        if self.0.get(id).is_some() {
            return false;
        }
        self.0.put(id.to_owned(), Met::default());
        true
    }

    /// Whether it was met.
    pub(crate) fn contains(&self, id: &str) -> bool {
        self.0.contains(id)
    }

    /// What is known of it.
    pub(crate) fn get(&self, id: &str) -> Met {
        self.0.peek(id).copied().unwrap_or_default()
    }

    /// Changes that, where the session was met.
    pub(crate) fn change(&mut self, id: &str, change: impl FnOnce(&mut Met)) {
        if let Some(met) = self.0.get_mut(id) {
            change(met);
        }
    }
}
