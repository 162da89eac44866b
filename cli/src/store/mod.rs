//! The database: opened to write, opened to read, and commands applied to it.

mod apply;
mod files;
mod open;

pub(crate) use apply::{Applied, apply, apply_each};
pub(crate) use files::{private_file, private_folder};
pub(crate) use open::{open_reader, open_writer, schema_version};
