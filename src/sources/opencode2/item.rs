//! Texts and reasoning, whose place among their kind is told: `session.text.*`
//! and `session.reasoning.*`.

use super::said;
use crate::model::event::PartKey;
use crate::model::known::Known;
use crate::model::number::Number;
use crate::model::row::PartRow;
use crate::read::fields::Fields;
use crate::read::node::{Kind, Node};

/// The row of an item that begins.
pub(super) fn started<N: Node>(
    key: PartKey,
    kind: &str,
    item: &mut Fields<'_, N>,
    at: Known<Number>,
) -> PartRow {
    item.optional(&[("state", Kind::Object)]);
    PartRow {
        text: "".into(),
        started_at: at,
        ended_at: Known::Empty,
        ..row(key, kind)
    }
}

/// The row of an item that ends.
pub(super) fn ended<N: Node>(
    key: PartKey,
    kind: &str,
    item: &mut Fields<'_, N>,
    at: Known<Number>,
) -> PartRow {
    let mut row = PartRow {
        text: item.string("text"),
        ended_at: at,
        ..row(key, kind)
    };
    state(&mut row, item);
    row
}

/// What the provider wants to have again.
pub(super) fn state<N: Node>(row: &mut PartRow, item: &mut Fields<'_, N>) {
    item.optional(&[("state", Kind::Object)]);
    row.data = said::object(&[("state", item.node().json_at("state"))]);
}

/// The row itself.
pub(super) fn row(key: PartKey, kind: &str) -> PartRow {
    PartRow {
        id: key.part_id,
        message_id: key.message_id,
        session_id: key.session_id,
        kind: kind.into(),
        ..PartRow::default()
    }
}

/// The id of the `ordinal`th item of its kind.
pub(super) fn id(message_id: &str, kind: &str, ordinal: f64) -> String {
    format!("{message_id}:{kind}:{ordinal}")
}
