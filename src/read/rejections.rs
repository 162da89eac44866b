//! Counting rejections: one kind is one row and one line in the log, however
//! often it is met.

use crate::model::number::Number;
use crate::model::rejection::{Code, Rejection, RejectionRow};
use crate::read::node::Node;
use std::collections::BTreeMap;

/// How many kinds are told apart. OpenCode's releases differ in a few; beyond
/// this something sends names at random, and they are counted as one.
const MAX_KINDS: usize = 512;
/// How deep a sample goes, and how many keys of an object it names.
const SAMPLE_DEPTH: usize = 5;
const SAMPLE_KEYS: usize = 40;

/// The kinds of rejection that were met, and what is to be told of them.
#[derive(Debug, Default)]
pub(crate) struct Rejections {
    /// Each kind with its sample, taken when it was first met.
    kinds: BTreeMap<(String, Code, String), String>,
    notices: Vec<String>,
}

impl Rejections {
    /// The rows that count what was refused of one event.
    pub(crate) fn count<N: Node>(
        &mut self,
        event: &N,
        event_type: &str,
        rejections: &[Rejection],
        source_version: Option<&str>,
        now: Number,
    ) -> Vec<RejectionRow> {
        let count = |rejection: &Rejection| {
            let known = self.key(event_type, rejection);
            let sample = self.kinds.get(&known).cloned();
            let (event_type, code, path) = known.clone();
            let row = RejectionRow {
                event_type,
                code,
                path,
                expected: rejection.expected.to_owned(),
                found: rejection.found.to_owned(),
                sample: sample
                    .clone()
                    .unwrap_or_else(|| sample_of(event, SAMPLE_DEPTH)),
                source_version: source_version.map(str::to_owned),
                count: Number::ONE,
                first_seen: now,
                last_seen: now,
            };
            if sample.is_none() {
                self.notices.push(row.notice());
                self.kinds.insert(known, row.sample.clone());
            }
            row
        };
        rejections.iter().map(count).collect()
    }

    /// What is new since the last call, a line a kind.
    pub(crate) fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }

    fn key(&self, event_type: &str, rejection: &Rejection) -> (String, Code, String) {
        let key = (
            event_type.to_owned(),
            rejection.code,
            rejection.path.clone(),
        );
        if self.kinds.contains_key(&key) || self.kinds.len() < MAX_KINDS {
            return key;
        }
        ("(others)".to_owned(), rejection.code, "(others)".to_owned())
    }
}

/// An event's keys and types as JSON: `{"type":"string",…}`, never its content.
fn sample_of<N: Node>(node: &N, depth: usize) -> String {
    use crate::read::node::Kind;
    match node.kind() {
        Kind::Object if depth > 0 => {
            let mut keys = node.keys();
            keys.truncate(SAMPLE_KEYS);
            let fields: Vec<String> = keys
                .iter()
                .filter_map(|key| {
                    let value = sample_of(&node.get_named(key)?, depth - 1);
                    Some(format!("{}:{value}", serde_json::to_string(key).ok()?))
                })
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Kind::Array if depth > 0 => {
            let first = node.items().first().map(|item| sample_of(item, depth - 1));
            format!("[{}]", first.unwrap_or_default())
        }
        kind => format!("\"{}\"", kind.name()),
    }
}
