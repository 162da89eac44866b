//! What a person was asked and answered.

use crate::model::known::Known;
use crate::model::number::Number;
use crate::model::row::{PermissionRow, Reply};
use crate::read::fields::Fields;
use crate::read::node::{Kind, Node};

/// `permission.asked`.
pub(super) fn asked<N: Node>(
    id: String,
    mut asked: Fields<'_, N>,
    at: Known<Number>,
) -> PermissionRow {
    let mut row = PermissionRow {
        id,
        session_id: asked.string("sessionID"),
        permission: asked.string("action"),
        patterns: asked.json("resources", Kind::Array),
        asked_at: at,
        ..PermissionRow::default()
    };
    if let Some(mut source) = asked.maybe_object("source") {
        row.message_id = source.maybe_string("messageID");
        row.call_id = source.maybe_string("id");
        source.optional(&[("type", Kind::String)]);
        source.finish();
    }
    asked.optional(&[
        ("id", Kind::String),
        ("save", Kind::Array),
        ("metadata", Kind::Object),
        ("message", Kind::String),
    ]);
    asked.finish();
    row
}

/// `permission.replied`.
pub(super) fn replied<N: Node>(
    id: String,
    mut replied: Fields<'_, N>,
    at: Known<Number>,
) -> PermissionRow {
    let row = PermissionRow {
        id,
        session_id: replied.string("sessionID"),
        reply: replied.word("reply", Reply::EXPECTED, Reply::parse),
        replied_at: at,
        ..PermissionRow::default()
    };
    replied.optional(&[
        ("id", Kind::String),
        ("requestID", Kind::String),
        ("message", Kind::String),
    ]);
    replied.finish();
    row
}
