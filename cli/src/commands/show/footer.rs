//! What stands below the messages: failures that belong to none of them, the
//! to-do list, and how much is hidden.

use super::transcript::{Hidden, Transcript};
use crate::error::Result;
use crate::output::{Out, counted, one_line};
use crate::store::Row;

/// Writes them, each after an empty line; nothing of one that is empty.
pub(super) fn write(transcript: &Transcript, out: &mut Out) -> Result<()> {
    let failures: Vec<&Row> = transcript
        .errors
        .iter()
        .filter(|error| !is_shown_above(error))
        .collect();
    if !failures.is_empty() {
        out.line("")?;
    }
    for failure in failures {
        let line = out.red(&failure_line(failure));
        out.line(&line)?;
    }
    if !transcript.todos.is_empty() {
        out.line("")?;
    }
    for todo in &transcript.todos {
        out.line(&todo_line(todo))?;
    }
    if let Some(note) = hidden_note(transcript.hidden) {
        out.line("")?;
        out.remark(&note)?;
    }
    Ok(())
}

/// What is said of it; nothing where nothing is hidden.
fn hidden_note(hidden: Hidden) -> Option<String> {
    if hidden.session {
        return Some("OpenCode does not have this session any more: --missing shows it".to_owned());
    }
    let counts = [(hidden.messages, "message"), (hidden.parts, "part")];
    let some = counts.into_iter().filter(|(count, _)| *count > 0);
    let some: Vec<String> = some.map(|(count, thing)| counted(count, thing)).collect();
    if some.is_empty() {
        return None;
    }
    let what = some.join(" and ");
    Some(format!(
        "not shown: {what} that OpenCode does not have any more; --missing shows all"
    ))
}

/// Whether it stands with its message. A retry is of a message too, but the
/// message itself does not mention it.
fn is_shown_above(error: &Row) -> bool {
    error.text("message_id").is_some() && error.int("attempt").is_none()
}

fn failure_line(error: &Row) -> String {
    let name = error.text("name").unwrap_or("Error");
    let message = one_line(error.text("message").unwrap_or_default());
    match error.int("attempt") {
        Some(attempt) => format!("! {name} {attempt}: {message}"),
        None => format!("! {name}: {message}"),
    }
}

fn todo_line(todo: &Row) -> String {
    let mark = match todo.text("status") {
        Some("completed") => "x",
        Some("in_progress") => "~",
        Some("cancelled") => "-",
        _ => " ",
    };
    let content = one_line(todo.text("content").unwrap_or_default());
    format!("- [{mark}] {content}")
}
