//! What clankers speaks: rows, events, commands and rejections. No agent's
//! names are here; a source turns what its agent sends into these.

pub mod column;
pub mod command;
pub(crate) mod content;
pub mod copy_rank;
pub mod event;
pub mod known;
pub mod number;
pub(crate) mod redaction;
pub mod rejection;
pub mod report;
pub mod row;
mod weight;
