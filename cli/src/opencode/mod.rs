//! OpenCode on this machine: its configuration, its binary, its own data.

pub(crate) mod binary;
pub(crate) mod config;
