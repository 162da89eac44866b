//! The database's files, which only their owner can read.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::paths::Paths;

#[cfg(unix)]
const FOLDER_MODE: u32 = 0o700;
#[cfg(unix)]
const FILE_MODE: u32 = 0o600;

/// Makes the folder and an empty file where there are none, as the plugin does. A
/// folder that a person named and made is theirs to open. SQLite gives the
/// database's mode to the files it puts beside it.
pub(super) fn make_files(paths: &Paths) -> io::Result<()> {
    if let Some(folder) = paths.db.parent() {
        private_folder(folder)?;
        #[cfg(unix)]
        if paths.in_own_folder {
            narrow(folder, FOLDER_MODE)?;
        }
    }
    if paths.db.exists() {
        return refuse_no_file(&paths.db);
    }
    let mut options = OpenOptions::new();
    private_file(options.append(true).create(true), &paths.db)?;
    Ok(())
}

/// Fails where there is a folder, a pipe or a device: to open a pipe is to wait for
/// whoever is at its other end.
pub(super) fn refuse_no_file(path: &Path) -> io::Result<()> {
    let found = fs::metadata(path)?;
    if found.is_dir() {
        return Err(io::Error::other("it is a folder"));
    }
    if !found.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    Ok(())
}

/// Takes away other people's access to a database and what is beside it.
pub(crate) fn narrow_files(db: &Path) -> io::Result<()> {
    #[cfg(unix)]
    for ending in ["", "-wal", "-shm"] {
        narrow(&beside(db, ending), FILE_MODE)?;
    }
    Ok(())
}

/// The path of a file that is called as another is, and this.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Makes a folder that only its owner can enter. One that is there keeps its mode.
pub(crate) fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, FOLDER_MODE);
    builder.create(folder)
}

/// Opens a file as `options` say. One that is made by it only its owner can
/// read; one that is there keeps its mode.
pub(crate) fn private_file(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, FILE_MODE);
    options.open(path)
}

/// Removes what is called as a file is that is about to be made. Were it a link, as a
/// project can bring one, what it leads to would be written over.
pub(crate) fn make_way(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A path in a URI of `SQLite`.
pub(crate) fn uri(path: &Path) -> String {
    let mut text = String::new();
    for letter in path.to_string_lossy().chars() {
        match letter {
            '%' => text.push_str("%25"),
            '?' => text.push_str("%3f"),
            '#' => text.push_str("%23"),
            '\\' if cfg!(windows) => text.push('/'),
            letter => text.push(letter),
        }
    }
    text
}

/// How many bytes the database takes, with the log that SQLite keeps beside it.
pub(crate) fn size_on_disk(db: &Path) -> u64 {
    let of = |ending: &str| fs::metadata(beside(db, ending)).map_or(0, |file| file.len());
    of("") + of("-wal")
}

/// Takes away what `mode` does not grant, where we own the file; another owner
/// has decided to share it.
#[cfg(unix)]
fn narrow(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let is_ours = found.uid() == rustix::process::getuid().as_raw();
    if found.mode() & 0o777 & !mode == 0 || !is_ours {
        return Ok(());
    }
    fs::set_permissions(path, fs::Permissions::from_mode(found.mode() & mode))
}
