//! Deletions that were told before it was known which store tells them: within the
//! first half second of a process, mostly. Only the store that told a deletion can
//! end it, so each is told again once that is known.

use super::bounded::LIMIT;
use super::{Reconciler, Urgency};
use crate::model::command::Command;

/// What was told before it was asked which store that is.
#[derive(Debug, Default)]
pub(super) struct Early {
    /// As many as are remembered of anything; no event tells of the rest which
    /// store it was.
    deletions: Vec<Command>,
    is_over: bool,
}

impl Reconciler {
    /// From now on this is the store that OpenCode's events and answers come
    /// from; none where that is in doubt. What was deleted before that was asked
    /// was deleted there.
    pub fn set_store(&mut self, store_id: Option<String>) -> Urgency {
        self.store_id = store_id;
        self.early.is_over = true;
        let early = std::mem::take(&mut self.early.deletions);
        if self.store_id.is_none() || early.is_empty() {
            return Urgency::None;
        }
        for mut deletion in early {
            if let Some(store) = store_of(&mut deletion) {
                store.clone_from(&self.store_id);
            }
            self.pending.add(deletion);
        }
        Urgency::Now
    }

    /// Whether deletions wait until it is known which store told them.
    pub fn has_early_deletions(&self) -> bool {
        !self.early.deletions.is_empty()
    }

    /// Deletes what a command names.
    pub(super) fn delete(&mut self, mut deletion: Command) -> Urgency {
        let early = &mut self.early;
        let is_early = !early.is_over && early.deletions.len() < LIMIT.get();
        if is_early && store_of(&mut deletion).is_some_and(|store| store.is_none()) {
            early.deletions.push(deletion.clone());
        }
        self.pending.add(deletion);
        Urgency::Now
    }
}

/// Which store tells a deletion that may be told again later. A revert that does
/// not say where it ends may not: it would take what was said since with it.
fn store_of(deletion: &mut Command) -> Option<&mut Option<String>> {
    match deletion {
        Command::SessionDelete(of) => Some(&mut of.store_id),
        Command::MessageDelete(of) => Some(&mut of.store_id),
        Command::PartDelete(of) => Some(&mut of.store_id),
        Command::SessionRevert(of) if of.before.is_some() => Some(&mut of.store_id),
        _ => None,
    }
}
