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

/// Reads `{ type, payload, delivery }`: what message it is to become, if any.
pub(super) fn item<N: Node>(id: &str, session_id: &str, mut item: Fields<'_, N>) -> Option<Said> {
    item.optional(&[("delivery", Kind::String)]);
    let kind = item.string("type");
    let kind = match kind.value().map(String::as_str) {
        Some("user") => None,
        Some("synthetic") => Some(MessageKind::Synthetic),
        // What they do is told by events of their own.
        Some("compaction" | "move") => {
            item.optional(&[("payload", Kind::Object)]);
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
    let said = item.object("payload").map(|mut payload| {
        let said = said::put_in(said::message(id, session_id, kind), &mut payload);
        payload.finish();
        said
    });
    item.finish();
    said
}
