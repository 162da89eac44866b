//! The database: opened to write, opened to read, and commands applied to it.

mod apply;
mod open;

pub(crate) use apply::{Applied, apply, apply_each};
pub(crate) use open::{open_reader, open_writer, private_folder, schema_version};
