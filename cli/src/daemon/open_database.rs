//! The database that the daemon writes, and whether it is still the file that its
//! path names.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::watch;

use crate::error::{Error, Result};
use crate::paths::{Paths, shown};
use crate::store::{
    Applied, Batch, Erasure, FileIdentity, HeldFile, Writer, apply_each, open_writer, set_aside,
};

/// The open database. Whoever removes it, or puts another in its place, finds the
/// next batch in what is there then.
#[derive(Debug)]
pub(super) struct OpenDatabase {
    paths: Paths,
    // Dropped before its file is.
    db: Connection,
    /// None where it could not be opened.
    file: Option<HeldFile>,
    erasure: Erasure,
    /// What tells it from others, for whoever wants to know.
    name: watch::Sender<Arc<str>>,
}

impl OpenDatabase {
    /// Opens the database, and makes it where it is not there or is damaged.
    pub(super) fn open(paths: &Paths) -> Result<Self> {
        let erasure = Erasure::found(&paths.db);
        let Writer { db, file, .. } = opened(paths)?;
        let name = watch::Sender::new(name(&file, &db)?);
        Ok(Self {
            paths: paths.clone(),
            db,
            file: Some(file),
            erasure,
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
        match &self.file {
            Some(file) if !file.is_whole() => {
                // Before it is closed, when what is in the log would be written over what is there.
                self.put_aside("something else was written over it")?;
                self.reopen()?;
            }
            Some(file) if file.is_at(&self.paths.db) => {}
            _ => {
                // Closed first: what is in the log goes into the file that it is of, wherever
                // that is now, and the log is gone before another file is opened beside it.
                if let Err(error) = self.db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
                    tracing::warn!(%error, "what is in the log may be missing in the file that was moved");
                }
                self.reopen()?;
                let path = shown(&self.paths.db);
                tracing::warn!(path, "was removed, or another file put in its place");
            }
        }
        Ok(&mut self.db)
    }

    /// Applies batches to the database, where the path still names it. What they erase
    /// is erased everywhere, unless somebody reads: then it is after a later batch.
    pub(super) fn apply<'b>(
        &mut self,
        batches: impl Iterator<Item = &'b Batch> + Clone,
    ) -> Result<Option<Vec<rusqlite::Result<Applied>>>> {
        let is_here = || {
            let file = self.file.as_ref();
            file.is_some_and(|file| file.is_at(&self.paths.db))
        };
        let outcomes = apply_each(&mut self.db, batches.clone(), is_here)?;
        if outcomes.iter().flatten().any(std::result::Result::is_ok) {
            for batch in batches {
                self.erasure.stored(&batch.commands);
            }
            self.erasure
                .settle(&self.db, &self.paths.db, Duration::ZERO);
        }
        Ok(outcomes)
    }

    /// Opens what the path names anew.
    pub(super) fn reopen(&mut self) -> Result<()> {
        self.db = Connection::open_in_memory()?;
        self.file = None;
        let erasure = Erasure::found(&self.paths.db);
        let Writer { db, file, .. } = opened(&self.paths)?;
        let name = name(&file, &db)?;
        (self.db, self.file, self.erasure) = (db, Some(file), erasure);
        self.name.send_replace(name);
        Ok(())
    }

    /// Puts the database out of the way, where it still is the one that is open, and
    /// begins a new one.
    pub(super) fn replace(&mut self, damage: &Error) -> Result<()> {
        self.put_aside(damage.reason())?;
        self.reopen()
    }

    fn put_aside(&self, damage: &str) -> Result<()> {
        match &self.file {
            Some(file) => put_aside(&self.paths, file.identity, damage),
            None => Ok(()),
        }
    }

    /// Lets go of it.
    pub(super) fn close(self) -> rusqlite::Result<()> {
        self.db.close().map_err(|(_, error)| error)
    }
}

fn opened(paths: &Paths) -> Result<Writer> {
    let before = FileIdentity::at(&paths.db);
    let opened = match open_writer(paths) {
        Err(error) if error.is_damage() => {
            if let Some(file) = before {
                put_aside(paths, file, error.reason())?;
            }
            open_writer(paths)?
        }
        other => other?,
    };
    Ok(opened)
}

fn put_aside(paths: &Paths, file: FileIdentity, damage: &str) -> Result<()> {
    if let Some(aside) = set_aside(&paths.db, file)? {
        let (path, aside) = (shown(&paths.db), shown(&aside));
        tracing::error!(
            path,
            aside,
            damage,
            "was damaged, is set aside, and a new one is begun"
        );
    }
    Ok(())
}

fn name(file: &HeldFile, db: &Connection) -> Result<Arc<str>> {
    let id: String = db.query_row("SELECT id FROM clankers_database", [], |row| row.get(0))?;
    Ok(format!("{} {id}", file.identity.name()).into())
}
