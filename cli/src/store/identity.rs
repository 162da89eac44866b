//! Which file a path names, and whether what is open is a database still.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::error::{Error, Result};
use crate::paths::shown;

/// What every `SQLite` database begins with.
const HEAD: &[u8; 16] = b"SQLite format 3\0";

/// Which file a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileIdentity {
    device: u64,
    inode: u64,
}

impl FileIdentity {
    /// Of the file at a path; none where there is none.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        Some(Self::of(&fs::metadata(path).ok()?))
    }

    #[cfg(unix)]
    fn of(file: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self {
            device: file.dev(),
            inode: file.ino(),
        }
    }

    /// An open file can be neither removed nor replaced there.
    #[cfg(windows)]
    fn of(_: &fs::Metadata) -> Self {
        Self {
            device: 0,
            inode: 0,
        }
    }

    /// In words that tell it from others.
    pub(crate) fn name(self) -> String {
        format!("{}:{}", self.device, self.inode)
    }
}

/// Fails where a file that a person names is the database itself. `hint` says what to
/// name instead.
pub(crate) fn refuse_database(path: &Path, db: &Path, hint: &str) -> Result<()> {
    if !is_same_file(path, db) {
        return Ok(());
    }
    Err(Error::new(format!("{} is the database itself", shown(path))).hint(hint))
}

/// Whether two paths lead to one file that is there.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let (first, second) = (fs::canonicalize(one), fs::canonicalize(other));
    let (Ok(first), Ok(second)) = (first, second) else {
        return false;
    };
    first == second || (cfg!(unix) && FileIdentity::at(&first) == FileIdentity::at(&second))
}

/// The file of a database that is open. It is to be dropped after the database: a
/// process that closes any descriptor of a file lets go of all its locks on it.
#[derive(Debug)]
pub(crate) struct HeldFile {
    file: File,
    pub(crate) identity: FileIdentity,
}

impl HeldFile {
    /// Opens the file at a path.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let identity = FileIdentity::of(&file.metadata()?);
        Ok(Self { file, identity })
    }

    /// Whether the path still names it.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        FileIdentity::at(path) == Some(self.identity)
    }

    /// Whether it begins as a database does. `SQLite` goes on for a long time with
    /// what it has in memory when something else is written over its file.
    pub(crate) fn is_whole(&self) -> bool {
        let mut found = [0; HEAD.len()];
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_exact_at(&self.file, &mut found, 0);
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(&self.file, &mut found, 0).map(|_| ());
        match read {
            Ok(()) => found == *HEAD,
            // What cannot be read is for SQLite to say.
            Err(error) => error.kind() != io::ErrorKind::UnexpectedEof,
        }
    }
}
