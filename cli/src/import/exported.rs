//! What `opencode export` writes: `{ info, messages }`, the messages as the API of
//! the engine answers them, OpenCode 1's `{ info, parts }` or OpenCode 2's
//! `{ id, type, … }`.

use clankers::model::copy_rank::CopyRank;
use serde_json::Value;

use super::source::{History, Source};
use crate::error::{Error, Result};

/// One session in one document.
pub(super) struct Exported {
    name: String,
    rank: CopyRank,
    document: Value,
}

impl Exported {
    pub(super) fn parse(name: &str, rank: CopyRank, text: &str) -> Result<Self> {
        // Some releases print what they are doing before it.
        let json = text
            .find('{')
            .and_then(|at| text.get(at..))
            .unwrap_or_default();
        let document: Value = serde_json::from_str(json).map_err(|error| {
            Error::new(format!("{name} is no export of OpenCode: {error}"))
                .hint("make one with: opencode export SESSION > session.json (2.x: opencode session export)")
        })?;
        if document
            .pointer("/info/id")
            .and_then(Value::as_str)
            .is_none()
        {
            return Err(Error::new(format!(
                "{name} is no export of OpenCode: it has no `info.id`"
            )));
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
