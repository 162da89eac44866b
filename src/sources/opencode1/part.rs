//! What a part is: the `part` of `message.part.updated`, but for tool calls.

use super::error;
use crate::model::event::{PartKey, Retry};
use crate::model::known::Known;
use crate::model::row::{PartRow, UsageRow};
use crate::read::fields::Fields;
use crate::read::node::{Kind, Node};
use crate::sources::tokens::Tokens;

/// The part types that known releases send, besides `tool`.
const TYPES: &[&str] = &[
    "text",
    "reasoning",
    "file",
    "patch",
    "agent",
    "subtask",
    "snapshot",
    "step-start",
    "step-finish",
    "compaction",
    "retry",
];
const EXPECTED: &str = "a part type of a known release";

/// What columns hold already; everything else is the part's `data`.
const IN_COLUMNS: &[&str] = &["id", "messageID", "sessionID", "type", "synthetic"];

/// What a part is, and what it tells beside.
pub(crate) struct Part {
    pub(crate) row: PartRow,
    /// A retry (1.0).
    pub(crate) retry: Option<Retry>,
    /// The step that ended with it.
    pub(crate) step: Option<UsageRow>,
}

/// Reads a part.
pub(crate) fn part<N: Node>(key: PartKey, mut part: Fields<'_, N>) -> Part {
    let mut row = PartRow {
        id: key.part_id,
        message_id: key.message_id,
        session_id: key.session_id,
        kind: part.string("type"),
        ..PartRow::default()
    };
    part.optional(&[
        ("id", Kind::String),
        ("messageID", Kind::String),
        ("sessionID", Kind::String),
        ("metadata", Kind::Object),
    ]);
    let mut in_columns = IN_COLUMNS.to_vec();
    let (mut told, mut step) = (None, None);
    match row.kind.value().map(String::as_str) {
        Some("text" | "reasoning") => {
            text(&mut row, &mut part);
            in_columns.extend(["text", "time", "ignored"]);
        }
        Some("file") => {
            part.required(&[("mime", Kind::String), ("url", Kind::String)]);
            part.optional(&[("filename", Kind::String), ("source", Kind::Object)]);
        }
        Some("patch") => part.required(&[("hash", Kind::String), ("files", Kind::Array)]),
        Some("agent") => {
            part.required(&[("name", Kind::String)]);
            part.optional(&[("source", Kind::Object)]);
        }
        Some("subtask") => {
            part.required(&[
                ("agent", Kind::String),
                ("description", Kind::String),
                ("prompt", Kind::String),
            ]);
            part.optional(&[("command", Kind::String), ("model", Kind::Object)]);
        }
        Some("snapshot" | "step-start") => {
            part.optional(&[("snapshot", Kind::String)]);
            time_of_step(&mut part);
            // Kilo's answers leave it out; the step's end has it, too.
            in_columns.push("time");
        }
        Some("step-finish") => step = Some(step_finish(&row, &mut part)),
        Some("compaction") => {
            part.required(&[("auto", Kind::Boolean)]);
            part.optional(&[("overflow", Kind::Boolean), ("tail_start_id", Kind::String)]);
        }
        Some("retry") => told = Some(retry(&mut part)),
        _ => {}
    }
    row.data = data(part.node(), &in_columns);
    if part.finish() && row.text.value().is_some() {
        // A part comes whole.
        if part.lacks("synthetic") {
            row.synthetic = Known::Empty;
        }
        if part.lacks("ignored") {
            row.ignored = Known::Empty;
        }
    }
    let retry = told;
    Part { row, retry, step }
}

/// Notes that a part's type is new, where it is.
pub(crate) fn check_type<N: Node>(part: &Fields<'_, N>, kind: &str) {
    if !TYPES.contains(&kind) {
        part.refuse(
            crate::model::rejection::Code::WrongType,
            "type",
            EXPECTED,
            "another word",
        );
    }
}

fn text<N: Node>(row: &mut PartRow, part: &mut Fields<'_, N>) {
    row.text = part.string("text");
    row.synthetic = part.maybe_boolean("synthetic");
    row.ignored = part.maybe_boolean("ignored");
    if let Some(mut time) = part.maybe_object("time") {
        row.started_at = time.number("start");
        // With a start and no end it is still being written.
        row.ended_at = time.maybe_number("end").or_empty();
        time.finish();
    }
}

fn step_finish<N: Node>(row: &PartRow, part: &mut Fields<'_, N>) -> UsageRow {
    part.required(&[("reason", Kind::String)]);
    part.optional(&[
        ("snapshot", Kind::String),
        // Kilo's, as are the three that follow.
        ("generationID", Kind::String),
        ("vercelID", Kind::String),
    ]);
    time_of_step(part);
    if let Some(mut metrics) = part.maybe_object("metrics") {
        metrics.optional(&[
            ("prompt", Kind::Number),
            ("generation", Kind::Number),
            ("source", Kind::String),
        ]);
        metrics.finish();
    }
    let (mut model, mut provider) = (Known::Unknown, Known::Unknown);
    if let Some(mut names) = part.maybe_object("model") {
        model = names.string("modelID");
        provider = names.string("providerID");
        names.finish();
    }
    let cost = part.number("cost");
    let tokens = part.object("tokens").map(Tokens::read).unwrap_or_default();
    UsageRow {
        id: row.id.clone(),
        message_id: row.message_id.clone(),
        session_id: row.session_id.clone(),
        model,
        provider,
        prompt_tokens: tokens.input,
        completion_tokens: tokens.output,
        reasoning_tokens: tokens.reasoning,
        cache_read_tokens: tokens.cache_read,
        cache_write_tokens: tokens.cache_write,
        cost,
    }
}

/// When a step began, and how long it took, as Kilo tells it.
fn time_of_step<N: Node>(part: &mut Fields<'_, N>) {
    if let Some(mut time) = part.maybe_object("time") {
        time.optional(&[
            ("start", Kind::Number),
            ("end", Kind::Number),
            ("elapsed", Kind::Number),
        ]);
        time.finish();
    }
}

/// How release 1.0 tells of a retry; later ones do it by `session.status`.
fn retry<N: Node>(part: &mut Fields<'_, N>) -> Retry {
    let mut retry = Retry {
        attempt: part.number("attempt"),
        ..Retry::default()
    };
    if let Some(error) = part.object("error") {
        retry.failure = error::failure(error);
    }
    if let Some(mut time) = part.object("time") {
        retry.at = time.number("created");
        time.finish();
    }
    retry
}

/// The fields that no column holds, as a JSON object.
fn data<N: Node>(part: &N, in_columns: &[&str]) -> Known<String> {
    let mut text = String::new();
    for key in part.keys() {
        if in_columns.contains(&key.as_str()) {
            continue;
        }
        let value = part.get_named(&key).and_then(|value| value.json());
        if let (Some(value), Ok(key)) = (value, serde_json::to_string(&key)) {
            text.push(if text.is_empty() { '{' } else { ',' });
            text.push_str(&key);
            text.push(':');
            text.push_str(&value);
        }
    }
    if text.is_empty() {
        return Known::Empty;
    }
    text.push('}');
    Known::Value(text)
}
