//! Counting rejections: one kind is one row and one line in the log, however
//! often it is met.

use crate::model::number::Number;
use crate::model::rejection::{Code, Rejection, RejectionRow};
use crate::read::node::Node;
use crate::read::sample::sample_of;
use std::collections::BTreeMap;

/// How many kinds are told apart. OpenCode's releases differ in a few; beyond
/// this something sends names at random, and they are counted as one.
const MAX_KINDS: usize = 512;
/// How many letters the name of an event and the place in it may have. The longest that
/// known releases send have 40 and 60; beyond this they are cut.
const LONGEST_NAME: usize = 120;

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
                sample: sample.clone().unwrap_or_else(|| sample_of(event)),
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
        let key = (cut(event_type), rejection.code, cut(&rejection.path));
        if self.kinds.contains_key(&key) || self.kinds.len() < MAX_KINDS {
            return key;
        }
        ("(others)".to_owned(), rejection.code, "(others)".to_owned())
    }
}

/// A name, or the beginning of one that is too long.
fn cut(name: &str) -> String {
    match name.char_indices().nth(LONGEST_NAME) {
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()),
        None => name.to_owned(),
    }
}
