//! `clankers import`: what OpenCode and Kilo have on disk, through the same core as the
//! plugin's events. It is written as the events that would tell it, so that
//! the rows are those the plugin makes; doing it twice changes nothing.

mod copy;
mod discovery;
mod document;
mod exported;
mod files;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod mend;
mod not_imported;
mod program;
mod report;
mod run;
mod said_since;
mod source;
mod sqlite;
mod stored;
mod written;

pub(crate) use not_imported::{NotImported, not_imported};
pub(crate) use program::Program;
pub(crate) use run::{Args, run};
