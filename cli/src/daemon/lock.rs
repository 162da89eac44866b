//! One daemon for a socket and one for a database: locks that the system lets
//! go of with the process, whatever ends it.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::error::{Context, Error, Result};
use crate::paths;
use crate::store::{beside, private_file, private_folder};

/// Held while a daemon runs.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Whether a daemon holds the lock of the file `path`.
    pub(crate) fn is_held(path: &Path) -> bool {
        let file = OpenOptions::new().read(true).open(lock_path(path));
        file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// Takes the lock of the file `path`, or says that another daemon has it.
    pub(crate) fn take(path: &Path) -> Result<Self> {
        let lock = lock_path(path);
        let what = || format!("cannot lock {}", paths::shown(&lock));
        if let Some(folder) = lock.parent() {
            private_folder(folder).context(what)?;
        }
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = private_file(&mut options, &lock).context(what)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::new(format!(
                "another daemon is running for {}",
                paths::shown(path)
            ))
            .hint("`clankers status` shows it, `clankers daemon --stop` ends it")),
            Err(TryLockError::Error(error)) => Err(error).context(what),
        }
    }
}

/// Beside the file. It stays there: removing a lock file opens a race.
fn lock_path(path: &Path) -> PathBuf {
    beside(path, ".lock")
}
