//! A copy of a database, to put away or to put back.

use std::path::Path;

use rusqlite::Connection;

use crate::error::{Error, Result};

/// Copies a database into a file that is there and empty: `SQLite` takes it for a
/// new one, and its mode stays.
pub(crate) fn copy_whole(db: &Connection, to: &Path) -> Result<()> {
    let name = to
        .to_str()
        .ok_or_else(|| Error::new("the file's name is not text"))?;
    // `VACUUM INTO` copies one moment of the database, and none of the free pages
    // in which erased content may still be.
    db.execute_batch("PRAGMA query_only = OFF")?;
    db.execute("VACUUM INTO ?1", [name])?;
    become_another(to)?;
    Ok(())
}

/// Gives the copy an id of its own. Its count of transactions goes on from here;
/// who reads what changed since a number of the other database is not to take
/// the copy, once it is put back, for that one.
fn become_another(copy: &Path) -> rusqlite::Result<()> {
    let db = Connection::open(copy)?;
    // An older schema counts nothing.
    let has_id = db
        .prepare("SELECT 1 FROM sqlite_master WHERE name = 'clankers_database'")?
        .exists([])?;
    if has_id {
        db.execute_batch("UPDATE clankers_database SET id = lower(hex(randomblob(16)))")?;
    }
    Ok(())
}
