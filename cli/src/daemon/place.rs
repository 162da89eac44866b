//! The database that the daemon writes, and whether it is still the file that its
//! path names.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::watch;

use crate::error::Result;
use crate::paths::{Paths, shown};
use crate::store::open_writer;

/// The open database. Whoever removes it, or puts another in its place, finds the
/// next batch in what is there then.
#[derive(Debug)]
pub(super) struct Place {
    paths: Paths,
    db: Connection,
    file: Option<File>,
    /// What tells it from others, for whoever wants to know.
    name: watch::Sender<Arc<str>>,
}

/// Which file a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct File {
    device: u64,
    inode: u64,
}

impl File {
    #[cfg(unix)]
    fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let file = fs::metadata(path).ok()?;
        Some(Self {
            device: file.dev(),
            inode: file.ino(),
        })
    }

    /// An open file can be neither removed nor replaced there.
    #[cfg(windows)]
    fn of(path: &Path) -> Option<Self> {
        fs::metadata(path).ok()?;
        Some(Self {
            device: 0,
            inode: 0,
        })
    }
}

impl Place {
    /// Opens the database, and makes it where it is not there.
    pub(super) fn open(paths: &Paths) -> Result<Self> {
        let db = open_writer(paths)?;
        let file = File::of(&paths.db);
        let name = watch::Sender::new(name(file, &db)?);
        Ok(Self {
            paths: paths.clone(),
            db,
            file,
            name,
        })
    }

    /// What tells the database from others: another file, or another database in
    /// the file, has another name.
    pub(super) fn name(&self) -> Arc<str> {
        self.name.borrow().clone()
    }

    /// The same as it is from time to time.
    pub(super) fn names(&self) -> watch::Receiver<Arc<str>> {
        self.name.subscribe()
    }

    /// The database, as it is.
    pub(super) fn held(&mut self) -> &mut Connection {
        &mut self.db
    }

    /// The database that the path names now, opened anew where that is another.
    pub(super) fn current(&mut self) -> Result<&mut Connection> {
        if File::of(&self.paths.db) != self.file {
            // Closed first: what is in the log goes into the file that it is of, wherever
            // that is now, and the log is gone before another file is opened beside it.
            if let Err(error) = self.db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
                tracing::warn!(%error, "what is in the log may be missing in the file that was moved");
            }
            self.db = Connection::open_in_memory()?;
            self.file = None;
            let db = open_writer(&self.paths)?;
            let file = File::of(&self.paths.db);
            let name = name(file, &db)?;
            let path = shown(&self.paths.db);
            tracing::warn!(path, "was removed, or another file put in its place");
            (self.db, self.file) = (db, file);
            self.name.send_replace(name);
        }
        Ok(&mut self.db)
    }

    /// Lets go of it.
    pub(super) fn close(self) -> rusqlite::Result<()> {
        self.db.close().map_err(|(_, error)| error)
    }
}

fn name(file: Option<File>, db: &Connection) -> Result<Arc<str>> {
    let id: String = db.query_row("SELECT id FROM clankers_database", [], |row| row.get(0))?;
    let name = file.map_or_else(
        || id.clone(),
        |File { device, inode }| format!("{device}:{inode} {id}"),
    );
    Ok(name.into())
}
