//! A file that a person asks for: new, for its owner alone, and there only once it is
//! complete.

use std::fs::File;
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::error::{Context, Error, Result};
use crate::paths::shown;

/// It is written under another name beside its place, which nobody can foresee, and
/// put there at the end. What is left half done is removed.
pub(crate) struct NewFile {
    path: PathBuf,
    partial: NamedTempFile,
    /// Whether it may take the place of a file that is there.
    force: bool,
}

impl NewFile {
    /// Fails where something is there already, unless that is a file, or a link to
    /// one, and `force` says to replace it. What a link leads to stays as it is.
    pub(crate) fn create(path: &Path, force: bool) -> Result<Self> {
        if let Ok(there) = path.symlink_metadata() {
            let file = there.file_type();
            if !(file.is_file() || file.is_symlink()) {
                return Err(Error::new(format!("{} is no file", shown(path))).hint("name a file"));
            }
            if !force {
                let text = format!("{} is there already", shown(path));
                return Err(Error::new(text).hint("name another file, or replace it with --force"));
            }
        }
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let partial = Builder::new()
            .prefix(".clankers-")
            .suffix(".part")
            .tempfile_in(folder)
            .context(|| cannot_write(path))?;
        Ok(Self {
            path: path.to_owned(),
            partial,
            force,
        })
    }

    /// What is written to. It is open, empty at first, and its mode is 0600.
    pub(crate) fn file(&self) -> &File {
        self.partial.as_file()
    }

    /// Where that is until it is complete.
    pub(crate) fn partial(&self) -> &Path {
        self.partial.path()
    }

    /// Puts it in its place, once it is on the disk.
    pub(crate) fn finish(self) -> Result<()> {
        let what = || cannot_write(&self.path);
        self.partial.as_file().sync_all().context(what)?;
        let placed = if self.force {
            self.partial.persist(&self.path)
        } else {
            self.partial.persist_noclobber(&self.path)
        };
        placed.map_err(|error| error.error).context(what)?;
        Ok(())
    }
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", shown(path))
}
