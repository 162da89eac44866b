//! Sessions to ask for, in the order they came, each once.

use std::collections::{BTreeSet, VecDeque};

use super::Wanted;

/// The queue. Whether a session is in it is found without reading through it:
/// a directory may have a hundred thousand.
#[derive(Debug, Default)]
pub(super) struct Queue {
    order: VecDeque<Wanted>,
    members: BTreeSet<Wanted>,
}

impl Queue {
    /// Adds a session at the end, unless it is there.
    pub(super) fn push(&mut self, wanted: Wanted) {
        if self.members.insert(wanted.clone()) {
            self.order.push_back(wanted);
        }
    }

    /// Takes the first.
    pub(super) fn pop(&mut self) -> Option<Wanted> {
        let first = self.order.pop_front()?;
        self.members.remove(&first);
        Some(first)
    }

    /// Drops the sessions of this directory.
    pub(super) fn leave(&mut self, directory: &str) {
        self.order.retain(|one| one.directory != directory);
        self.members.retain(|one| one.directory != directory);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}
