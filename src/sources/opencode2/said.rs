//! What a message holds that is told in one piece: a text, and files. The rows
//! of an answer and of an event are made here, so that they are the same.

use crate::model::event::{Event, Said};
use crate::model::known::Known;
use crate::model::number::Number;
use crate::model::row::{MessageKind, MessageRow, PartRow, Role};
use crate::read::fields::Fields;
use crate::read::node::{Kind, Node};

/// A message, and what it says.
pub(super) fn message(id: &str, session_id: &str, kind: Option<MessageKind>) -> Said {
    let role = if kind.is_none() {
        Known::Value(Role::User)
    } else {
        Known::Empty
    };
    Said {
        row: MessageRow {
            id: id.to_owned(),
            session_id: session_id.to_owned(),
            kind: kind.map_or(Known::Empty, Known::Value),
            role,
            ..MessageRow::default()
        },
        parts: Vec::new(),
    }
}

/// What an answer tells in an event's place.
pub(super) fn events(said: Said) -> Vec<Event> {
    let parts = said.parts.into_iter().map(|row| Event::Part {
        row,
        retry: None,
        step: None,
    });
    let head = Event::Message {
        row: said.row,
        failure: None,
    };
    [head].into_iter().chain(parts).collect()
}

impl Said {
    /// Adds what it says, where that is told.
    pub(super) fn with_text(mut self, text: Known<String>) -> Self {
        if text.value().is_some() {
            self.parts.push(PartRow {
                text,
                ..self.part("text", 0)
            });
        }
        self
    }

    /// A part of it, the `at`th of its kind.
    pub(super) fn part(&self, kind: &str, at: usize) -> PartRow {
        PartRow {
            id: format!("{}:{kind}:{at}", self.row.id),
            message_id: self.row.id.clone(),
            session_id: self.row.session_id.clone(),
            kind: kind.into(),
            position: position(self.parts.len()),
            ..PartRow::default()
        }
    }
}

/// A place in a message.
pub(super) fn position(at: usize) -> Known<Number> {
    u32::try_from(at)
        .ok()
        .and_then(|at| Number::new(at.into()))
        .into()
}

/// What a person or OpenCode put in: the payload of an inbox item, or the
/// message that it became.
pub(super) fn put_in<N: Node>(said: Said, fields: &mut Fields<'_, N>) -> Said {
    let text = fields.string("text");
    let mut said = said.with_text(text);
    for (kind, name) in [("file", "files"), ("agent", "agents"), ("skill", "skills")] {
        if fields.lacks(name) {
            continue;
        }
        let items = fields.list(name).unwrap_or_default();
        for (at, item) in items.iter().enumerate() {
            let part = PartRow {
                data: item.json().into(),
                ..said.part(kind, at)
            };
            said.parts.push(part);
        }
    }
    fields.optional(&[("metadata", Kind::Object), ("description", Kind::String)]);
    said
}

/// A JSON object of these fields, as far as they are told.
pub(super) fn object(fields: &[(&str, Option<String>)]) -> Known<String> {
    let told = fields.iter().filter_map(|(name, value)| {
        let value = value.as_ref()?;
        Some(format!("\"{name}\":{value}"))
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() {
        return Known::Empty;
    }
    Known::Value(format!("{{{}}}", told.join(",")))
}
