//! Whether the log that `SQLite` keeps beside the database is that database's. It is
//! not where a backup was copied over the file while the log was left.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::check::Check;
use super::integrity::damage;
use crate::error::is_damage;
use crate::paths::shown;
use crate::store::{Untouched, beside, open_as};

/// What tells one state of a database from another: its id, and how often it was written.
type State = (String, i64);

/// Whether the log is another's, as the two say.
pub(super) fn check(path: &Path) -> Option<Check> {
    let log = beside(path, "-wal");
    if fs::metadata(&log).map_or(0, |log| log.len()) == 0 {
        return None;
    }
    // In this order: whoever writes meanwhile only adds to the second.
    let alone = open_as(path, Untouched::Alone)
        .and_then(|db| state(&db))
        .ok()?;
    match open_as(path, Untouched::WithLog).and_then(|db| state(&db)) {
        Ok(both) if both.0 != alone.0 || both.1 < alone.1 => {
            Some(broken(path, "old data is shown"))
        }
        Err(error) if is_damage(&error) => Some(broken(path, "they cannot be read")),
        _ => None,
    }
}

/// Whether it is the log that makes a database unsound.
pub(super) fn spoils(path: &Path) -> Option<Check> {
    let found = open_as(path, Untouched::Alone).and_then(|db| damage(&db));
    let is_sound = beside(path, "-wal").exists() && found.is_ok_and(|found| found.is_empty());
    is_sound.then(|| broken(path, "they are malformed"))
}

fn broken(path: &Path, consequence: &str) -> Check {
    let text = format!(
        "{} belongs to another file than {}, and SQLite merges the two: {consequence}",
        shown(&beside(path, "-wal")),
        shown(path)
    );
    Check::broken("log", text).advice(
        "it is so when a backup was copied over the database by hand\n\
         put it back with `clankers restore FILE`, which takes care of the log\n\
         where the backup is no more, copy the database elsewhere without its log, and restore that",
    )
}

fn state(db: &Connection) -> rusqlite::Result<State> {
    let both = "SELECT id, changed FROM clankers_database";
    db.query_row(both, [], |row| Ok((row.get(0)?, row.get(1)?)))
}
