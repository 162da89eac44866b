//! OpenCode's JSON as it is sent: a file per family, tolerant of what it does
//! not know. Each reads an object's fields into what is known of a row.

pub(crate) mod error;
pub(crate) mod fields;
pub(crate) mod message;
pub(crate) mod part;
pub(crate) mod permission;
pub(crate) mod session;
pub(crate) mod status;
pub(crate) mod todo;
pub(crate) mod tokens;
pub(crate) mod tool;
pub(crate) mod types;
