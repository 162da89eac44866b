//! The commands, one file each.

use std::process::ExitCode;

use crate::args::{Args, Command};
use crate::daemon;
use crate::error::Result;
use crate::output::Out;

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<ExitCode> {
    let places = args.places.resolve()?;
    let mut out = Out::new(args.output);
    match args.command {
        Command::Daemon(args) => daemon::run(&args, &places, &mut out)?,
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
