//! The database, open to write.

use std::path::PathBuf;

use clankers::store;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::identity::HeldFile;
use super::version::refuse_newer;
use crate::error::{Error, Result};
use crate::paths::shown;

/// The database, open to write, and which file that is.
#[derive(Debug)]
pub(crate) struct Writer {
    // Dropped before its file is.
    pub(crate) db: Connection,
    pub(crate) file: HeldFile,
    pub(super) path: PathBuf,
}

impl Writer {
    /// Begins a transaction, in the file that the path names.
    pub(crate) fn begin(&mut self) -> Result<Transaction<'_>> {
        let (file, path) = (&self.file, &self.path);
        let begun = begin(&mut self.db, || file.is_at(path))?;
        begun.ok_or_else(|| {
            let text = format!(
                "{} was removed, or another file put in its place",
                shown(path)
            );
            Error::new(text).hint("run the command again, for the database that is there now")
        })
    }
}

/// Begins a transaction that writes, on a schema that we know: another process
/// may have migrated it since it was opened. None where the database is not where
/// it `is_here` any more once its lock is held, which whoever moves it holds, too.
pub(super) fn begin(
    db: &mut Connection,
    is_here: impl FnOnce() -> bool,
) -> Result<Option<Transaction<'_>>> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if !is_here() {
        return Ok(None);
    }
    let path = transaction.path().unwrap_or_default();
    refuse_newer(path.as_ref(), &transaction)?;
    transaction.prepare_cached(store::BEGIN)?.execute([])?;
    Ok(Some(transaction))
}
