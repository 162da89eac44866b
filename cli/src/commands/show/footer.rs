//! What stands below the messages: failures that belong to none of them, and
//! the to-do list.

use super::transcript::Transcript;
use crate::error::Result;
use crate::output::{Out, one_line};
use crate::store::Row;

/// Writes both, each after an empty line; nothing of one that is empty.
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
    Ok(())
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
