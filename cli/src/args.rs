//! The command line.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Parser, Subcommand};

use crate::commands::{
    backup, export, generate, install, prune, query, restore, search, sessions, show, stats,
    status, tail, tools,
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

/// The commands that take a path by an option alone, each with that option.
const PATH_OPTIONS: [(&str, &str); 3] = [
    ("import", "--from"),
    ("install", "--project"),
    ("uninstall", "--project"),
];

impl Args {
    /// Reads the command line. Where it is wrong the process ends, and says so.
    pub(crate) fn read() -> Self {
        Self::try_parse().unwrap_or_else(|error| with_option(error).exit())
    }
}

/// The error, with the option that somebody left out who gave a path without it.
fn with_option(mut error: clap::Error) -> clap::Error {
    let text = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let (argument, usage) = (text(ContextKind::InvalidArg), text(ContextKind::Usage));
    let is_of = |command: &str| usage.contains(&format!(" {command} "));
    let option = PATH_OPTIONS.iter().find(|(command, _)| is_of(command));
    if let Some((_, option)) = option
        && error.kind() == ErrorKind::UnknownArgument
        && !argument.starts_with('-')
    {
        let tip = format!("name it with '{option} {argument}'");
        error.insert(
            ContextKind::Suggested,
            ContextValue::StyledStrs(vec![tip.into()]),
        );
    }
    error
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
    Restore(restore::Args),
    Completions(generate::CompletionsArgs),
    Man(generate::ManArgs),
}
