//! The command line.

use clap::{Parser, Subcommand};

use crate::commands::{
    backup, export, generate, install, prune, query, search, sessions, show, stats, status, tail,
    tools,
};
use crate::output::OutputArgs;
use crate::paths::PathArgs;
use crate::{daemon, doctor, import};

const ABOUT: &str = "What OpenCode did: every session, message, tool call, token and cent";

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "clankers",
    version,
    about = ABOUT,
    long_about = None,
    max_term_width = 100,
    arg_required_else_help = true
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten, next_help_heading = "Output")]
    pub(crate) output: OutputArgs,
    #[command(flatten, next_help_heading = "Paths")]
    pub(crate) paths: PathArgs,
}

impl Command {
    /// Whether it does nothing but print what the database holds.
    pub(crate) const fn is_reading(&self) -> bool {
        matches!(
            self,
            Self::Sessions(_)
                | Self::Show(_)
                | Self::Stats(_)
                | Self::Tools(_)
                | Self::Search(_)
                | Self::Tail(_)
                | Self::Query(_)
                | Self::Export(_)
        )
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Status(status::Args),
    Sessions(sessions::Args),
    Show(show::Args),
    Stats(stats::Args),
    Tools(tools::Args),
    Search(search::Args),
    Tail(tail::Args),
    Query(query::Args),
    Export(export::Args),
    Daemon(daemon::Args),
    Doctor(doctor::Args),
    Install(install::Args),
    Uninstall(install::uninstall::Args),
    Import(import::Args),
    Prune(prune::Args),
    Backup(backup::Args),
    Completions(generate::CompletionsArgs),
    Man(generate::ManArgs),
}
