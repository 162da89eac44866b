//! Tests of the binary: real processes, real sockets, real databases.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what it expects by failing, its helpers too"
)]

mod contract;
mod copies;
mod counting;
mod daemon;
mod damaged;
mod docs;
mod erasure;
mod falling;
mod forks;
mod hostile;
mod import;
mod install;
mod loading;
mod make_install;
mod missing;
mod modules;
mod new_files;
mod newer;
mod privacy;
mod reading;
mod recorded;
mod recorders;
mod restoring;
mod service;
mod shared_database;
mod support;
mod taken_over;
mod trouble;
mod upkeep;
mod wire;
