//! A session's to-do list: `todo.updated`.

use crate::model::row::TodoRow;
use crate::read::fields::{Fields, Issues};
use crate::read::node::{Kind, Node};

/// The entries of the list; one whose content is not a string keeps its place.
pub(crate) fn todos<N: Node>(entries: Vec<N>, issues: &Issues) -> Vec<TodoRow> {
    let read = |entry: N| {
        let mut entry = Fields::new(entry, "properties.todos[]", issues);
        let row = TodoRow {
            content: entry.string("content").value().cloned().unwrap_or_default(),
            status: entry.string("status"),
            priority: entry.maybe_string("priority"),
        };
        entry.optional(&[("id", Kind::String)]);
        entry.finish();
        row
    };
    entries.into_iter().map(read).collect()
}
