//! When a copy of an agent's data was written last.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// A time as Unix milliseconds; 0 for one before 1970.
pub(super) fn milliseconds(time: SystemTime) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds are exact for 280,000 years"
    )]
    time.duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_millis() as f64)
}

/// When a file was written last, Unix milliseconds; 0 where that cannot be told.
pub(super) fn written_at(path: &Path) -> f64 {
    let modified = fs::metadata(path).and_then(|file| file.modified());
    modified.map_or(0.0, milliseconds)
}

/// The same of a database: the file or its write-ahead log. An empty log says
/// nothing: whoever only reads makes one, too.
pub(super) fn database_written_at(path: &Path) -> f64 {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let log = PathBuf::from(log);
    let is_empty = fs::metadata(&log).map_or(true, |log| log.len() == 0);
    let log = if is_empty { 0.0 } else { written_at(&log) };
    written_at(path).max(log)
}
