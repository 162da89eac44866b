//! Full-text search, over an index of its own.
//!
//! The index is a file beside the database, `clankers.search`, and not part of
//! it: the schema stays the same for the plugin, writing is no slower for it, and
//! it can be removed at any time. It is contentless (FTS5 `content=''`): it holds words
//! and where they occur, no second copy of the texts. Whoever erases something
//! in the database removes it, since FTS5 keeps the words of what is deleted one by one.
//!
//! It is brought up to date before each search. A document's *stamp* is made of
//! what SQLite reads without loading its text (its length in bytes, when it
//! ended, whether it is deleted), so only documents that are new, changed or
//! gone are read and indexed. Where the database's files have not changed since
//! the last search, nothing is compared at all.

mod index;
mod words;

pub(crate) use index::{Hit, Index};
