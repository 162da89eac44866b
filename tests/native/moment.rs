//! What may happen to what a core holds, between two events.

use clankers::Core;

use crate::support::Db;

/// A few commands.
const SLICE_BYTES: usize = 2_000;

/// What happens after an event.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Moment {
    /// The timer fires.
    Drain,
    /// It fires, and a slice of what is due is stored.
    Slice,
    /// It fires, and the database is locked.
    Fail,
    /// Likewise, after a slice.
    FailSlice,
    /// It fires, all is stored, and that is not heard.
    Unheard,
}

impl Moment {
    /// Lets it happen.
    pub(crate) fn happen(self, core: &mut Core, db: &Db) {
        let commands = match self {
            Self::Drain | Self::Fail | Self::Unheard => core.drain(),
            Self::Slice | Self::FailSlice => core.drain_at_most(SLICE_BYTES),
        };
        if !matches!(self, Self::Fail | Self::FailSlice) {
            db.apply(commands);
        }
        core.settle(matches!(self, Self::Drain | Self::Slice));
    }
}
