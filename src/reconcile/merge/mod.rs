//! Two commands of one row as one, where storing it leaves what storing the
//! two in order leaves, whatever is stored. Where that is not so, both are kept.
//!
//! A row that is older than the stored one is not stored, and which one it is
//! older than is not known here. So of two rows that may be older:
//!
//! 1. What is older than the held one is dropped, as the store would.
//! 2. One that tells all that the held one tells takes its place.
//! 3. Otherwise the two stay: the store may take one of them and not the other.

mod rows;

use crate::model::column::Row;
use crate::model::command::{Command, PartAppend};
use crate::model::known::Known;
use crate::model::number::Number;

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

impl PartAppend {
    fn has_place_of(&self, other: &Self) -> bool {
        (&self.message_id, &self.session_id) == (&other.message_id, &other.session_id)
    }
}
