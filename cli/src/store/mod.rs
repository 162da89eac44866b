//! The database: opened to write, opened to read, commands applied to it and
//! rows read from it.

mod apply;
mod counting;
mod files;
mod missing;
mod open;
mod rows;
mod version;

pub(crate) use apply::{Applied, Batch, BatchId, apply, apply_each, apply_within, begin};
pub(crate) use counting::is_counted;
pub(crate) use files::{private_file, private_folder, size_on_disk};
pub(crate) use missing::MissingCounts;
pub(crate) use open::{open_marked_reader, open_reader, open_writer};
pub(crate) use rows::{Row, rows};
pub(crate) use version::{is_usable, schema_version};
