//! What was erased leaves no word beside the database: SQLite's log and the index
//! of `clankers search` hold it still when the commands that erased it are
//! stored. The plugin does the same (`plugin-shim/src/storage/erasure.ts`).

use std::path::{Path, PathBuf};
use std::time::Duration;

use clankers::model::command::Command;
use clankers::store::erases;
use rusqlite::Connection;

use super::files::beside;
use super::identity::HeldFile;

/// What is still to be cleared of a database.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Erasure {
    log: bool,
    index: bool,
}

impl Erasure {
    /// Of a database that is about to be opened. Who left a log may have erased
    /// something, and ended before it was emptied.
    pub(crate) fn found(db: &Path) -> Self {
        let log = std::fs::metadata(beside(db, "-wal"));
        Self {
            log: log.is_ok_and(|log| log.len() > 0),
            index: false,
        }
    }

    /// Commands were stored.
    pub(crate) fn stored(&mut self, commands: &[Command]) {
        if commands.iter().any(erases) {
            *self = Self {
                log: true,
                index: true,
            };
        }
    }

    /// Clears what is to be cleared, and waits so long for whoever reads. Whether
    /// nothing is left; what is left is for the next time.
    pub(crate) fn settle(&mut self, db: &Connection, path: &Path, wait: Duration) -> bool {
        if self.index {
            self.index = !remove_search_index(path);
        }
        if self.log {
            self.log = !empty_log(db, wait).unwrap_or(false);
        }
        !self.index && !self.log
    }
}

/// Where the search index of a database is.
pub(crate) fn search_index(db: &Path) -> PathBuf {
    db.with_extension("search")
}

/// Moves what is in the log into the database, and waits so long for whoever reads.
/// Whether the log is empty.
pub(crate) fn empty_log(db: &Connection, wait: Duration) -> rusqlite::Result<bool> {
    let before: u32 = db.query_row("PRAGMA busy_timeout", [], |row| row.get(0))?;
    db.busy_timeout(wait)?;
    let checkpoint = "PRAGMA main.wal_checkpoint(TRUNCATE)";
    let is_busy = db.query_row(checkpoint, [], |row| row.get(0));
    db.busy_timeout(Duration::from_millis(before.into()))?;
    is_busy.map(|is_busy: bool| !is_busy)
}

/// Removes the search index of a database, which the next search makes anew.
/// Whether none is left.
fn remove_search_index(db: &Path) -> bool {
    let index = search_index(db);
    // A file of that name may be somebody else's.
    if index == db || !is_sqlite(&index) {
        return true;
    }
    let is_gone = |ending: &&str| {
        let path = beside(&index, ending);
        std::fs::remove_file(&path).is_ok() || !path.exists()
    };
    ["", "-wal", "-shm"].iter().all(is_gone)
}

fn is_sqlite(path: &Path) -> bool {
    let is_file = std::fs::metadata(path).is_ok_and(|file| file.is_file());
    is_file && HeldFile::open(path).is_ok_and(|file| file.is_whole())
}
