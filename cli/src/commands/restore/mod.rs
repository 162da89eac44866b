//! `clankers restore`: a backup takes the database's place, while it is in use.

mod backup;
mod destination;

use std::fs;
use std::path::PathBuf;

use crate::error::{Context, Result};
use crate::new_file::NewFile;
use crate::output::{Out, bytes, confirm};
use crate::paths::{Paths, shown};
use crate::store::{copy_whole, private_folder, refuse_database};

use destination::Destination;

/// Put a backup back, and keep the present database beside it
#[derive(Debug, clap::Args)]
#[command(
    after_help = "OpenCode and the daemon may run: they go on in what was put back, and OpenCode is asked \
                  for what came since. To copy a file over the database by hand is not safe, since SQLite \
                  would merge it with the log (`-wal`) of the one that was there."
)]
pub(crate) struct Args {
    /// The backup, as `clankers backup` makes it; it is only read
    file: PathBuf,
    /// Replace the present database without asking
    #[arg(long, short)]
    yes: bool,
}

/// Checks the backup, asks, and puts a copy of it in the database's place.
pub(crate) fn run(args: &Args, paths: &Paths, out: &mut Out) -> Result<()> {
    let destination = Destination::look(&paths.db)?;
    let hint = "name a backup, as `clankers backup` makes it";
    refuse_database(&args.file, &paths.db, hint)?;
    let backup = backup::open(&args.file)?;
    let (name, db) = (shown(&args.file), shown(&paths.db));
    if destination.is_taken() && !args.yes {
        let size = bytes(fs::metadata(&args.file)?.len());
        out.flush()?;
        if !confirm(&format!(
            "put {name} ({size}) in the place of {db}, which is kept?"
        ))? {
            return out.line("nothing was changed");
        }
    }
    if let Some(folder) = destination.file.parent() {
        private_folder(folder)?;
    }
    let copy = NewFile::create(&destination.file, true)?;
    let what = || format!("cannot copy {name}");
    copy_whole(&backup, copy.partial()).context(what)?;
    copy.file().sync_all().context(what)?;
    let before = destination.take(copy.partial())?;
    out.line(&format!("put {name} in the place of {db}"))?;
    if let Some(before) = before {
        out.line(&format!("what was there is {} now", shown(&before)))?;
    }
    out.remark(
        "OpenCode is asked for what came since when it records or starts next; \
         `clankers import` does it now",
    )
}
