//! Messages that are neither a person's nor the model's: compactions, commands
//! that a person ran, notes and skills.

use super::{error, said, session, step};
use crate::model::event::{Failure, Said};
use crate::model::known::Known;
use crate::model::row::MessageKind;
use crate::read::fields::{Fields, Need};
use crate::read::node::{Kind, Node};
use crate::sources::tokens::Tokens;

/// What a compaction came to: its summary and its cost, or why it failed.
pub(super) fn compaction<N: Node>(
    mut said: Said,
    fields: &mut Fields<'_, N>,
    text: &'static str,
    need: Need,
) -> (Said, Option<Failure>) {
    let failure = fields.maybe_object("error").map(error::failure);
    let row = &mut said.row;
    let (name, message) = match &failure {
        Some(failure) => (failure.name.clone(), failure.message.clone()),
        None => (Known::Empty, Known::Empty),
    };
    (row.error_name, row.error_message) = (name, message);
    if let Some(names) = fields.maybe_object("model").map(session::model) {
        (row.model, row.provider) = names;
    }
    row.cost = fields.maybe_number("cost");
    step::tokens(row, fields.maybe_object("tokens").map(Tokens::read));
    fields.optional(&[
        ("reason", Kind::String),
        ("recent", Kind::String),
        ("inputID", Kind::String),
        ("status", Kind::String),
        ("providerContext", Kind::Object),
    ]);
    let need = Need::when(need == Need::Always && failure.is_none());
    let mut text = fields.string_if(text, need);
    // Until it ends an answer has an empty one in its place, which nobody has said
    // and which goes again where it fails.
    let is_running = fields.node().is_at("status", "running");
    if is_running && text.value().is_some_and(String::is_empty) {
        text = Known::Unknown;
    }
    (said.with_text(text), failure)
}

/// A command that a person ran: what they typed, and what came of it. An event
/// has the command's process in `shell`, an answer has it flat.
pub(super) fn shell<N: Node>(
    said: Said,
    shell: &mut Fields<'_, N>,
    id: &'static str,
    output: Known<String>,
) -> Said {
    let command = shell.string("command");
    let data = [id, "status", "exit"].map(|key| shell.node().json_at(key));
    let [shell_id, status, exit] = data;
    shell.optional(&[
        (id, Kind::String),
        ("status", Kind::String),
        ("exit", Kind::Number),
        ("cwd", Kind::String),
        ("shell", Kind::String),
        ("file", Kind::String),
        ("pid", Kind::Number),
        ("metadata", Kind::Object),
    ]);
    let mut said = said.with_text(command);
    let mut part = said.part("shell", 0);
    part.text = output;
    part.data = said::object(&[("shellID", shell_id), ("status", status), ("exit", exit)]);
    said.parts.push(part);
    said
}

/// What a command printed, `{ output, truncated, … }`.
pub(super) fn output<N: Node>(fields: &mut Fields<'_, N>) -> Known<String> {
    let Some(mut output) = fields.maybe_object("output") else {
        return Known::Unknown;
    };
    let text = output.string("output");
    output.optional(&[
        ("cursor", Kind::Number),
        ("size", Kind::Number),
        ("truncated", Kind::Boolean),
    ]);
    output.finish();
    text
}

/// A note or a skill: a text, and what else is told of it.
pub(super) fn note<N: Node>(
    id: &str,
    session_id: &str,
    kind: MessageKind,
    fields: &mut Fields<'_, N>,
) -> Said {
    let said = said::message(id, session_id, Some(kind));
    let text = fields.string("text");
    fields.optional(&[
        ("description", Kind::String),
        ("metadata", Kind::Object),
        ("name", Kind::String),
        ("delta", Kind::Object),
        // What names a skill.
        ("id", Kind::String),
        ("skill", Kind::String),
    ]);
    said.with_text(text)
}
