//! The `clankers` binary: a daemon that owns the database, and tools that
//! read it. `clankers --help` lists them.

mod args;
mod commands;
mod daemon;
mod doctor;
mod error;
mod import;
mod opencode;
mod output;
mod paths;
mod search;
mod store;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let args = args::Args::parse();
    match commands::run(args) {
        Ok(code) => code,
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            // If even this cannot be told, the exit status still says it.
            let _ = writeln!(std::io::stderr(), "clankers: {error}");
            ExitCode::from(2)
        }
    }
}
