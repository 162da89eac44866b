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
        let messages = self.document.get("messages").and_then(Value::as_array);
        Ok(History {
            messages: messages.cloned().unwrap_or_default(),
            todos: None,
            unreadable: Vec::new(),
        })
    }
}
