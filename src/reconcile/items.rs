//! What is known of messages that are being written and of what they hold: the
//! order in which it began, and when.

use std::num::NonZeroUsize;

use lru::LruCache;

use super::bounded::LIMIT;
use crate::model::known::Known;
use crate::model::number::Number;

/// How many messages' items are remembered.
const MESSAGES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(255);
/// How many items of one.
const ITEMS: usize = 1024;

/// The items of messages that were seen from their beginning on, in the order
/// in which they began.
#[derive(Debug)]
pub(crate) struct Items(LruCache<String, Vec<String>>);

impl Default for Items {
    fn default() -> Self {
        Self(LruCache::new(MESSAGES))
    }
}

impl Items {
    /// A message begins: all that it comes to hold is going to be told.
    pub(crate) fn begin(&mut self, message_id: &str) {
        if !self.0.contains(message_id) {
            self.0.put(message_id.to_owned(), Vec::new());
        }
    }

    /// The place of an item in its message, where it is `told` or known.
    pub(crate) fn place(
        &mut self,
        message_id: &str,
        id: &str,
        told: Known<Number>,
    ) -> Known<Number> {
        let Some(items) = self.0.get_mut(message_id) else {
            return told;
        };
        let at = items.iter().position(|item| item == id).or_else(|| {
            let at = items.len();
            (at < ITEMS).then(|| {
                items.push(id.to_owned());
                at
            })
        });
        let at = at.and_then(|at| u32::try_from(at).ok());
        told.or(at.and_then(|at| Number::new(at.into())).into())
    }
}

/// When messages and tool calls began, of those met last.
#[derive(Debug)]
pub(crate) struct Starts(LruCache<String, Number>);

impl Default for Starts {
    fn default() -> Self {
        Self(LruCache::new(LIMIT))
    }
}

impl Starts {
    /// When something that has not ended began, where that was told.
    pub(crate) fn of(&self, id: &str) -> Option<Number> {
        self.0.peek(id).copied()
    }

    /// How long something took, where that is not told: from the start that
    /// is told now or was before, to its end.
    pub(crate) fn duration(
        &mut self,
        id: &str,
        start: &Known<Number>,
        end: &Known<Number>,
    ) -> Known<Number> {
        match (start.value(), end.value()) {
            (Some(&start), None) => {
                self.0.put(id.to_owned(), start);
                Known::Unknown
            }
            (None, Some(&end)) => self.0.get(id).map(|&start| end - start).into(),
            _ => Known::Unknown,
        }
    }
}
