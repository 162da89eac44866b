//! `clankers daemon`: one process that stores what others send it over a socket,
//! so that they need not open the database.
//!
//! In reading order: `transport` and `frame` (bytes), `failure` and `rpc`
//! (requests and answers), `params` and `call` (what is asked), `connection`
//! (one client), `open_database` and `writer` (what is stored), `server` (all of
//! it), `lock` (only one of it), `launch` (in the background).

mod call;
mod client;
mod clients;
mod connection;
mod failure;
mod frame;
#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod health;
mod launch;
mod lock;
mod logs;
mod open_database;
mod params;
mod rpc;
mod server;
mod stored;
mod transport;
mod writer;

use std::path::PathBuf;

pub(crate) use client::health;

use crate::error::Result;
use crate::output::Out;
use crate::paths::Paths;
use lock::Lock;
use logs::LogLevel;

/// Store what other programs send over a socket
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Stay in this terminal, and log to it
    #[arg(long)]
    foreground: bool,
    /// How much is logged; `info` unless said [env: `CLANKERS_LOG_LEVEL`]
    #[arg(long, value_name = "LEVEL", ignore_case = true)]
    log_level: Option<LogLevel>,
    /// End the daemon that runs
    #[arg(long, conflicts_with = "foreground")]
    stop: bool,
    /// In the background already: our own doing
    #[arg(long, hide = true)]
    detached: bool,
}

/// Runs the daemon, here or in the background, or ends one.
pub(crate) fn run(args: &Args, paths: &Paths, out: &mut Out) -> Result<()> {
    if args.stop {
        return launch::stop(paths, out);
    }
    let level = args
        .log_level
        .or_else(LogLevel::of_environment)
        .unwrap_or(LogLevel::Info);
    if !args.foreground && !args.detached {
        return launch::start(paths, level, out);
    }
    #[cfg(unix)]
    {
        // Files of the database, the log and the socket are for their owner alone.
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        if args.detached {
            // No longer of the terminal it was started in. It fails only for a
            // process that leads a group, which is as good.
            let _ = rustix::process::setsid();
        }
    }
    let _of_socket = Lock::take(&paths.socket_file())?;
    let _of_database = Lock::take(&paths.db)?;
    logs::start(&logs_folder(paths), level, args.foreground)?;
    server::run(paths).inspect_err(|error| tracing::error!(%error, "could not run"))
}

/// Whether a daemon holds the database or the socket, answering or not.
pub(crate) fn is_locked(paths: &Paths) -> bool {
    Lock::is_held(&paths.socket_file()) || Lock::is_held(&paths.db)
}

/// Where the daemon logs.
pub(crate) fn logs_folder(paths: &Paths) -> PathBuf {
    paths.data.join("logs")
}
