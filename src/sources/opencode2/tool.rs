//! Tool calls: `session.tool.*`, and a tool in a message's content.

use crate::model::known::Known;
use crate::model::number::Number;
use crate::model::row::{ToolCallRow, ToolStatus};
use crate::read::fields::Fields;
use crate::read::node::{Kind, Node};

/// A call's id, which is unique in its message.
pub(super) fn id(message_id: &str, call_id: &str) -> String {
    format!("{message_id}:tool:{call_id}")
}

/// `session.tool.input.started`.
pub(super) fn input_started<N: Node>(row: ToolCallRow, tool: &mut Fields<'_, N>) -> ToolCallRow {
    ToolCallRow {
        tool: tool.string("name"),
        status: Known::Value(ToolStatus::Pending),
        ..row
    }
}

/// `session.tool.called`.
pub(super) fn called<N: Node>(
    row: ToolCallRow,
    tool: &mut Fields<'_, N>,
    at: Known<Number>,
) -> ToolCallRow {
    let mut row = ToolCallRow {
        status: Known::Value(ToolStatus::Running),
        started_at: at,
        ..row
    };
    input(&mut row, tool);
    rest(tool);
    row
}

/// `session.tool.progress`.
pub(super) fn progress<N: Node>(mut row: ToolCallRow, tool: &mut Fields<'_, N>) -> ToolCallRow {
    metadata(&mut row, tool);
    rest(tool);
    row
}

/// `session.tool.success`.
pub(super) fn succeeded<N: Node>(
    row: ToolCallRow,
    tool: &mut Fields<'_, N>,
    at: Known<Number>,
) -> ToolCallRow {
    let mut row = ToolCallRow {
        status: Known::Value(ToolStatus::Completed),
        output: output(tool.list("content")).or_empty(),
        error: Known::Empty,
        ended_at: at,
        ..row
    };
    metadata(&mut row, tool);
    rest(tool);
    row
}

/// `session.tool.failed`.
pub(super) fn failed<N: Node>(
    row: ToolCallRow,
    tool: &mut Fields<'_, N>,
    at: Known<Number>,
) -> ToolCallRow {
    let mut row = ToolCallRow {
        status: Known::Value(ToolStatus::Error),
        error: error(tool),
        output: maybe_output(tool),
        ended_at: at,
        ..row
    };
    metadata(&mut row, tool);
    rest(tool);
    row
}

/// What a message's content holds of a call.
pub(super) fn content<N: Node>(row: ToolCallRow, tool: &mut Fields<'_, N>) -> ToolCallRow {
    let mut row = ToolCallRow {
        tool: tool.string("name"),
        ..row
    };
    if let Some(mut state) = tool.object("state") {
        row.status = state.word("status", EXPECTED, status);
        let is_error = row.status.value() == Some(&ToolStatus::Error);
        match row.status.value() {
            Some(ToolStatus::Completed | ToolStatus::Error) => {
                input(&mut row, &mut state);
                row.error = if is_error {
                    error(&mut state)
                } else {
                    Known::Empty
                };
                row.output = maybe_output(&mut state);
            }
            Some(ToolStatus::Running) => {
                input(&mut row, &mut state);
                state.optional(&[("content", Kind::Array)]);
            }
            // What the model writes of the arguments, or what is not known.
            _ => state.skip(&["input", "content", "error"]),
        }
        metadata(&mut row, &mut state);
        rest(&mut state);
        state.finish();
    }
    if let Some(mut time) = tool.object("time") {
        row.started_at = time.maybe_number("ran");
        row.ended_at = time.maybe_number("completed");
        time.optional(&[("created", Kind::Number), ("pruned", Kind::Number)]);
        time.finish();
    }
    if let (Some(&started), Some(&ended)) = (row.started_at.value(), row.ended_at.value()) {
        row.duration_ms = Known::Value(ended - started);
    }
    rest(tool);
    row
}

const EXPECTED: &str = "one of `streaming` `running` `completed` `error`";

fn status(word: &str) -> Option<ToolStatus> {
    match word {
        "streaming" | "pending" => Some(ToolStatus::Pending),
        word => ToolStatus::parse(word),
    }
}

fn input<N: Node>(row: &mut ToolCallRow, fields: &mut Fields<'_, N>) {
    row.input = fields.json("input", Kind::Object);
    // A search names the folder where it begins.
    let input = fields.node().get("input");
    let input = input.filter(|input| input.kind_at("pattern").is_none());
    row.file_path = input
        .and_then(|input| input.text_at("path").or_else(|| input.text_at("filePath")))
        .into();
}

/// What a tool says of itself differs by tool, so only its type is checked.
fn metadata<N: Node>(row: &mut ToolCallRow, fields: &mut Fields<'_, N>) {
    let Some(metadata) = fields.maybe_object("metadata") else {
        return;
    };
    let metadata = metadata.node();
    row.exit_code = metadata.number_at("exit").and_then(Number::new).into();
    let child = metadata.text_at("sessionID");
    row.child_session_id = child.or_else(|| metadata.text_at("sessionId")).into();
}

fn error<N: Node>(fields: &mut Fields<'_, N>) -> Known<String> {
    let error = fields.object("error").map(super::error::failure);
    error.map_or(Known::Unknown, |error| error.message)
}

fn maybe_output<N: Node>(fields: &mut Fields<'_, N>) -> Known<String> {
    if fields.lacks("content") {
        return Known::Empty;
    }
    output(fields.list("content")).or_empty()
}

/// The texts of what it returned, a line feed between them. Files are not kept.
fn output<N: Node>(items: Option<Vec<N>>) -> Known<String> {
    let items = items.unwrap_or_default();
    let texts = items.iter().filter_map(|item| item.text_at("text"));
    let texts: Vec<String> = texts.collect();
    if texts.is_empty() {
        return Known::Unknown;
    }
    Known::Value(texts.join("\n"))
}

fn rest<N: Node>(fields: &mut Fields<'_, N>) {
    fields.optional(&[
        ("executed", Kind::Boolean),
        ("providerState", Kind::Object),
        ("providerResultState", Kind::Object),
    ]);
    fields.skip(&["result", "structured", "provider"]);
}
