//! The command line.

use clap::{Parser, Subcommand};

use crate::daemon;
use crate::output::OutputArgs;
use crate::paths::PlaceArgs;

/// What OpenCode did: every session, message, tool call, token and cent
#[derive(Debug, Parser)]
#[command(
    name = "clankers",
    version,
    about,
    max_term_width = 100,
    arg_required_else_help = true
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten, next_help_heading = "Output")]
    pub(crate) output: OutputArgs,
    #[command(flatten, next_help_heading = "Places")]
    pub(crate) places: PlaceArgs,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Daemon(daemon::Args),
}
