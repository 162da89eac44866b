//! The database's place, taken by another file in one step that those who have it
//! open notice: they look which file it is before each batch.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::{Context, Error, Result};
use crate::paths::shown;
use crate::store::{Claim, beside, narrow_files, open_untouched, refuse_foreign, schema_version};

/// How long a batch that is being stored is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the database is, or is to be.
pub(super) struct Destination {
    /// The file itself, where its path is a link.
    pub(super) file: PathBuf,
}

impl Destination {
    /// Looks at what is there. What is somebody else's is refused.
    pub(super) fn look(db: &Path) -> Result<Self> {
        let destination = Self {
            file: fs::canonicalize(db).unwrap_or_else(|_| db.to_owned()),
        };
        let Ok(found) = fs::metadata(&destination.file) else {
            return Ok(destination);
        };
        if !found.is_file() {
            return Err(Error::new(format!("{} is no file", shown(db)))
                .hint("--db-path or CLANKERS_DB_PATH names another"));
        }
        let present = open_untouched(&destination.file).map_err(Error::from);
        match present.and_then(|present| refuse_foreign(db, &present)) {
            // What cannot be read is kept as it is.
            Err(error) if !error.is_damage() => Err(error),
            _ => Ok(destination),
        }
    }

    /// Whether anything is there that is to be kept.
    pub(super) fn is_taken(&self) -> bool {
        ["", "-wal"]
            .iter()
            .any(|ending| beside(&self.file, ending).exists())
    }

    /// Puts a file there, which goes from where it is. Returns where the one is now
    /// that was there.
    pub(super) fn take(&self, copy: &Path) -> Result<Option<PathBuf>> {
        let what = || format!("cannot replace {}", shown(&self.file));
        let held = self.hold()?;
        let claim = Claim::take(&self.file).context(what)?;
        let is_taken = self.is_taken();
        let before = claim.free_name("replaced");
        claim
            .exchange(&before, |file| replace(file, copy, &before))
            .context(what)?;
        drop(claim);
        self.sync().context(what)?;
        if is_taken {
            // Nobody looks at its mode any more.
            let _ = narrow_files(&before);
        }
        drop(held);
        tidy(&before);
        Ok(is_taken.then_some(before))
    }

    /// Keeps others from writing what is there, and waits for the batch that somebody
    /// is storing. What is damaged nobody can write.
    fn hold(&self) -> Result<Option<Connection>> {
        // An open file cannot be moved there.
        if cfg!(windows) || !self.file.exists() {
            return Ok(None);
        }
        let held = connect(&self.file).and_then(|db| {
            db.execute_batch("BEGIN IMMEDIATE")?;
            Ok(db)
        });
        match held.map_err(Error::from) {
            Ok(db) => Ok(Some(db)),
            Err(error) if error.is_damage() => Ok(None),
            Err(error) => Err(error).context(|| format!("cannot replace {}", shown(&self.file))),
        }
    }

    /// What the folder says is on the disk, too.
    fn sync(&self) -> io::Result<()> {
        match self.file.parent() {
            Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
            _ => Ok(()),
        }
    }
}

/// Gives the file another name, and its own to the copy. Between the two there is a
/// database, too, where the folder takes links.
fn replace(file: &Path, copy: &Path, before: &Path) -> io::Result<()> {
    if !file.exists() {
        return fs::rename(copy, file);
    }
    let is_linked = fs::hard_link(file, before).is_ok();
    if !is_linked {
        fs::rename(file, before)?;
    }
    let renamed = fs::rename(copy, file);
    if renamed.is_err() {
        let _ = if is_linked {
            fs::remove_file(before)
        } else {
            fs::rename(before, file)
        };
    }
    renamed
}

/// An empty log goes, unless somebody has the database open, who takes it along. One
/// that is not empty stays: it may be another file's.
fn tidy(db: &Path) {
    let is_empty = fs::metadata(beside(db, "-wal")).is_ok_and(|log| log.len() == 0);
    if is_empty && let Ok(db) = Connection::open_with_flags(db, OpenFlags::SQLITE_OPEN_READ_WRITE) {
        let _ = schema_version(&db);
    }
}

/// What is in the log stays there: it may be another file's.
fn connect(file: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    db.busy_timeout(PATIENCE)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(db)
}
