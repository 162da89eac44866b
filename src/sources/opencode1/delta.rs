//! Texts that grow: by deltas (1.2 on), or told whole with a delta (1.0, 1.1).

use super::decoder::Decoder;
use super::identity::PART_ID;
use crate::model::event::{Event, PartKey};
use crate::model::rejection::Code;
use crate::read::node::Node;
use crate::sources::{Context, find, text_of};

/// The event that tells a delta.
pub(super) const DELTA: &str = "message.part.delta";

/// The short way of a delta to a text that is held. A streamed turn is mostly
/// these, so no more is read of them than what is needed and that all is there.
pub(super) fn held_delta<N: Node>(event: &N, context: &Context<'_>) -> Option<Event> {
    if !event.is_at("type", DELTA) {
        return None;
    }
    let properties = event.get("properties")?;
    let has_id = |key| properties.text_len_at(key).is_some_and(|length| length > 0);
    let is_whole = properties.is_at("field", "text") && has_id("messageID") && has_id("sessionID");
    if !is_whole {
        return None;
    }
    let part_id = properties.text_at("partID")?;
    (context.held)(&part_id)?;
    let delta = properties.text_at("delta")?;
    Some(Event::Grew {
        part_id,
        delta,
        event_id: text_of(event, "id"),
    })
}

impl<N: Node> Decoder<'_, N> {
    /// What came to a part's text, where the event carries the whole text and
    /// the held one is all of it but this (releases 1.0 and 1.1). The text
    /// itself is not read: a message costs what it is long, once.
    pub(super) fn grown(&self, part: &N, key: &PartKey) -> Option<String> {
        let added = self.properties.text_len_at("delta")?;
        let held = (self.context.held)(&key.part_id)?;
        let time = part.get("time");
        let ended = time.is_some_and(|time| time.kind_at("end").is_some());
        let whole = part.text_len_at("text")?;
        if ended || added.checked_add(held) != Some(whole) {
            return None;
        }
        self.properties.text_at("delta")
    }

    pub(super) fn delta(&self) -> Option<Event> {
        let key = self.part_key(
            find(&self.properties, PART_ID),
            &self.properties,
            "properties",
        )?;
        let text = |key| self.properties.text_at(key);
        match (text("field").as_deref(), text("delta")) {
            (Some("text"), Some(_)) if (self.context.held)(&key.part_id).is_none() => {
                Some(Event::Missed(key))
            }
            (Some("text"), Some(delta)) => Some(Event::Grew {
                part_id: key.part_id,
                delta,
                event_id: self.event_id(),
            }),
            (Some("text") | None, _) => {
                let mut fields = self.fields();
                fields.string("field");
                fields.string("delta");
                None
            }
            (Some(_), _) => {
                self.fields()
                    .refuse(Code::WrongType, "field", "`text`", "another word");
                None
            }
        }
    }
}
