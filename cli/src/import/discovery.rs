//! Where history comes from: what OpenCode and Kilo have on this machine, or what a
//! path names.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clankers::model::copy_rank::CopyRank;
use serde_json::Value;

use super::document::open_file;
use super::exported::Exported;
use super::files::Files;
use super::program::{Program, real};
use super::source::{History, Source};
use super::sqlite::Database;
use super::written::{milliseconds, written_at};
use crate::error::{Context, Error, Result};
use crate::opencode::locations::data_folder;
use crate::paths::shown;

/// The sources that OpenCode and Kilo have on this machine. Since 1.2 OpenCode
/// keeps SQLite databases and has taken the older files over into them; the files
/// that stay behind may hold what was deleted since, so they count only without one.
pub(crate) fn found() -> Result<Vec<Box<dyn Source>>> {
    let mut all = Vec::new();
    let mut sources: Vec<Box<dyn Source>> = Vec::new();
    for program in Program::ALL {
        let folder = data_folder(program.host())?;
        let mut databases = databases(&folder);
        databases.extend(program.told_database().filter(|path| path.exists()));
        let storage = folder.join("storage");
        if databases.is_empty() && storage.join("session").is_dir() {
            sources.push(Box::new(Files::new(&storage)));
        }
        all.extend(databases);
    }
    all.sort();
    let mut seen = BTreeSet::new();
    all.retain(|path| seen.insert(real(path)));
    sources.extend(opened(all));
    if sources.is_empty() {
        let folder = |program: Program| data_folder(program.host()).map(|folder| shown(&folder));
        let [open_code, kilo] = [folder(Program::OpenCode)?, folder(Program::Kilo)?];
        return Err(Error::new(format!(
            "OpenCode has nothing in {open_code}, and Kilo nothing in {kilo}"
        ))
        .hint("--from names a database, a storage folder or what `opencode export` wrote"));
    }
    Ok(sources)
}

/// The sources that a path names.
pub(crate) fn named(path: &Path) -> Vec<Box<dyn Source>> {
    if path.is_dir() {
        return in_folder(path);
    }
    match exported(path) {
        Ok(Some(export)) => vec![Box::new(export)],
        Ok(None) => opened(vec![path.to_owned()]),
        Err(error) => vec![Refused::boxed(path, error)],
    }
}

/// What a folder holds: databases, or the files from before there were any.
fn in_folder(path: &Path) -> Vec<Box<dyn Source>> {
    let storage = if path.join("session").is_dir() {
        path.to_owned()
    } else {
        path.join("storage")
    };
    let databases = databases(path);
    if !databases.is_empty() {
        return opened(databases);
    }
    if storage.join("session").is_dir() {
        return vec![Box::new(Files::new(&storage))];
    }
    let text = format!("{} holds no data of OpenCode's or Kilo's", shown(path));
    vec![Refused::boxed(path, Error::new(text))]
}

/// An export, in a file or on standard input; none where the file is a database.
fn exported(path: &Path) -> Result<Option<Exported>> {
    if path.as_os_str() == "-" {
        let rank = CopyRank::of_export(milliseconds(SystemTime::now()));
        let mut input = std::io::stdin().lock();
        return Exported::read("standard input", rank, &mut input).map(Some);
    }
    let mut file = BufReader::new(open_file(path)?);
    let start = file
        .fill_buf()
        .context(|| format!("cannot read {}", shown(path)))?;
    if start.starts_with(b"SQLite format 3") {
        return Ok(None);
    }
    let rank = CopyRank::of_export(written_at(path));
    Exported::read(&shown(path), rank, &mut file).map(Some)
}

/// These databases. One that cannot be read, as that of a preview of OpenCode 2,
/// keeps nothing of the others back; it is told with them.
fn opened(databases: Vec<PathBuf>) -> Vec<Box<dyn Source>> {
    let mut sources: Vec<Box<dyn Source>> = Vec::new();
    for path in databases {
        match Database::open(&path) {
            Ok(databases) => {
                let databases = databases.into_iter();
                sources.extend(databases.map(|database| Box::new(database) as Box<dyn Source>));
            }
            Err(error) => sources.push(Refused::boxed(&path, error)),
        }
    }
    sources
}

/// What cannot be read.
struct Refused {
    path: PathBuf,
    why: Error,
}

impl Refused {
    fn boxed(path: &Path, why: Error) -> Box<dyn Source> {
        Box::new(Self {
            path: path.to_owned(),
            why,
        })
    }
}

impl Source for Refused {
    fn name(&self) -> String {
        shown(&self.path)
    }

    fn rank(&self) -> CopyRank {
        CopyRank::of_store(0.0)
    }

    fn list(&mut self) -> Result<(Vec<Value>, Vec<String>)> {
        Err(self.why.clone())
    }

    fn read(&mut self, _info: &Value) -> Result<History> {
        Err(self.why.clone())
    }
}

/// The databases in a folder that are named as OpenCode or Kilo name theirs.
fn databases(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| Program::ALL.iter().any(|program| program.names(path)))
        .collect();
    found.sort();
    found
}
