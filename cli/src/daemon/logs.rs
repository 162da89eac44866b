//! The daemon's log: a file a day, as JSON lines, and the terminal where it
//! runs in one.

use std::io::IsTerminal;
use std::path::Path;

use tracing::level_filters::LevelFilter;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::error::{Context, Error, Result};
use crate::store::private_folder;

/// How many days are kept.
const DAYS: usize = 30;

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogLevel {
    /// Every request
    Debug,
    /// Clients that come and go
    Info,
    /// What was refused
    Warn,
    /// What could not be stored
    Error,
    /// Nothing
    Off,
}

impl LogLevel {
    /// The level in the environment, if it is one: the plugin takes it the same way.
    pub(crate) fn of_environment() -> Option<Self> {
        let word = std::env::var("CLANKERS_LOG_LEVEL").ok()?;
        <Self as clap::ValueEnum>::from_str(&word, true).ok()
    }

    /// The level as it is written.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Off => "off",
        }
    }
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Info => Self::INFO,
            LogLevel::Warn => Self::WARN,
            LogLevel::Error => Self::ERROR,
            LogLevel::Off => Self::OFF,
        }
    }
}

/// Colour is for terminals, and for people who have not asked to be spared it.
fn is_coloured() -> bool {
    let is_spared = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stderr().is_terminal() && !is_spared
}

/// Starts logging to `folder`, and to standard error where `terminal` says so.
pub(crate) fn start(folder: &Path, level: LogLevel, terminal: bool) -> Result<()> {
    private_folder(folder).context(|| "cannot make the folder for logs".to_owned())?;
    let files = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("daemon")
        .filename_suffix("log")
        .max_log_files(DAYS)
        .build(folder)
        .map_err(|error| Error::new(format!("cannot write a log: {error}")))?;
    let to_files = tracing_subscriber::fmt::layer().json().with_writer(files);
    let to_terminal = terminal.then(|| {
        tracing_subscriber::fmt::layer()
            .compact()
            .with_target(false)
            .with_ansi(is_coloured())
            .with_writer(std::io::stderr)
    });
    tracing_subscriber::registry()
        .with(
            to_files
                .and_then(to_terminal)
                .with_filter(LevelFilter::from(level)),
        )
        .try_init()
        .map_err(|error| Error::new(format!("cannot log: {error}")))
}
