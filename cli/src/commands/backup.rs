//! `clankers backup`: a copy of the database while it is written.

use std::path::PathBuf;

use crate::error::{Context, Error, Result};
use crate::output::{Out, bytes};
use crate::paths::{Paths, shown};
use crate::store::{open_reader, private_file};

/// Copy the database, while it is in use
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to; it must not be there yet
    file: PathBuf,
}

/// Copies it.
pub(crate) fn run(args: &Args, paths: &Paths, out: &mut Out) -> Result<()> {
    let what = || format!("cannot write {}", shown(&args.file));
    if args.file.exists() {
        return Err(
            Error::new(format!("{} is there already", shown(&args.file))).hint("name another file"),
        );
    }
    let db = open_reader(&paths.db)?;
    // For its owner alone from the first byte on: SQLite fills an empty file.
    let mut fresh = args.file.as_os_str().to_owned();
    fresh.push(".part");
    let fresh = PathBuf::from(fresh);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    private_file(&mut options, &fresh).context(what)?;
    let name = fresh
        .to_str()
        .ok_or_else(|| Error::new("the file's name is not text"))?;
    // One moment of the database, and nothing that was erased in it.
    db.execute_batch("PRAGMA query_only = OFF")?;
    let copied = db.execute("VACUUM INTO ?1", [name]).context(what);
    if let Err(error) = copied {
        let _ = std::fs::remove_file(&fresh);
        return Err(error);
    }
    std::fs::rename(&fresh, &args.file).context(what)?;
    let size = std::fs::metadata(&args.file).context(what)?.len();
    out.line(&format!(
        "copied {} to {}, {}",
        shown(&paths.db),
        shown(&args.file),
        bytes(size)
    ))
}
