//! Failures as a person reads them: what went wrong, and what to do about it.

use std::fmt;

/// What a command ends with when it cannot do what it was asked.
#[derive(Debug, Clone)]
pub(crate) struct Error {
    what: String,
    hint: Option<String>,
    /// The reader of our output has left, as `head` does: nothing to report.
    pipe_closed: bool,
    /// The database's file is at fault.
    damage: bool,
}

pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A failure, described in one lower-case phrase.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            hint: None,
            pipe_closed: false,
            damage: false,
        }
    }

    /// Several failures, a line each; the one that there is, as it is.
    pub(crate) fn joined(mut errors: Vec<Self>) -> Self {
        match errors.pop() {
            Some(only) if errors.is_empty() => only,
            last => {
                let what: Vec<String> = errors.into_iter().chain(last).map(|it| it.what).collect();
                Self::new(what.join("\n  "))
            }
        }
    }

    /// What went wrong, without what to do about it.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// The same, with what to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Whether it is only that the reader of our output has left.
    pub(crate) const fn is_closed_pipe(&self) -> bool {
        self.pipe_closed
    }

    /// What went wrong, without what to do about it.
    pub(crate) fn reason(&self) -> &str {
        &self.what
    }

    /// Whether `SQLite` found the file damaged, or no database in it.
    pub(crate) const fn is_damage(&self) -> bool {
        self.damage
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.what)?;
        if let Some(hint) = &self.hint {
            write!(formatter, "\n  {hint}")?;
        }
        Ok(())
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
        let damage = is_damage(&error);
        let code = error.sqlite_error_code();
        let error = Self {
            damage,
            ..Self::new(sqlite_text(&error))
        };
        match code {
            Some(DatabaseBusy | DatabaseLocked) => {
                error.hint("another program holds the database; try again, or close that program")
            }
            _ if damage => error.hint(
                "the file is damaged or is no clankers database: `clankers doctor` looks closer",
            ),
            _ => error,
        }
    }
}

/// Whether `SQLite` found the file damaged, or no database in it.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(
        error.sqlite_error_code(),
        Some(DatabaseCorrupt | NotADatabase)
    )
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        let pipe_closed = error.kind() == std::io::ErrorKind::BrokenPipe;
        Self {
            pipe_closed,
            ..Self::new(error.to_string())
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        let pipe_closed = error.io_error_kind() == Some(std::io::ErrorKind::BrokenPipe);
        Self {
            pipe_closed,
            ..Self::new(format!("not valid JSON: {error}"))
        }
    }
}

impl From<csv::Error> for Error {
    fn from(error: csv::Error) -> Self {
        match error.into_kind() {
            csv::ErrorKind::Io(error) => error.into(),
            kind => Self::new(format!("cannot write CSV: {kind:?}")),
        }
    }
}

/// What SQLite says, without the wrapping of its library.
pub(crate) fn sqlite_text(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(text)) => text.clone(),
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    }
}

/// Says what was being done when something else failed.
pub(crate) trait Context<T> {
    /// Puts `doing` before the failure's own words.
    fn context(self, doing: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<Error>> Context<T> for std::result::Result<T, E> {
    fn context(self, doing: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| {
            let mut error: Error = error.into();
            error.what = format!("{}: {}", doing(), error.what);
            error
        })
    }
}
