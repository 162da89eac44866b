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
        while let Some(first) = self.order.pop_front() {
            if self.members.remove(&first) {
                return Some(first);
            }
        }
        None
    }

    /// Takes this one out, if it is there.
    pub(super) fn forget(&mut self, wanted: &Wanted) {
        // Its place in the order is skipped when it is reached.
        self.members.remove(wanted);
    }

    /// Whether it has this one.
    pub(super) fn contains(&self, wanted: &Wanted) -> bool {
        self.members.contains(wanted)
    }

    /// Whether it has sessions of this directory.
    pub(super) fn has(&self, directory: &str) -> bool {
        self.members.iter().any(|one| one.directory == directory)
    }

    /// Drops the sessions of this directory.
    pub(super) fn leave(&mut self, directory: &str) {
        self.order.retain(|one| one.directory != directory);
        self.members.retain(|one| one.directory != directory);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}
