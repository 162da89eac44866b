//! What merging has to know of each kind of row: which one is older, and what the
//! store keeps beside it.

use super::{Merge, Telling};
use crate::model::column::Row;
use crate::model::known::Known;
use crate::model::number::Number;
use crate::model::row::{
    MessageRow, PartRow, PermissionRow, SessionErrorRow, SessionRow, ToolCallRow, ToolStatus,
    UsageRow,
};

impl Merge for SessionRow {
    fn telling(&self) -> Telling<'_> {
        let times = [&self.answered_at, &self.seen_at];
        let telling = Telling::of(&self.store_id, &self.copied_at, &times);
        Telling {
            is_dated: telling.is_dated || !self.whole_at.is_unknown(),
            ..telling
        }
    }

    fn is_guarded(&self) -> bool {
        self.age().value().is_some()
    }

    fn is_older_than(&self, held: &Self) -> bool {
        is_less(self.age(), &held.updated_at)
    }

    /// That OpenCode reports totals stays so when a revert takes them to zero,
    /// and who started a session that was purged is noted once.
    fn is_exact(&self, newer: &Self) -> bool {
        let same_parent = newer.parent_id.is_unknown()
            || newer.parent_id == self.parent_id
            || self.parent_id.value().is_none() && !newer.is_older_than(self);
        let held_is_dated = self.updated_at.value().is_some();
        let same_reporting = !self.reports_usage()
            || newer.is_older_than(self)
            || merged(self, newer).reports_usage();
        // What says only when it was told leaves no time of change to compare with.
        let same_age = held_is_dated || !is_less(newer.age(), self.age());
        // What was told of a deleted session stays erased, though the next brings it back.
        let same_content = !newer.may_revive() || self.known() & !newer.known() == 0;
        same_parent && same_reporting && same_age && same_content
    }
}

impl SessionRow {
    /// Whether the store may take it for the end of the session's deletion.
    pub(in crate::reconcile) fn may_revive(&self) -> bool {
        let is_told = self.seen_at.value().is_some() || self.answered_at.value().is_some();
        is_told && self.store_id.value().is_some()
    }

    /// When what it tells was changed, or else told.
    fn age(&self) -> &Known<Number> {
        if self.updated_at.value().is_some() {
            &self.updated_at
        } else {
            &self.seen_at
        }
    }
}

impl MessageRow {
    /// Whether the store may take it for the end of the message's deletion.
    pub(in crate::reconcile) fn may_revive(&self) -> bool {
        self.answered_at.value().is_some() && self.store_id.value().is_some()
    }
}

impl Merge for MessageRow {
    fn telling(&self) -> Telling<'_> {
        Telling::of(&self.store_id, &self.copied_at, &[&self.answered_at])
    }

    fn is_guarded(&self) -> bool {
        !self.completed_at.is_unknown()
    }

    fn is_older_than(&self, held: &Self) -> bool {
        match (&self.completed_at, &held.completed_at) {
            (Known::Empty, Known::Value(_)) => true,
            (newer, held) => is_less(newer, held),
        }
    }

    /// The ledger keeps the most that a completed answer told of itself.
    fn is_exact(&self, newer: &Self) -> bool {
        // From then on the store may find the answer completed, with amounts of its own.
        let begins = self.role.value().is_some() || self.completed_at.value().is_some();
        let falls = |held: &Known<Number>, newer: &Known<Number>| {
            let amount = |known: &Known<Number>| known.value().map_or(0.0, |value| value.get());
            !newer.is_unknown() && (begins && held.is_unknown() || amount(newer) < amount(held))
        };
        let same_role = newer.role.is_unknown() || newer.role == self.role;
        self.completed_at == Known::Empty
            || newer.is_older_than(self)
            || same_role
                && !(self.amounts().into_iter().zip(newer.amounts()))
                    .any(|(held, newer)| falls(held, newer))
    }
}

impl PartRow {
    /// Whether it is a text that has a start and whose end is not told.
    fn is_cut(&self) -> bool {
        self.ended_at.is_unknown() && self.started_at.value().is_some() && !self.text.is_unknown()
    }

    fn is_shorter_than(&self, held: &Self) -> bool {
        matches!((self.text.value(), held.text.value()), (Some(text), Some(held)) if text.len() < held.len())
    }
}

impl Merge for PartRow {
    fn telling(&self) -> Telling<'_> {
        Telling::of(&self.store_id, &self.copied_at, &[&self.answered_at])
    }

    fn is_guarded(&self) -> bool {
        self.ended_at == Known::Empty || self.is_cut()
    }

    fn is_older_than(&self, held: &Self) -> bool {
        let ended = held.ended_at.value().is_some();
        if self.ended_at == Known::Empty {
            ended || held.is_guarded() && self.is_shorter_than(held)
        } else {
            ended && self.is_cut()
        }
    }

    fn is_exact(&self, newer: &Self) -> bool {
        // What is derived of a message's texts knows that there was one.
        if !newer.kind.is_unknown() && !self.kind.is_unknown() && newer.kind != self.kind {
            return false;
        }
        if newer.is_older_than(self) {
            return true;
        }
        let is_written = |row: &Self| row.ended_at == Known::Empty;
        // A held text that is stored may be shorter than what was stored before it.
        let may_shorten = is_written(newer)
            && newer.text.value().is_some()
            && (self.is_cut() || self.text == Known::Empty);
        // Two that are stored whatever is there may make one that is not.
        let becomes_guarded =
            || !self.is_guarded() && !newer.is_guarded() && merged(self, newer).is_guarded();
        !may_shorten && !becomes_guarded()
    }
}

impl ToolCallRow {
    /// How far the call is, where that may be less far than what is stored.
    fn stage(&self) -> Option<u8> {
        match self.status.value()? {
            ToolStatus::Pending => Some(0),
            ToolStatus::Running => Some(1),
            ToolStatus::Completed | ToolStatus::Error => Some(2),
        }
    }
}

impl Merge for ToolCallRow {
    fn telling(&self) -> Telling<'_> {
        Telling::of(&self.store_id, &self.copied_at, &[&self.answered_at])
    }

    fn is_guarded(&self) -> bool {
        self.stage().is_some_and(|stage| stage < 2)
    }

    fn is_older_than(&self, held: &Self) -> bool {
        matches!((self.stage(), held.stage()), (Some(stage), Some(held)) if stage < held)
    }
}

impl Merge for SessionErrorRow {
    /// Which answer failed is found by when it did, and the same failure that
    /// was told of that answer too is taken away.
    fn is_exact(&self, newer: &Self) -> bool {
        let is_later = match (self.created_at.value(), newer.created_at.value()) {
            (_, None) => true,
            (held, Some(newer)) => held.is_some_and(|held| held <= newer),
        };
        let is_named = self.message_id.value().is_some();
        let is_retry = self.message_id.is_unknown() && self.attempt.value().is_some();
        self == newer
            || self.session_id == newer.session_id
                && self.message_id == newer.message_id
                && self.name == newer.name
                && self.attempt == newer.attempt
                && (is_named || is_retry && is_later)
    }
}

impl Merge for UsageRow {}

impl Merge for PermissionRow {
    /// One of something purged is not stored.
    fn is_exact(&self, newer: &Self) -> bool {
        let agree = |held: &Known<String>, newer: &Known<String>| {
            held.value().is_none() || newer.value().is_none() || held == newer
        };
        agree(&self.session_id, &newer.session_id) && agree(&self.message_id, &newer.message_id)
    }
}

/// What merging by columns would make of two rows.
fn merged<R: Row + Clone>(held: &R, newer: &R) -> R {
    let mut merged = held.clone();
    merged.merge_from(newer.clone());
    merged
}

fn is_less(one: &Known<Number>, other: &Known<Number>) -> bool {
    matches!((one, other), (Known::Value(one), Known::Value(other)) if one < other)
}
