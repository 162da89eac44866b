//! How much memory what waits to be stored takes, about: what it says, without
//! what its containers add.

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
