//! A tool call: one line that says what was done, and on request all of it.

use serde_json::Value;

use super::Detail;
use super::item::Item;
use crate::output::{clean, duration, one_line};
use crate::store::Row;

/// Arguments that say what a call was about, the most telling first.
const MAIN_ARGUMENTS: [&str; 8] = [
    "command",
    "filePath",
    "path",
    "pattern",
    "url",
    "query",
    "description",
    "prompt",
];

/// What is shown of a call.
pub(super) fn items(call: &Row, detail: Detail) -> Vec<Item> {
    let summary = summary(call);
    let mut items = Vec::new();
    if call.text("status") == Some("error") {
        items.push(Item::FailedCall(summary));
        let error = call.text("error").filter(|_| !detail.tools);
        items.extend(error.map(|error| Item::FailedCall(format!("  {}", one_line(error)))));
    } else {
        items.push(Item::Summary(summary));
    }
    if detail.tools {
        for name in ["input", "output", "error"] {
            items.extend(call.text(name).map(|text| Item::Block(clean(text))));
        }
    }
    items
}

fn summary(call: &Row) -> String {
    let tool = call.text("tool").unwrap_or("tool");
    let title = call
        .text("title")
        .map(one_line)
        .or_else(|| call.text("input").map(main_argument))
        .unwrap_or_default();
    let state = match call.text("status") {
        Some("error") => Some("failed".to_owned()),
        Some("pending" | "running") => Some("not finished".to_owned()),
        _ => None,
    };
    let exit = call.int("exit_code").filter(|&exit| exit != 0);
    let wait = call.int("permission_wait_ms").filter(|&wait| wait > 0);
    let child = call.text("child_session_id");
    let notes: Vec<String> = [
        state,
        exit.map(|exit| format!("exit {exit}")),
        call.int("duration_ms").map(duration),
        wait.map(|wait| format!("you were asked for {}", duration(wait))),
        child.map(|child| format!("session {child}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let notes = if notes.is_empty() {
        String::new()
    } else {
        format!("  ({})", notes.join(", "))
    };
    format!("▸ {tool}  {title}{notes}")
}

/// The one argument that says most about a call.
fn main_argument(input: &str) -> String {
    let Ok(Value::Object(input)) = serde_json::from_str::<Value>(input) else {
        return one_line(input);
    };
    let argument = MAIN_ARGUMENTS
        .iter()
        .find_map(|name| input.get(*name)?.as_str());
    argument.map(one_line).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::main_argument;

    #[test]
    fn a_call_is_described_by_its_main_argument() {
        assert_eq!(
            main_argument(r#"{"description":"d","command":"ls -la"}"#),
            "ls -la"
        );
        assert_eq!(main_argument("{}"), "");
    }
}
