//! OpenCode 1.0 to 1.x: its JSON as it is sent, a file per family, tolerant of
//! what it does not know. Each file reads an object's fields into what is
//! known of a row; `decode` makes one event of them.

pub(crate) mod answers;
pub mod database;
mod decode;
mod decoder;
mod delta;
mod error;
mod identity;
mod message;
mod part;
mod permission;
pub(crate) mod session;
mod status;
mod todo;

mod tool;
pub(crate) mod types;

pub use decode::decode;
