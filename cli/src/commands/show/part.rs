//! A part of a message that is no tool call.

use serde_json::Value;

use super::Detail;
use super::item::Item;
use crate::output::{clean, counted, one_line};
use crate::store::Row;

/// What is shown of a part; nothing of a kind that only OpenCode needs.
pub(super) fn item(part: &Row, detail: Detail) -> Option<Item> {
    let text = part.text("text").map(clean);
    let data: Value = part
        .text("data")
        .and_then(|data| serde_json::from_str(data).ok())
        .unwrap_or_default();
    let field = |name: &str| {
        let text = data.get(name).and_then(Value::as_str);
        text.map(one_line).unwrap_or_default()
    };
    let is_for_model_only =
        part.int("synthetic") == Some(1) || data.get("ignored") == Some(&Value::Bool(true));
    let summary = match part.text("type")? {
        "text" if !is_for_model_only => return text.map(Item::Text),
        "text" => format!("▸ added by OpenCode: {}", words(&text?)),
        "reasoning" if detail.reasoning => return text.map(Item::Block),
        "reasoning" => format!("▸ thought: {}", words(&text?)),
        "file" => format!("▸ file  {}  ({})", field("filename"), field("mime")),
        "agent" => format!("▸ agent  {}", field("name")),
        "subtask" => format!("▸ subtask  {}  {}", field("agent"), field("description")),
        "compaction" => "▸ the conversation was compacted here".to_owned(),
        "patch" => {
            let files = data.get("files").and_then(Value::as_array);
            format!("▸ changed {}", counted(files.map_or(0, Vec::len), "file"))
        }
        _ => return None,
    };
    Some(Item::Summary(summary))
}

fn words(text: &str) -> String {
    counted(text.split_whitespace().count(), "word")
}
