//! A message: its heading, and what is shown of it.

use super::item::Item;
use super::transcript::{Message, Part};
use super::{Detail, part, tool_call};
use crate::output::{clean, duration, money, one_line, time};

impl Message {
    /// Who spoke, and when, with which model, how long and at what cost.
    pub(super) fn heading(&self) -> String {
        let row = &self.row;
        let who = match row.text("role") {
            Some("user") => "You",
            Some("assistant") => "Assistant",
            _ => "Unknown",
        };
        let cost = row.real("cost");
        let mut facts = vec![row.int("created_at").map(time)];
        if who == "Assistant" {
            facts.extend([
                row.text("agent").map(one_line),
                row.text("model").map(one_line),
                row.int("duration_ms").map(duration),
                (cost > 0.0).then(|| money(cost)),
            ]);
        }
        if row.int("deleted_at").is_some() {
            facts.push(Some("removed".to_owned()));
        }
        let missing = row.missing_since();
        facts.push(missing.map(|since| format!("missing since {}", time(since))));
        let facts = facts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
        format!("{who} {facts}").trim_end().to_owned()
    }

    /// What is shown below the heading.
    pub(super) fn items(&self, detail: Detail) -> Vec<Item> {
        let mut items = Vec::new();
        for part in &self.parts {
            if self.row.missing_since().is_none()
                && let Some(since) = part.row().missing_since()
            {
                items.push(Item::Summary(format!("▸ missing since {}:", time(since))));
            }
            match part {
                Part::Tool(call) => items.extend(tool_call::items(call, detail)),
                Part::Other(part) => items.extend(part::item(part, detail)),
            }
        }
        let has_text = items.iter().any(|item| matches!(item, Item::Text(_)));
        if !has_text && let Some(text) = self.row.text("text_content") {
            items.insert(0, Item::Text(clean(text)));
        }
        items.extend(self.failure().map(Item::Failure));
        items
    }

    fn failure(&self) -> Option<String> {
        let name = self.row.text("error_name")?;
        let why = one_line(self.row.text("error_message").unwrap_or_default());
        let failure = format!("{name}: {why}");
        Some(failure.trim_end_matches(": ").to_owned())
    }
}
