//! The `clankers` program: a daemon that stores what others send, and tools that
//! read it. `clankers --help` lists them. It is a library so that the fuzz targets
//! (`fuzz/`) reach what they try; `main.rs` only calls it.
//!
//! Modules depend on each other in one direction, which a test holds
//! (`tests/cli/modules.rs`). From the command line down: `args`; `commands` and
//! `doctor`; `daemon`, `import`, `plugin` and `search`; `store` and `opencode`;
//! `output` and `paths`; `cell`, `error` and `process`.

mod args;
mod cell;
mod commands;
mod daemon;
mod doctor;
mod error;
mod import;
mod new_file;
mod opencode;
mod output;
mod paths;
mod plugin;
#[cfg(unix)]
mod process;
mod recorded;
mod search;
mod store;

use std::io::Write;
use std::process::ExitCode;

use clap::CommandFactory;

use args::{Args, Command};
use commands::install::uninstall;
use commands::{
    backup, export, generate, install, prune, query, restore, sessions, show, stats, status, tail,
    tools,
};
use error::Result;
use output::{Out, clean};
use plugin::{refused, trouble};

/// What the fuzz targets try.
#[cfg(fuzzing)]
pub mod fuzzing {
    pub use crate::daemon::fuzzing::{Frames, asked, framed, frames};
    pub use crate::import::fuzzing::{Imported, Importer};
}

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    match run(Args::read()) {
        Ok(code) => code,
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            // Where standard error cannot be written, the exit status still says it.
            let _ = writeln!(std::io::stderr(), "clankers: {}", clean(&error.to_string()));
            ExitCode::from(2)
        }
    }
}

/// Runs the command that was asked for.
fn run(args: Args) -> Result<ExitCode> {
    let paths = args.paths.resolve()?;
    let mut out = Out::new(args.output);
    let mut code = ExitCode::SUCCESS;
    if args.command.is_reading() {
        trouble::remind(&paths);
        refused::remind(&paths.db);
    }
    match args.command {
        Command::Status(args) => status::run(&args, &paths, &mut out)?,
        Command::Sessions(args) => sessions::run(&args, &paths, &mut out)?,
        Command::Show(args) => show::run(&args, &paths, &mut out)?,
        Command::Stats(args) => stats::run(&args, &paths, &mut out)?,
        Command::Tools(args) => tools::run(&args, &paths, &mut out)?,
        Command::Search(args) => commands::search::run(&args, &paths, &mut out)?,
        Command::Tail(args) => tail::run(&args, &paths, &mut out)?,
        Command::Query(args) => query::run(&args, &paths, &mut out)?,
        Command::Export(args) => export::run(&args, &paths, &mut out)?,
        Command::Import(args) => code = import::run(&args, &paths, &mut out)?,
        Command::Daemon(args) => daemon::run(&args, &paths, &mut out)?,
        Command::Doctor(args) => code = doctor::run(&args, &paths, &mut out)?,
        Command::Install(args) => install::run(&args, &mut out)?,
        Command::Uninstall(args) => uninstall::run(&args, &mut out)?,
        Command::Prune(args) => prune::run(&args, &paths, &mut out)?,
        Command::Backup(args) => backup::run(&args, &paths, &mut out)?,
        Command::Restore(args) => restore::run(&args, &paths, &mut out)?,
        Command::Completions(args) => generate::completions(&args, Args::command(), &mut out)?,
        Command::Man(args) => generate::man(&args, Args::command(), &mut out)?,
    }
    out.flush()?;
    Ok(code)
}
