//! How much memory what waits to be stored takes, about: what it says, without
//! what its containers add.

use super::column::Row;
use super::command::Command;
use super::known::Known;
use super::number::Number;

/// Something that takes memory.
pub(crate) trait Weigh {
    /// Bytes beyond its own size.
    fn weight(&self) -> usize {
        0
    }
}

impl Weigh for String {
    fn weight(&self) -> usize {
        self.len()
    }
}

impl Weigh for Number {}
impl Weigh for bool {}

impl<T: Weigh> Weigh for Known<T> {
    fn weight(&self) -> usize {
        self.value().map_or(0, Weigh::weight)
    }
}

impl Command {
    /// How many bytes it takes, about.
    pub fn weight(&self) -> usize {
        size_of::<Self>() + self.content()
    }

    /// The bytes of what it tells of a row; what only names rows is short.
    fn content(&self) -> usize {
        match self {
            Self::SessionUpsert(row) => row.weight(),
            Self::MessageUpsert(row) => row.weight(),
            Self::PartUpsert(row) => row.weight(),
            Self::PartAppend(append) => append.text.len(),
            Self::ToolCallUpsert(row) => row.weight(),
            Self::UsageUpsert(row) => row.weight(),
            Self::SessionErrorUpsert(row) => row.weight(),
            Self::PermissionUpsert(row) => row.weight(),
            Self::TodoReplace(list) => list.todos.iter().map(Row::weight).sum(),
            Self::RejectionRecord(row) => row.sample.len(),
            Self::SessionDelete(_)
            | Self::SessionRevert(_)
            | Self::SessionMissing(_)
            | Self::MessageDelete(_)
            | Self::MessageMissing(_)
            | Self::PartDelete(_)
            | Self::PartMissing(_)
            | Self::UsageBalance(_) => 0,
        }
    }
}
