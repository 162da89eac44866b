//! Two commands of one row as one, where storing it leaves what storing the
//! two in order leaves, whatever is stored. Where that is not so, both are kept.
//!
//! A row that is older than the stored one is not stored, and which one it is
//! older than is not known here. So of two rows that may be older:
//!
//! 1. What is older than the held one is dropped, as the store would.
//! 2. One that tells all that the held one tells takes its place.
//! 3. Otherwise the two stay: the store may take one of them and not the other.

use crate::model::column::Row;
use crate::model::command::{Command, PartAppend};
use crate::model::known::Known;
use crate::model::number::Number;
use crate::model::row::{
    MessageRow, PartRow, PermissionRow, SessionErrorRow, SessionRow, ToolCallRow, ToolStatus,
    UsageRow,
};

/// The held command and a newer one of the same row, as one. Gives both back
/// where they do not make one.
pub(super) fn merge(held: Command, newer: Command) -> Result<Command, Box<[Command; 2]>> {
    use Command as C;
    match (held, newer) {
        (C::SessionUpsert(held), C::SessionUpsert(newer)) => {
            merge_rows(held, newer, C::SessionUpsert)
        }
        (C::MessageUpsert(held), C::MessageUpsert(newer)) => {
            merge_rows(held, newer, C::MessageUpsert)
        }
        (C::PartUpsert(held), C::PartUpsert(newer)) => merge_rows(held, newer, C::PartUpsert),
        (C::ToolCallUpsert(held), C::ToolCallUpsert(newer)) => {
            merge_rows(held, newer, C::ToolCallUpsert)
        }
        (C::SessionErrorUpsert(held), C::SessionErrorUpsert(newer)) => {
            merge_rows(held, newer, C::SessionErrorUpsert)
        }
        (C::PermissionUpsert(held), C::PermissionUpsert(newer)) => {
            merge_rows(held, newer, C::PermissionUpsert)
        }
        (C::UsageUpsert(held), C::UsageUpsert(newer)) => merge_rows(held, newer, C::UsageUpsert),
        (C::PartAppend(mut held), C::PartAppend(newer)) => {
            if held.has_place_of(&newer) && held.reaches(&newer) {
                held.merge_from(&newer);
                Ok(C::PartAppend(held))
            } else {
                Err(Box::new([C::PartAppend(held), C::PartAppend(newer)]))
            }
        }
        // One that was answered may be older than what is stored.
        (C::TodoReplace(_), C::TodoReplace(newer)) if newer.copied_at.is_none() => {
            Ok(C::TodoReplace(newer))
        }
        (C::RejectionRecord(mut held), C::RejectionRecord(newer)) => {
            held.merge_from(newer);
            Ok(C::RejectionRecord(held))
        }
        // A deletion or a loss that is told again.
        (held, newer) if held == newer => Ok(held),
        (held, newer) => Err(Box::new([held, newer])),
    }
}

fn merge_rows<R: Merge>(
    mut held: R,
    mut newer: R,
    command: impl Fn(R) -> Command,
) -> Result<Command, Box<[Command; 2]>> {
    let how = if held.has_keys_of(&newer) {
        how(&held, &newer)
    } else {
        How::Neither
    };
    match how {
        How::Older => held.merge_unguarded(&newer),
        How::Covers => {
            held.merge_unguarded(&newer);
            newer.merge_unguarded(&held);
            held = newer;
        }
        How::ByColumn => held.merge_from(newer),
        How::Neither => return Err(Box::new([command(held), command(newer)])),
    }
    Ok(command(held))
}

/// How a newer row and the held one become one.
enum How {
    /// The newer one is dropped: it is older, or tells nothing.
    Older,
    /// The newer one takes the place of the held one.
    Covers,
    /// Each column by its rule: both are stored whatever is there.
    ByColumn,
    /// They do not.
    Neither,
}

fn how<R: Merge>(held: &R, newer: &R) -> How {
    let (held_known, newer_known) = (held.known(), newer.known());
    let covers = held_known & !newer_known == 0;
    let (one, other) = (held.telling(), newer.telling());
    let same_store = !one.is_of_store() || !other.is_of_store() || one.store == other.store;
    // What a copy tells depends on whether what is stored is whole.
    let of_copy = one.of_copy || other.of_copy;
    if of_copy || !same_store || !held.is_exact(newer) {
        How::Neither
    } else if newer_known == 0 || newer.is_older_than(held) {
        How::Older
    } else if held_known == 0 {
        How::Covers
    } else if !held.is_guarded() && !newer.is_guarded() {
        How::ByColumn
    } else if held.is_guarded() && covers {
        How::Covers
    } else {
        How::Neither
    }
}

/// Who tells a row.
#[derive(Debug, Default)]
struct Telling<'r> {
    /// The store of OpenCode, where it is known.
    store: Option<&'r str>,
    /// Whether the row says something about that store.
    is_dated: bool,
    /// Whether a copy of OpenCode's data tells it.
    of_copy: bool,
}

impl<'r> Telling<'r> {
    fn of(
        store_id: &'r Known<String>,
        copied_at: &Known<Number>,
        times: &[&Known<Number>],
    ) -> Self {
        Self {
            store: store_id.value().map(String::as_str),
            is_dated: times.iter().any(|at| at.value().is_some()),
            of_copy: !copied_at.is_unknown(),
        }
    }

    /// Whether it says something about a store, known or not.
    const fn is_of_store(&self) -> bool {
        self.store.is_some() || self.is_dated
    }
}

/// What merging has to know of a kind of row. The store's SQL says the same of
/// what comes in and what is stored (`store::upsert`, by [`Row::GUARD`]).
trait Merge: Row {
    /// Whether there may be a stored row that this one is older than.
    fn is_guarded(&self) -> bool {
        false
    }

    /// Whether it is older than `held`, or than whatever `held` is older than.
    fn is_older_than(&self, _held: &Self) -> bool {
        false
    }

    /// Who tells it.
    fn telling(&self) -> Telling<'_> {
        Telling::default()
    }

    /// Whether what is stored beside the row comes out the same as well.
    fn is_exact(&self, _newer: &Self) -> bool {
        true
    }
}

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
    pub(super) fn may_revive(&self) -> bool {
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
    pub(super) fn may_revive(&self) -> bool {
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

impl PartAppend {
    fn has_place_of(&self, other: &Self) -> bool {
        (&self.message_id, &self.session_id) == (&other.message_id, &other.session_id)
    }
}
