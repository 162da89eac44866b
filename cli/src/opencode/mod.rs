//! OpenCode and Kilo on this machine: which releases there are, what each of
//! them reads, and what their service and log say. Nothing here knows the database.

pub(crate) mod address;
pub(crate) mod config;
pub(crate) mod entry;
pub(crate) mod fetched;
pub(crate) mod host;
pub(crate) mod locations;
pub(crate) mod log;
pub(crate) mod module;
pub(crate) mod program;
pub(crate) mod service;
