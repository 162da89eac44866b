//! `clankers import`: what OpenCode has on disk, through the same core as the
//! plugin's events. It is written as the events that would tell it, so that
//! the rows are those the plugin makes; doing it twice changes nothing.

mod copy;
mod exported;
mod files;
mod run;
mod source;
mod sqlite;

pub(crate) use run::{Args, behind, run};
