//! `clankers backup`: a copy of the database while it is written.

use std::path::PathBuf;

use crate::error::{Context, Result};
use crate::new_file::NewFile;
use crate::output::{Out, bytes};
use crate::paths::{Paths, shown};
use crate::store::{copy_whole, open_reader, refuse_database};

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
    refuse_database(&args.file, &paths.db, "name another file")?;
    let copy = NewFile::create(&args.file, args.force)?;
    copy_whole(&db, copy.partial()).context(what)?;
    copy.finish()?;
    let size = std::fs::metadata(&args.file).context(what)?.len();
    out.line(&format!(
        "copied {} to {}, {}",
        shown(&paths.db),
        shown(&args.file),
        bytes(size)
    ))
}
