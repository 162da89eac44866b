//! The database: opened to write, opened to read, commands applied to it and
//! rows read from it.

mod apply;
mod aside;
mod copy;
mod counting;
mod erasure;
mod files;
mod identity;
mod missing;
mod open;
mod rows;
mod version;
mod writer;

pub(crate) use apply::{Applied, Batch, BatchId, apply, apply_each, apply_within};
pub(crate) use aside::{Claim, set_aside};
pub(crate) use copy::copy_whole;
pub(crate) use counting::is_counted;
pub(crate) use erasure::{Erasure, empty_log, search_index};
pub(crate) use files::{
    beside, make_way, narrow_files, private_file, private_folder, size_on_disk, uri,
};
pub(crate) use identity::{FileIdentity, HeldFile, refuse_database};
pub(crate) use missing::MissingCounts;
pub(crate) use open::{
    RECORDERS_SCHEMA, Untouched, WRITER_PRAGMAS, open_as, open_marked_reader, open_reader,
    open_untouched, open_writer,
};
pub(crate) use rows::{Row, rows};
pub(crate) use version::{is_usable, refuse_foreign, refuse_newer, schema_version};
pub(crate) use writer::Writer;
