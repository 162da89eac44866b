//! The version of the schema in a database, and whether this program may use it.

use std::path::Path;

use clankers::store::{OLDEST_WRITER, SCHEMA_VERSION};
use rusqlite::Connection;

use crate::error::{Context, Error, Result};
use crate::paths;

/// The version of the schema in the file, 0 of one that is empty.
pub(crate) fn schema_version(db: &Connection) -> rusqlite::Result<usize> {
    let version: u32 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

/// Whether a program of this schema may read and write the database: also one
/// of a newer schema, where that only added what need not be known.
pub(crate) fn is_usable(db: &Connection) -> rusqlite::Result<bool> {
    if schema_version(db)? <= SCHEMA_VERSION {
        return Ok(true);
    }
    let oldest = db.query_row(OLDEST_WRITER, [], |row| row.get::<_, u32>(0));
    Ok(oldest
        .is_ok_and(|oldest| usize::try_from(oldest).is_ok_and(|oldest| oldest <= SCHEMA_VERSION)))
}

/// Fails where it may not. Nothing has been changed then.
pub(crate) fn refuse_newer(path: &Path, db: &Connection) -> Result<()> {
    let what = || format!("cannot read {}", paths::shown(path));
    if is_usable(db).context(what)? {
        return Ok(());
    }
    let version = schema_version(db).context(what)?;
    Err(Error::new(format!(
        "{} was written by a newer clankers (schema {version}, this one knows {SCHEMA_VERSION})",
        paths::shown(path)
    ))
    .hint("it was left untouched: update clankers"))
}

/// True where there are tables and no schema of ours. One statement, since
/// another process may be making the database right now.
const IS_FOREIGN: &str =
    "SELECT user_version = 0 AND EXISTS (SELECT 1 FROM sqlite_master) FROM pragma_user_version";

/// Fails where the database is another program's. Nothing has been changed then.
pub(crate) fn refuse_foreign(path: &Path, db: &Connection) -> Result<()> {
    let what = || format!("cannot read {}", paths::shown(path));
    let is_foreign: bool = db
        .query_row(IS_FOREIGN, [], |row| row.get(0))
        .context(what)?;
    if !is_foreign {
        return Ok(());
    }
    Err(Error::new(format!(
        "{} holds tables of something else",
        paths::shown(path)
    ))
    .hint("it was left untouched: --db-path or CLANKERS_DB_PATH names another file"))
}
