//! Which rows this core has met: bounded sets of ids that forget the oldest.

use std::num::NonZeroUsize;

use lru::LruCache;

/// How many ids a set remembers: some 4 thousand of 30 bytes.
pub(crate) const LIMIT: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4095);

/// A set of ids that remembers those met last.
#[derive(Debug)]
pub(crate) struct LruSet(LruCache<String, ()>);

impl Default for LruSet {
    fn default() -> Self {
        Self(LruCache::new(LIMIT))
    }
}

impl LruSet {
    /// Notes `id`. True if it was not remembered.
    pub(crate) fn insert(&mut self, id: &str) -> bool {
        if self.0.get(id).is_some() {
            return false;
        }
        self.0.put(id.to_owned(), ());
        true
    }

    /// Forgets `id`. True if it was remembered.
    pub(crate) fn remove(&mut self, id: &str) -> bool {
        self.0.pop(id).is_some()
    }

    /// Whether `id` is remembered.
    pub(crate) fn contains(&self, id: &str) -> bool {
        self.0.contains(id)
    }
}

/// What each id has last been, for the ids met last.
#[derive(Debug)]
pub(crate) struct LruMap(LruCache<String, String>);

impl Default for LruMap {
    fn default() -> Self {
        Self(LruCache::new(LIMIT))
    }
}

impl LruMap {
    /// What `id` was noted as.
    pub(crate) fn get(&self, id: &str) -> Option<&str> {
        self.0.peek(id).map(String::as_str)
    }

    /// Notes that `id` is `value` now. True if it was not that before.
    pub(crate) fn set(&mut self, id: &str, value: String) -> bool {
        if self.0.get(id) == Some(&value) {
            return false;
        }
        self.0.put(id.to_owned(), value);
        true
    }

    /// Forgets `id`.
    pub(crate) fn remove(&mut self, id: &str) {
        self.0.pop(id);
    }
}
