//! How copies of an agent's data rank that say of a session that it was changed
//! last at the same time.

use std::cmp::Ordering;

use crate::model::number::Number;

/// Of two copies that list a session with the same time of change, the one with
/// the greater rank tells it: a few changes, such as a new title or archiving,
/// leave that time as it was. A database ranks above an export, which may have
/// lain anywhere; among the same kind, what was written later is newer. What has its
/// words ranks above all from which they were taken out.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct CopyRank(Number);

/// More milliseconds than any time that a file may have: 30,000 years.
const BELOW: f64 = 1e15;

impl CopyRank {
    /// Of a database, or a folder of files, that was written last at this time, Unix
    /// milliseconds.
    pub fn of_store(written_at: f64) -> Self {
        Self(Number::new(written_at).unwrap_or_default())
    }

    /// Of an export that was written at this time.
    pub fn of_export(written_at: f64) -> Self {
        Self::of_store(written_at - BELOW)
    }

    /// Of a session in it, which may be without its words.
    #[must_use]
    pub(crate) fn of_session(self, is_taken_out: bool) -> Self {
        let below = if is_taken_out { 3.0 * BELOW } else { 0.0 };
        Self::of_store(self.0.get() - below)
    }

    /// How it compares with another.
    pub fn total_cmp(self, other: Self) -> Ordering {
        self.0.get().total_cmp(&other.0.get())
    }

    /// As it is stored.
    pub(crate) const fn number(self) -> Number {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_ranks_above_an_export_and_the_later_above_the_earlier() {
        let ranks = [
            CopyRank::of_export(2e13).of_session(true),
            CopyRank::of_store(0.0).of_session(true),
            CopyRank::of_store(2e13).of_session(true),
            CopyRank::of_export(0.0),
            CopyRank::of_export(1.0),
            CopyRank::of_export(2.0),
            CopyRank::of_store(1.0),
            CopyRank::of_store(2.0),
        ];
        assert!(ranks.is_sorted());
        assert!(ranks.windows(2).all(|two| two[0] != two[1]));
    }
}
