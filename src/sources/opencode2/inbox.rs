//! What waits to be said: a person's prompt, a note of OpenCode's own. It is
//! no message before it is delivered.

use super::said;
use crate::model::event::Said;
use crate::model::rejection::Code;
use crate::model::row::MessageKind;
use crate::read::fields::Fields;
use crate::read::node::{Kind, Node};

/// The kinds of item that known releases send.
const EXPECTED: &str = "one of `user` `synthetic` `compaction` `move`";

/// Reads what an event puts in: `{ item }`, which the betas of 2.0 call `input`.
/// The earliest of them had but one kind, `{ prompt, delivery }`.
pub(super) fn enqueued<N: Node>(
    id: &str,
    session_id: &str,
    fields: &mut Fields<'_, N>,
) -> Option<Said> {
    fields.optional(&[("delivery", Kind::String)]);
    if let Some(prompt) = fields.maybe_object("prompt") {
        return Some(said_by(id, session_id, None, prompt));
    }
    let name = named(fields, "item", "input");
    item(id, session_id, fields.object(name)?)
}

/// What a field is called here: by its name, or by the one that the betas had.
fn named<N: Node>(
    fields: &Fields<'_, N>,
    name: &'static str,
    earlier: &'static str,
) -> &'static str {
    if fields.lacks(name) && !fields.lacks(earlier) {
        earlier
    } else {
        name
    }
}

fn said_by<N: Node>(
    id: &str,
    session_id: &str,
    kind: Option<MessageKind>,
    mut payload: Fields<'_, N>,
) -> Said {
    let said = said::put_in(said::message(id, session_id, kind), &mut payload);
    payload.finish();
    said
}

/// Reads `{ type, payload, delivery }`: what message it is to become, if any.
fn item<N: Node>(id: &str, session_id: &str, mut item: Fields<'_, N>) -> Option<Said> {
    item.optional(&[("delivery", Kind::String)]);
    let kind = item.string("type");
    let kind = match kind.value().map(String::as_str) {
        Some("user") => None,
        Some("synthetic") => Some(MessageKind::Synthetic),
        // What they do is told by events of their own.
        Some("compaction" | "move") => {
            item.optional(&[("payload", Kind::Object), ("data", Kind::Object)]);
            item.finish();
            return None;
        }
        other => {
            if other.is_some() {
                item.refuse(Code::WrongType, "type", EXPECTED, "another word");
            }
            // What has a text is taken for what it says, by whomever.
            Some(MessageKind::Synthetic)
        }
    };
    let payload = named(&item, "payload", "data");
    let said = item
        .object(payload)
        .map(|payload| said_by(id, session_id, kind, payload));
    item.finish();
    said
}
