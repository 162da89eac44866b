//! The commands, one file each.

pub(crate) mod backup;
pub(crate) mod export;
pub(crate) mod filter;
pub(crate) mod generate;
pub(crate) mod install;
pub(crate) mod prune;
pub(crate) mod query;
pub(crate) mod rows;
pub(crate) mod search;
pub(crate) mod sessions;
pub(crate) mod show;
pub(crate) mod stats;
mod stats_tree;
pub(crate) mod status;
pub(crate) mod tail;
pub(crate) mod tools;

use std::process::ExitCode;

use crate::args::{Args, Command};
use crate::error::Result;
use crate::output::Out;
use crate::{daemon, doctor, import};

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<ExitCode> {
    let places = args.places.resolve()?;
    let mut out = Out::new(args.output);
    match args.command {
        Command::Status(args) => status::run(&args, &places, &mut out)?,
        Command::Sessions(args) => sessions::run(&args, &places, &mut out)?,
        Command::Show(args) => show::run(&args, &places, &mut out)?,
        Command::Stats(args) => stats::run(&args, &places, &mut out)?,
        Command::Tools(args) => tools::run(&args, &places, &mut out)?,
        Command::Search(args) => search::run(&args, &places, &mut out)?,
        Command::Tail(args) => tail::run(&args, &places, &mut out)?,
        Command::Query(args) => query::run(&args, &places, &mut out)?,
        Command::Export(args) => export::run(&args, &places, &mut out)?,
        Command::Import(args) => import::run(&args, &places, &mut out)?,
        Command::Daemon(args) => daemon::run(&args, &places, &mut out)?,
        Command::Doctor(args) => {
            let code = doctor::run(&args, &places, &mut out)?;
            out.flush()?;
            return Ok(code);
        }
        Command::Install(args) => install::run(&args, &mut out)?,
        Command::Uninstall(args) => install::uninstall(&args, &mut out)?,
        Command::Prune(args) => prune::run(&args, &places, &mut out)?,
        Command::Backup(args) => backup::run(&args, &places, &mut out)?,
        Command::Completions(args) => generate::completions(&args, &mut out)?,
        Command::Man(args) => generate::man(&args, &mut out)?,
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
