//! Puts a database out of the way, whole, under a name that says when. The plugin
//! does the same (`plugin-shim/src/storage/set-aside.ts`), and several may find
//! the same file damaged at once: who makes the claim beside it moves it.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};

use super::files::{beside, private_file};
use super::identity::FileIdentity;
use crate::error::{Context, Error, Result};
use crate::paths::shown;

/// Moving three files takes no time: a claim that is older was left behind.
const LONGEST_CLAIM: Duration = Duration::from_secs(10);
/// So many in an hour, and the disk is at fault: each further one would be damaged, too.
const MOST_IN_AN_HOUR: usize = 5;

/// Moves a damaged database and what `SQLite` keeps beside it. Returns its new
/// path, or none where another file is there by now.
pub(crate) fn set_aside(db: &Path, damaged: FileIdentity) -> Result<Option<PathBuf>> {
    let claim = Claim::take(db).context(|| format!("cannot set {} aside", shown(db)))?;
    if FileIdentity::at(&claim.file) != Some(damaged) {
        return Ok(None);
    }
    let recent = claim.recent("corrupt")?;
    if recent >= MOST_IN_AN_HOUR {
        return Err(Error::new(format!(
            "{recent} databases were set aside within an hour, so that the disk may be failing"
        ))
        .hint(format!("move {} away yourself", shown(db))));
    }
    let aside = claim.free_name("corrupt");
    claim
        .exchange(&aside, |file| fs::rename(file, &aside))
        .context(|| format!("cannot set {} aside", shown(db)))?;
    Ok(Some(aside))
}

/// The right to move a database's files, as long as it is held.
#[derive(Debug)]
pub(crate) struct Claim {
    /// The database's file itself, where its path is a link.
    pub(crate) file: PathBuf,
}

impl Claim {
    /// Takes it, unless another process has it.
    pub(crate) fn take(db: &Path) -> io::Result<Self> {
        let file = fs::canonicalize(db).unwrap_or_else(|_| db.to_owned());
        let claim = beside(&file, ".claim");
        let is_left_behind = |claim: &Path| {
            let changed = fs::metadata(claim).and_then(|found| found.modified());
            changed.is_ok_and(|changed| {
                let now = SystemTime::now();
                let age = now
                    .duration_since(changed)
                    .or_else(|_| changed.duration_since(now));
                age.is_ok_and(|age| age > LONGEST_CLAIM)
            })
        };
        if is_left_behind(&claim) {
            fs::remove_file(&claim)?;
        }
        private_file(OpenOptions::new().write(true).create_new(true), &claim).map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                io::Error::new(error.kind(), "another process is moving it, try again")
            } else {
                error
            }
        })?;
        Ok(Self { file })
    }

    /// What the database is to be called, by a word that says why and the time.
    pub(crate) fn free_name(&self, why: &str) -> PathBuf {
        let dated = dated(why, Timestamp::now());
        let names = (1..).map(|count| match count {
            1 => beside(&self.file, &dated),
            _ => beside(&self.file, &format!("{dated}-{count}")),
        });
        let mut free = names.skip_while(|name| name.symlink_metadata().is_ok());
        free.next().unwrap_or_else(|| beside(&self.file, &dated))
    }

    /// Moves what `SQLite` keeps beside the file, then lets `change` do what is to be
    /// done with the file. A log that were left would be taken for the next
    /// database's. Where one of these fails, all is where it was.
    pub(crate) fn exchange(
        &self,
        aside: &Path,
        change: impl FnOnce(&Path) -> io::Result<()>,
    ) -> io::Result<()> {
        let moved = move_companions(&self.file, aside).and_then(|()| change(&self.file));
        if moved.is_err() {
            let _ = move_companions(aside, &self.file);
        }
        moved
    }

    /// How many were set aside for this within an hour.
    fn recent(&self, why: &str) -> Result<usize> {
        let oldest = Timestamp::now() - SignedDuration::from_hours(1);
        let name = |ending: &str| {
            let path = beside(&self.file, ending);
            path.file_name()
                .map(|name| name.to_string_lossy().into_owned())
        };
        let (start, oldest) = (name(&format!(".{why}-")), name(&dated(why, oldest)));
        let (Some(start), Some(oldest), Some(folder)) = (start, oldest, self.file.parent()) else {
            return Ok(0);
        };
        let mut count = 0;
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let is_companion = name.ends_with("-wal") || name.ends_with("-shm");
            if name.starts_with(&start) && name > oldest && !is_companion {
                count += 1;
            }
        }
        Ok(count)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let _ = fs::remove_file(beside(&self.file, ".claim"));
    }
}

fn move_companions(from: &Path, to: &Path) -> io::Result<()> {
    for ending in ["-wal", "-shm"] {
        match fs::rename(beside(from, ending), beside(to, ending)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn dated(why: &str, at: Timestamp) -> String {
    format!(".{why}-{}", at.strftime("%Y-%m-%dT%H-%M-%S"))
}
