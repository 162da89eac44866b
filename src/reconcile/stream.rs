//! Texts that are being written: what deltas add to.

use std::num::NonZeroUsize;

use lru::LruCache;

use crate::known::Known;
use crate::row::PartRow;

/// How many texts may be in the writing at once: one or two a session.
const LIMIT: NonZeroUsize = NonZeroUsize::MIN.saturating_add(255);

/// A part whose text is still being written.
#[derive(Debug)]
struct Stream {
    row: PartRow,
    /// The text's length in UTF-16 units, as JavaScript counts.
    length: usize,
    /// The event that came last, where the release numbers them.
    last_event: Option<String>,
    /// Whether it changed since the last drain.
    changed: bool,
}

/// The texts that are being written, by part.
#[derive(Debug)]
pub(crate) struct Streams(LruCache<String, Stream>);

impl Default for Streams {
    fn default() -> Self {
        Self(LruCache::new(LIMIT))
    }
}

impl Streams {
    /// How long the held text of a part is, in UTF-16 units.
    pub(crate) fn length(&self, part_id: &str) -> Option<usize> {
        self.0.peek(part_id).map(|stream| stream.length)
    }

    /// Holds a part that is still being written. Returns a part that had to
    /// make room and changed since the last drain.
    pub(crate) fn open(&mut self, row: PartRow) -> Option<PartRow> {
        let length = row
            .text
            .value()
            .map_or(0, |text| text.encode_utf16().count());
        let held = self.0.get_mut(&row.id);
        if let Some(stream) = held {
            if length >= stream.length {
                stream.row.learn(row);
                stream.length = length;
                stream.changed = true;
            }
            return None;
        }
        let stream = Stream {
            length,
            last_event: None,
            changed: true,
            row,
        };
        let evicted = self.0.push(stream.row.id.clone(), stream);
        evicted.and_then(|(_, stream)| stream.changed.then_some(stream.row))
    }

    /// Adds to a held text.
    pub(crate) fn grow(&mut self, part_id: &str, delta: &str, event_id: Option<String>) {
        let Some(stream) = self.0.get_mut(part_id) else {
            return;
        };
        // Event ids only rise: one that does not was delivered before.
        if event_id.is_some() && event_id <= stream.last_event {
            return;
        }
        stream.last_event = event_id.or(stream.last_event.take());
        stream.length += delta.encode_utf16().count();
        stream.changed = true;
        match &mut stream.row.text {
            Known::Value(text) => text.push_str(delta),
            unknown => *unknown = Known::Value(delta.to_owned()),
        }
    }

    /// Ends a text. Returns what it was if it changed since the last drain.
    pub(crate) fn close(&mut self, part_id: &str) -> Option<PartRow> {
        let stream = self.0.pop(part_id)?;
        stream.changed.then_some(stream.row)
    }

    /// Whether there is a text that `which` names.
    pub(crate) fn any(&self, which: impl Fn(&PartRow) -> bool) -> bool {
        self.0.iter().any(|(_, stream)| which(&stream.row))
    }

    /// Ends the texts that `which` names. Returns those that changed.
    pub(crate) fn close_all(&mut self, which: impl Fn(&PartRow) -> bool) -> Vec<PartRow> {
        let ids: Vec<String> = self
            .0
            .iter()
            .filter(|(_, stream)| which(&stream.row))
            .map(|(id, _)| id.clone())
            .collect();
        ids.iter().filter_map(|id| self.close(id)).collect()
    }

    /// The texts that changed since the last call, whole.
    pub(crate) fn take_changed(&mut self) -> Vec<PartRow> {
        let changed = self.0.iter_mut().filter(|(_, stream)| stream.changed);
        changed
            .map(|(_, stream)| {
                stream.changed = false;
                stream.row.clone()
            })
            .collect()
    }
}
