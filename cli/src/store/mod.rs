//! The database: opened to write, opened to read, commands applied to it and
//! rows read from it.

mod apply;
mod files;
mod missing;
mod open;
mod rows;

pub(crate) use apply::{Applied, Batch, BatchId, apply, apply_each, apply_within};
pub(crate) use files::{private_file, private_folder, size_on_disk};
pub(crate) use missing::MissingCounts;
pub(crate) use open::{open_marked_reader, open_reader, open_writer, schema_version};
pub(crate) use rows::{Row, rows};
