//! What a person was asked and answered, in both spellings: `permission.updated`
//! up to 1.0.223, `permission.asked` from 1.0.224 on, `permission.replied`.

use crate::model::known::Known;
use crate::model::number::Number;
use crate::model::row::{PermissionRow, Reply};
use crate::read::fields::Fields;
use crate::read::node::{Kind, Node};

/// `permission.asked`: no time in it, so it was asked `now`.
pub(crate) fn asked<N: Node>(
    id: String,
    mut asked: Fields<'_, N>,
    now: Known<Number>,
) -> PermissionRow {
    let mut row = PermissionRow {
        id,
        session_id: asked.string("sessionID"),
        permission: asked.string("permission"),
        patterns: asked.json("patterns", Kind::Array),
        asked_at: now,
        ..PermissionRow::default()
    };
    if let Some(mut tool) = asked.maybe_object("tool") {
        row.message_id = tool.string("messageID");
        row.call_id = tool.string("callID");
        tool.finish();
    }
    asked.optional(&[
        ("id", Kind::String),
        ("metadata", Kind::Object),
        ("always", Kind::Array),
    ]);
    asked.finish();
    row
}

/// `permission.updated`, which said when it was asked.
pub(crate) fn updated<N: Node>(
    id: String,
    mut updated: Fields<'_, N>,
    now: Known<Number>,
) -> PermissionRow {
    let patterns = match updated.node().get("pattern") {
        Some(pattern) if pattern.kind() == Kind::String => {
            pattern.json().map(|pattern| format!("[{pattern}]"))
        }
        Some(_) => updated.json("pattern", Kind::Array).value().cloned(),
        None => None,
    };
    updated.skip(&["pattern"]);
    let mut row = PermissionRow {
        id,
        session_id: updated.string("sessionID"),
        message_id: updated.string("messageID"),
        call_id: updated.maybe_string("callID"),
        permission: updated.string("type"),
        patterns: patterns.into(),
        asked_at: now,
        ..PermissionRow::default()
    };
    if let Some(mut time) = updated.object("time") {
        row.asked_at = time.number("created").or(row.asked_at);
        time.finish();
    }
    updated.optional(&[
        ("id", Kind::String),
        ("title", Kind::String),
        ("metadata", Kind::Object),
    ]);
    updated.finish();
    row
}

/// `permission.replied`: it has no time either.
pub(crate) fn replied<N: Node>(
    id: String,
    mut replied: Fields<'_, N>,
    now: Known<Number>,
) -> PermissionRow {
    let spelling = if replied.node().kind_at("reply").is_some() {
        "reply"
    } else {
        "response"
    };
    let row = PermissionRow {
        id,
        session_id: replied.string("sessionID"),
        reply: replied.word(spelling, Reply::EXPECTED, Reply::parse),
        replied_at: now,
        ..PermissionRow::default()
    };
    replied.optional(&[("requestID", Kind::String), ("permissionID", Kind::String)]);
    replied.finish();
    row
}
