//! Where history comes from: what OpenCode and Kilo have on this machine, or what a
//! path names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clankers::model::copy_rank::CopyRank;
use serde_json::Value;

use super::exported::Exported;
use super::files::Files;
use super::program::{Program, real};
use super::source::{History, Source};
use super::sqlite::Database;
use super::written::{milliseconds, written_at};
use crate::error::{Context, Error, Result};
use crate::opencode::places::data_folder;
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
        databases.extend(program.told_database().filter(|path| path.is_file()));
        let storage = folder.join("storage");
        if databases.is_empty() && storage.join("session").is_dir() {
            sources.push(Box::new(Files::new(&storage)));
        }
        all.extend(databases);
    }
    all.sort();
    let mut seen = BTreeSet::new();
    all.retain(|path| seen.insert(real(path)));
    let sources = opened(all, sources)?;
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

/// The source that a path names.
pub(crate) fn named(path: &Path) -> Result<Vec<Box<dyn Source>>> {
    if path.as_os_str() == "-" {
        let text = std::io::read_to_string(std::io::stdin())?;
        let rank = CopyRank::of_export(milliseconds(SystemTime::now()));
        return Ok(vec![Box::new(Exported::parse(
            "standard input",
            rank,
            &text,
        )?)]);
    }
    let what = || format!("cannot read {}", shown(path));
    if path.is_dir() {
        let storage = if path.join("session").is_dir() {
            path.to_owned()
        } else {
            path.join("storage")
        };
        let databases = databases(path);
        if databases.is_empty() && storage.join("session").is_dir() {
            return Ok(vec![Box::new(Files::new(&storage))]);
        }
        let sources = opened(databases, Vec::new())?;
        if sources.is_empty() {
            return Err(Error::new(format!(
                "{} holds no data of OpenCode's or Kilo's",
                shown(path)
            )));
        }
        return Ok(sources);
    }
    let mut start = [0; 16];
    let mut file = std::fs::File::open(path).context(what)?;
    let read = std::io::Read::read(&mut file, &mut start).context(what)?;
    if start
        .get(..read)
        .is_some_and(|start| start.starts_with(b"SQLite format 3"))
    {
        return opened(vec![path.to_owned()], Vec::new());
    }
    let text = std::fs::read_to_string(path).context(what)?;
    let rank = CopyRank::of_export(written_at(path));
    Ok(vec![Box::new(Exported::parse(&shown(path), rank, &text)?)])
}

/// These databases, with `sources`. One that cannot be read, as that of a preview
/// of OpenCode 2, keeps nothing of the others back; it is told with them.
fn opened(
    databases: Vec<PathBuf>,
    mut sources: Vec<Box<dyn Source>>,
) -> Result<Vec<Box<dyn Source>>> {
    let mut refused = Vec::new();
    for path in databases {
        match Database::open(&path) {
            Ok(databases) => {
                let databases = databases.into_iter();
                sources.extend(databases.map(|database| Box::new(database) as Box<dyn Source>));
            }
            Err(error) => refused.push((path, error)),
        }
    }
    if sources.is_empty()
        && let Some((_, error)) = refused.pop()
    {
        return Err(error);
    }
    for (path, why) in refused {
        sources.push(Box::new(Refused { path, why }));
    }
    Ok(sources)
}

/// A database that cannot be read.
struct Refused {
    path: PathBuf,
    why: Error,
}

impl Source for Refused {
    fn name(&self) -> String {
        shown(&self.path)
    }

    fn rank(&self) -> CopyRank {
        CopyRank::of_store(0.0)
    }

    fn list(&mut self) -> Result<(Vec<Value>, Vec<String>)> {
        Ok((Vec::new(), vec![self.why.to_string()]))
    }

    fn read(&mut self, _info: &Value) -> Result<History> {
        Ok(History::default())
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
