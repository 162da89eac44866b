//! What a tool call is: a `part` of type `tool`.

use crate::model::event::PartKey;
use crate::model::known::Known;
use crate::model::row::{ToolCallRow, ToolStatus};
use crate::read::fields::{Fields, Need};
use crate::read::node::{Kind, Node};

/// Reads a tool call, in whatever state it is.
pub(crate) fn call<N: Node>(key: PartKey, mut part: Fields<'_, N>) -> ToolCallRow {
    let mut row = ToolCallRow {
        id: key.part_id,
        message_id: key.message_id,
        session_id: key.session_id,
        call_id: part.string("callID"),
        tool: part.string("tool"),
        ..ToolCallRow::default()
    };
    part.optional(&[
        ("id", Kind::String),
        ("messageID", Kind::String),
        ("sessionID", Kind::String),
        ("type", Kind::String),
        ("metadata", Kind::Object),
    ]);
    if let Some(state) = part.object("state") {
        read_state(&mut row, state);
    }
    part.finish();
    row
}

fn read_state<N: Node>(row: &mut ToolCallRow, mut state: Fields<'_, N>) {
    row.status = state.word("status", ToolStatus::EXPECTED, ToolStatus::parse);
    let status = row.status.value().copied();
    let completed = Need::when(status == Some(ToolStatus::Completed));
    let failed = Need::when(status == Some(ToolStatus::Error));
    let ended = Need::when(status >= Some(ToolStatus::Completed));
    row.title = state.string_if("title", completed);
    row.input = state.json("input", Kind::Object);
    row.output = state.string_if("output", completed);
    row.error = state.string_if("error", failed);
    if let Some(input) = state.node().get("input") {
        row.file_path = input.text_at("filePath").into();
    }
    // What a tool says of itself differs by tool, so only its type is checked.
    if let Some(metadata) = state.maybe_object("metadata") {
        let metadata = metadata.node();
        row.exit_code = metadata
            .number_at("exit")
            .and_then(crate::model::number::Number::new)
            .into();
        row.child_session_id = metadata.text_at("sessionId").into();
        if row.file_path.is_unknown() {
            row.file_path = metadata.text_at("filepath").into();
        }
    }
    if let Some(mut time) = state.object_if("time", ended) {
        row.started_at = time.number("start");
        row.ended_at = time.number_if("end", ended);
        time.optional(&[("compacted", Kind::Number)]);
        time.finish();
    }
    if let (Some(&start), Some(&end)) = (row.started_at.value(), row.ended_at.value()) {
        row.duration_ms = Known::Value(end - start);
    }
    state.optional(&[("raw", Kind::String), ("attachments", Kind::Array)]);
    if state.finish() && ended == Need::Always {
        // It ended: what such a state need not have, and has not, there is not.
        let optional = [
            ("title", completed, &mut row.title),
            ("output", completed, &mut row.output),
            ("error", failed, &mut row.error),
        ];
        for (key, need, field) in optional {
            if need == Need::Sometimes && state.lacks(key) {
                *field = Known::Empty;
            }
        }
    }
}
