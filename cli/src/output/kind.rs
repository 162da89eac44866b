//! What the values of a column measure, and so how a person reads them.

use super::{human, printable};
use crate::cell::Cell;

/// How much of an id is shown: the letters that hold its time.
const SHORT_ID: usize = 16;

/// What a column's values measure: how a person reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// One of OpenCode's ids: its beginning tells it from the others.
    Id,
    Count,
    /// US dollars.
    Money,
    /// Unix milliseconds.
    Time,
    /// Milliseconds.
    Duration,
    Bytes,
    /// A bar, drawn whole.
    Bar,
    /// As it is: the result of somebody's own query.
    Plain,
}

impl Kind {
    /// A value of the column as a person reads it, on one line.
    pub(crate) fn human(self, cell: &Cell) -> String {
        match (cell, self) {
            (Cell::Null, _) => String::new(),
            (Cell::Text(bar), Self::Bar) => bar.clone(),
            (Cell::Text(id), Self::Id) => id.chars().take(SHORT_ID).collect(),
            (Cell::Int(number), Self::Count) => human::count(*number),
            (Cell::Int(ms), Self::Time) => human::time(*ms),
            (Cell::Int(ms), Self::Duration) => human::duration(*ms),
            (Cell::Int(size), Self::Bytes) => {
                human::bytes(u64::try_from(*size).unwrap_or_default())
            }
            #[expect(clippy::cast_precision_loss, reason = "for a person's eye")]
            (Cell::Int(dollars), Self::Money) => human::money(*dollars as f64),
            (Cell::Real(dollars), Self::Money) => human::money(*dollars),
            #[expect(clippy::cast_possible_truncation, reason = "for a person's eye")]
            (Cell::Real(ms), Self::Duration) => human::duration(ms.round() as i64),
            _ => printable::one_line(&cell.plain()),
        }
    }
}
