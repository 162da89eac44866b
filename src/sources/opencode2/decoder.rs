//! An event that is being read, and what is at hand while it is: its own id and
//! time, and the ids in it. What it says is read in `decode`, `content` and `turn`.

use crate::model::known::Known;
use crate::model::number::Number;
use crate::model::rejection::Code;
use crate::model::row::MessageRow;
use crate::read::fields::{Fields, Issues};
use crate::read::node::{Kind, Node};
use crate::sources::{Context, find};

/// What the event says beside its data.
pub(super) struct Decoder<'d> {
    pub(super) event_id: Option<String>,
    pub(super) at: Known<Number>,
    pub(super) number: Option<Number>,
    pub(super) context: &'d Context<'d>,
    pub(super) issues: &'d Issues,
}

impl Decoder<'_> {
    /// When a message was made, and its place in the session.
    pub(super) fn place(&self, row: &mut MessageRow) {
        row.created_at = self.at.clone();
        row.position = self.number.into();
    }

    /// The id of the message that the event itself makes.
    pub(super) fn own_message<N: Node>(&self, fields: &Fields<'_, N>) -> Option<String> {
        let id = self.event_id.as_ref();
        if id.is_none() {
            missing(fields, "id");
        }
        Some(id?.replacen("evt_", "msg_", 1))
    }
}

/// The first of these that holds an id.
pub(super) fn id_of<N: Node>(fields: &mut Fields<'_, N>, keys: &[&'static str]) -> Option<String> {
    fields.skip(keys);
    find(fields.node(), keys)
}

/// The same, noted where there is none.
pub(super) fn identity<N: Node>(
    fields: &mut Fields<'_, N>,
    keys: &[&'static str],
) -> Option<String> {
    let id = id_of(fields, keys);
    if let (None, Some(key)) = (&id, keys.first()) {
        missing(fields, key);
    }
    id
}

/// Notes that the id `key` is not there, so that nothing can be made of the event.
pub(super) fn missing<N: Node>(fields: &Fields<'_, N>, key: &'static str) {
    let found = fields.node().kind_at(key).map_or("nothing", Kind::name);
    fields.refuse(Code::MissingIdentity, key, "string", found);
}
