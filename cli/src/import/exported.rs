//! What `opencode export` writes: `{ info, messages }`, the messages as the API of
//! the engine answers them, OpenCode 1's `{ info, parts }` or OpenCode 2's
//! `{ id, type, … }`.

use std::io::Read;

use clankers::model::copy_rank::CopyRank;
use serde_json::Value;

use super::document::{no_export, parse, read_export};
use super::source::{History, Source};
use crate::error::Result;

/// One session in one document.
pub(super) struct Exported {
    name: String,
    rank: CopyRank,
    document: Value,
}

impl Exported {
    pub(super) fn read(name: &str, rank: CopyRank, from: &mut dyn Read) -> Result<Self> {
        let text = read_export(name, from)?;
        let document: Value = parse(&text).map_err(|error| no_export(name, &error.to_string()))?;
        if document
            .pointer("/info/id")
            .and_then(Value::as_str)
            .is_none()
        {
            return Err(no_export(name, "it has no `info.id`"));
        }
        Ok(Self {
            name: name.to_owned(),
            rank,
            document,
        })
    }
}

impl Source for Exported {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn rank(&self) -> CopyRank {
        self.rank
    }

    fn list(&mut self) -> Result<(Vec<Value>, Vec<String>)> {
        Ok((
            self.document.get("info").cloned().into_iter().collect(),
            Vec::new(),
        ))
    }

    fn read(&mut self, _info: &Value) -> Result<History> {
        let mut history = History::default();
        let Some(messages) = self.document.get("messages").and_then(Value::as_array) else {
            let why = format!("{}: it has no list of `messages`", self.name);
            history.unreadable.push(why);
            return Ok(history);
        };
        for (at, message) in messages.iter().enumerate() {
            let mut unreadable = |what: &str| {
                let why = format!("{}: messages[{at}]{what}", self.name);
                history.unreadable.push(why);
            };
            if let Some(message) = readable(message, &mut unreadable) {
                history.messages.push(message);
            }
        }
        Ok(history)
    }
}

/// A message with all of it that can be read; the rest is told to `unreadable`, by its
/// place. Nothing where it does not say which message it is.
fn readable(message: &Value, unreadable: &mut impl FnMut(&str)) -> Option<Value> {
    let (of, held) = match message.get("info") {
        Some(info) => (info, "parts"),
        None => (message, "content"),
    };
    if of.get("id").and_then(Value::as_str).is_none() {
        unreadable(" is no message: it has no `id`");
        return None;
    }
    let mut message = message.clone();
    match message.get_mut(held) {
        Some(Value::Array(items)) => {
            let mut at = 0;
            items.retain(|item| {
                if !item.is_object() {
                    unreadable(&format!(".{held}[{at}] is no object"));
                }
                at += 1;
                item.is_object()
            });
        }
        Some(other) => {
            unreadable(&format!(".{held} is no list"));
            *other = Value::Array(Vec::new());
        }
        None if held == "parts" => unreadable(" has no `parts`"),
        None => {}
    }
    Some(message)
}
