//! What a message is: the `info` of `message.updated`.

use super::error;
use crate::model::event::Failure;
use crate::model::known::Known;
use crate::model::row::{MessageKind, MessageRow, Role};
use crate::read::fields::Fields;
use crate::read::node::{Kind, Node};
use crate::sources::tokens::Tokens;

/// A message's `info`, whole in all releases.
pub(crate) fn info<N: Node>(
    id: String,
    session_id: String,
    mut info: Fields<'_, N>,
) -> (MessageRow, Option<Failure>) {
    let role = info.word("role", Role::EXPECTED, Role::parse);
    let mut row = MessageRow {
        id,
        session_id,
        role,
        ..MessageRow::default()
    };
    if let Some(mut time) = info.object("time") {
        row.created_at = time.number("created");
        row.completed_at = time.maybe_number("completed");
        time.finish();
    }
    info.optional(&[("id", Kind::String), ("sessionID", Kind::String)]);
    let failure = match row.role.value() {
        Some(Role::User) => {
            user(&mut row, &mut info);
            None
        }
        _ => assistant(&mut row, &mut info),
    };
    let is_plain = info.finish();
    if is_plain && row.role.value() != Some(&Role::User) && row.created_at.value().is_some() {
        clear(&mut row, &info);
    }
    (row, failure)
}

/// An answer comes whole: what it does not have, it has not got.
fn clear<N: Node>(row: &mut MessageRow, info: &Fields<'_, N>) {
    if info.lacks("summary") {
        row.kind = Known::Empty;
    }
    if info.lacks("finish") {
        row.finish_reason = Known::Empty;
    }
    if info.lacks("error") {
        row.error_name = Known::Empty;
        row.error_message = Known::Empty;
    }
}

fn user<N: Node>(row: &mut MessageRow, info: &mut Fields<'_, N>) {
    row.agent = info.maybe_string("agent");
    if let Some(mut model) = info.maybe_object("model") {
        row.model = model.string("modelID");
        row.provider = model.string("providerID");
        model.optional(&[("variant", Kind::String)]);
        model.finish();
    }
    info.optional(&[
        ("format", Kind::Object),
        ("metadata", Kind::Object),
        ("summary", Kind::Object),
        ("system", Kind::String),
        ("tools", Kind::Object),
        ("variant", Kind::String),
    ]);
}

fn assistant<N: Node>(row: &mut MessageRow, info: &mut Fields<'_, N>) -> Option<Failure> {
    row.parent_id = info.string("parentID");
    row.model = info.string("modelID");
    row.provider = info.string("providerID");
    row.kind = match info.maybe_boolean("summary") {
        Known::Value(true) => Known::Value(MessageKind::Compaction),
        Known::Value(false) | Known::Empty => Known::Empty,
        Known::Unknown => Known::Unknown,
    };
    let mode = info.maybe_string("mode");
    row.agent = info.maybe_string("agent").or(mode);
    row.cost = info.number("cost");
    row.finish_reason = info.maybe_string("finish");
    if let Some(tokens) = info.object("tokens") {
        Tokens::read(tokens).of_message(row);
    }
    let failure = info.maybe_object("error").map(error::failure);
    let (name, message) = match &failure {
        Some(failure) => (failure.name.clone(), failure.message.clone()),
        None => (Known::Unknown, Known::Unknown),
    };
    row.error_name = name;
    row.error_message = message;
    if let (Some(&created), completed) = (row.created_at.value(), &mut row.completed_at) {
        // Without a completion it is still being written.
        *completed = std::mem::take(completed).or_empty();
        row.duration_ms = match completed.value() {
            Some(&completed) => Known::Value(completed - created),
            None => Known::Empty,
        };
    }
    info.optional(&[
        ("path", Kind::Object),
        ("system", Kind::Array),
        ("variant", Kind::String),
    ]);
    info.skip(&["structured"]);
    failure
}
