//! OpenCode 2: its events and answers as they are sent, a file per family,
//! read by which fields are there. Stateless: what two events tell together is
//! put together in `reconcile`.
//!
//! A message has no parts here but content: texts, reasoning and tool calls
//! without an id of their own. An item's id is made of its message, its kind
//! and its place, or its call, so that events and answers make the same rows.

pub(crate) mod answers;
mod content;
pub mod database;
mod decode;
mod decoder;
mod error;
mod inbox;
mod item;
mod permission;
mod said;
mod session;
mod step;
mod summary;
mod tool;
mod turn;
pub(crate) mod types;

pub use decode::decode;
