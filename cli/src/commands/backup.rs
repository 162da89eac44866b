//! `clankers backup`: a copy of the database while it is written.

use std::path::PathBuf;

use rusqlite::Connection;

use crate::error::{Context, Error, Result};
use crate::new_file::NewFile;
use crate::output::{Out, bytes};
use crate::paths::{Paths, shown};
use crate::store::open_reader;

/// Copy the database, while it is in use
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to; it must not be there yet
    file: PathBuf,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
}

/// Copies the database into a new file.
pub(crate) fn run(args: &Args, paths: &Paths, out: &mut Out) -> Result<()> {
    let what = || format!("cannot write {}", shown(&args.file));
    let db = open_reader(&paths.db)?;
    // SQLite takes an empty file for a new database.
    let copy = NewFile::create(&args.file, args.force)?;
    let name = copy
        .partial()
        .to_str()
        .ok_or_else(|| Error::new("the file's name is not text"))?;
    // `VACUUM INTO` copies one moment of the database, and none of the free pages
    // in which erased content may still be.
    db.execute_batch("PRAGMA query_only = OFF")?;
    db.execute("VACUUM INTO ?1", [name]).context(what)?;
    become_another(name).context(what)?;
    copy.finish()?;
    let size = std::fs::metadata(&args.file).context(what)?.len();
    out.line(&format!(
        "copied {} to {}, {}",
        shown(&paths.db),
        shown(&args.file),
        bytes(size)
    ))
}

/// Gives the copy an id of its own. Its count of transactions goes on from here;
/// who reads what changed since a number of the other database is not to take
/// the copy, once it is put back, for that one.
fn become_another(copy: &str) -> rusqlite::Result<()> {
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
