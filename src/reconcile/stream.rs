//! Texts that are being written: what deltas add to.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroUsize;

use lru::LruCache;

use crate::model::column::Row;
use crate::model::command::{Command, PartAppend};
use crate::model::known::Known;
use crate::model::row::PartRow;

/// How many texts may be in the writing at once: one or two a session.
const LIMIT: NonZeroUsize = NonZeroUsize::MIN.saturating_add(255);

/// A part whose text is still being written.
#[derive(Debug)]
struct Stream {
    row: PartRow,
    /// The text's length in UTF-16 units, as JavaScript counts.
    length: usize,
    /// The events that came, where the release names them: hashes of their ids.
    events: BTreeSet<u64>,
    /// How much of the text was drained, in bytes.
    drained: usize,
    /// How much of it there was when it was drained whole, in bytes.
    drained_whole: usize,
    /// What changed since the last drain.
    change: Change,
}

/// What changed of a text since the last drain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Nothing,
    /// It grew at its end.
    Grew,
    /// More than that.
    Anything,
}

impl Stream {
    fn text(&self) -> &str {
        self.row.text.value().map_or("", String::as_str)
    }

    /// What is to be stored of it: what came, so that a text costs what it is
    /// long however often it is drained. The whole each time it has doubled,
    /// which costs as much once more and makes good what a store has lost.
    fn drain(&mut self) -> Option<Command> {
        let change = std::mem::replace(&mut self.change, Change::Nothing);
        let length = self.text().len();
        let from = std::mem::replace(&mut self.drained, length);
        let append = match change {
            Change::Nothing => return None,
            Change::Grew if length < self.drained_whole.saturating_mul(2) => self.append(from),
            Change::Grew | Change::Anything => None,
        };
        if append.is_none() {
            self.drained_whole = length;
        }
        Some(append.unwrap_or_else(|| Command::PartUpsert(self.row.clone())))
    }

    /// What came behind byte `from`.
    fn append(&self, from: usize) -> Option<Command> {
        Some(Command::PartAppend(PartAppend {
            id: self.row.id.clone(),
            message_id: self.row.message_id.clone(),
            session_id: self.row.session_id.clone(),
            offset: u32::try_from(from).ok()?,
            text: self.text().get(from..)?.to_owned(),
        }))
    }

    /// The row, if it changed since the last drain.
    fn end(self) -> Option<PartRow> {
        (self.change != Change::Nothing).then_some(self.row)
    }
}

fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
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
                stream.row.merge_from(row);
                stream.length = length;
                stream.change = Change::Anything;
            }
            return None;
        }
        let stream = Stream {
            length,
            events: BTreeSet::new(),
            drained: 0,
            drained_whole: 0,
            change: Change::Anything,
            row,
        };
        let evicted = self.0.push(stream.row.id.clone(), stream);
        evicted.and_then(|(_, stream)| stream.end())
    }

    /// Adds to a held text.
    pub(crate) fn grow(&mut self, part_id: &str, delta: &str, event_id: Option<String>) {
        let Some(stream) = self.0.get_mut(part_id) else {
            return;
        };
        // An event may be delivered twice. The order of the ids tells nothing: they
        // fall where a clock is set back, and fell as they wrapped in August 2026.
        if event_id.is_some_and(|id| !stream.events.insert(hash(&id))) {
            return;
        }
        stream.length += delta.encode_utf16().count();
        if stream.change == Change::Nothing {
            stream.change = Change::Grew;
        }
        match &mut stream.row.text {
            Known::Value(text) => text.push_str(delta),
            unknown => *unknown = Known::Value(delta.to_owned()),
        }
    }

    /// Ends a text. Returns what it was if it changed since the last drain.
    pub(crate) fn close(&mut self, part_id: &str) -> Option<PartRow> {
        self.0.pop(part_id)?.end()
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

    /// From now on nothing that was drained is known to be stored: the next drain
    /// brings each text whole.
    pub(crate) fn forget_drained(&mut self) {
        for (_, stream) in &mut self.0 {
            (stream.drained, stream.drained_whole) = (0, 0);
            stream.change = Change::Anything;
        }
    }

    /// What changed since the last call.
    pub(crate) fn drain(&mut self) -> Vec<Command> {
        let streams = self.0.iter_mut();
        streams.filter_map(|(_, stream)| stream.drain()).collect()
    }
}
