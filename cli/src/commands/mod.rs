//! The commands, one module each.

pub(crate) mod backup;
pub(crate) mod export;
pub(crate) mod filter;
pub(crate) mod generate;
pub(crate) mod install;
pub(crate) mod prune;
pub(crate) mod query;
pub(crate) mod restore;
pub(crate) mod search;
mod session_id;
pub(crate) mod sessions;
pub(crate) mod show;
pub(crate) mod stats;
mod stats_tree;
pub(crate) mod status;
pub(crate) mod tail;
pub(crate) mod tools;
