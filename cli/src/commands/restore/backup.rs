//! The file that is to be put back, and whether it can be.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;

use rusqlite::Connection;

use crate::error::{Context, Error, Result};
use crate::paths::shown;
use crate::store::{open_untouched, refuse_foreign, refuse_newer, schema_version};

/// Tables that every schema has.
const OURS: &str = "SELECT count(*) = 5 FROM sqlite_master \
    WHERE type = 'table' AND name IN ('sessions', 'messages', 'parts', 'tool_calls', 'usage')";

/// Opens a backup to read, or says what it is instead. Nothing beside it changes.
pub(super) fn open(path: &Path) -> Result<Connection> {
    let name = shown(path);
    let is_not = |what: &str| {
        Error::new(format!("{name} {what}")).hint("name a backup, as `clankers backup` makes it")
    };
    let found = match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(is_not("is not there")),
        found => found.context(|| format!("cannot read {name}"))?,
    };
    // A pipe or a device may have no end.
    if found.is_dir() {
        return Err(is_not("is a folder"));
    }
    if !found.is_file() {
        return Err(is_not("is no file"));
    }
    if found.len() == 0 {
        return Err(is_not("is empty"));
    }
    let what = || format!("cannot read {name}");
    drop(File::open(path).context(what)?);
    let db = open_untouched(path).context(what)?;
    let version = match schema_version(&db) {
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => {
            return Err(is_not("is no SQLite database"));
        }
        version => version.context(what)?,
    };
    refuse_newer(path, &db)?;
    refuse_foreign(path, &db)?;
    let is_ours: bool = db.query_row(OURS, [], |row| row.get(0)).context(what)?;
    if version == 0 || !is_ours {
        return Err(is_not("is no clankers database"));
    }
    let problem: String = db
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .context(what)?;
    if problem != "ok" {
        return Err(Error::new(format!("{name} is damaged: {problem}"))
            .hint("`sqlite3 FILE .recover` saves what can be saved"));
    }
    Ok(db)
}
