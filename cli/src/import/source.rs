//! Where history comes from, and in which shape it is read.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::exported::Exported;
use super::files::Files;
use super::sqlite::Database;
use crate::error::{Context, Error, Result};
use crate::paths::{folder_from_env, shown, xdg_data};

/// What OpenCode has in a session, as its API would answer.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// Each as the engine answers it that wrote it: OpenCode 1's `{ info, parts }`
    /// or OpenCode 2's `{ id, type, … }`, with its place, `seq`, where that is known.
    pub(crate) messages: Vec<Value>,
    /// None where the source does not keep them.
    pub(crate) todos: Option<Vec<Value>>,
    /// What could not be read of it.
    pub(crate) unreadable: Vec<String>,
}

/// A place that holds sessions.
pub(crate) trait Source {
    /// How it is called in what we say.
    fn name(&self) -> String;
    /// Every session's `info`, and what could not be read.
    fn list(&mut self) -> Result<(Vec<Value>, Vec<String>)>;
    /// All of one session.
    fn read(&mut self, info: &Value) -> Result<History>;
}

/// The folder in which OpenCode keeps its data, on every platform.
pub(crate) fn open_code_data() -> Result<PathBuf> {
    Ok(xdg_data()?.join("opencode"))
}

/// The sources that OpenCode has on this machine. Since 1.2 it keeps SQLite
/// databases and has taken the older files over into them; the files that stay
/// behind may hold what was deleted since, so they count only without one.
pub(crate) fn found() -> Result<Vec<Box<dyn Source>>> {
    let folder = open_code_data()?;
    let mut databases = databases(&folder);
    databases.extend(folder_from_env("OPENCODE_DB").filter(|path| path.is_file()));
    databases.sort();
    databases.dedup();
    let mut sources = opened(databases)?;
    let storage = folder.join("storage");
    if sources.is_empty() && storage.join("session").is_dir() {
        sources.push(Box::new(Files::new(&storage)));
    }
    if sources.is_empty() {
        return Err(
            Error::new(format!("OpenCode has nothing in {}", shown(&folder)))
                .hint("--from names a database, a storage folder or what `opencode export` wrote"),
        );
    }
    Ok(sources)
}

/// The source that a path names.
pub(crate) fn named(path: &Path) -> Result<Vec<Box<dyn Source>>> {
    if path.as_os_str() == "-" {
        let text = std::io::read_to_string(std::io::stdin())?;
        return Ok(vec![Box::new(Exported::parse("standard input", &text)?)]);
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
        let sources = opened(databases)?;
        if sources.is_empty() {
            return Err(Error::new(format!(
                "{} holds no data of OpenCode",
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
        return Ok(vec![Box::new(Database::open(path)?)]);
    }
    let text = std::fs::read_to_string(path).context(what)?;
    Ok(vec![Box::new(Exported::parse(&shown(path), &text)?)])
}

/// The databases of a folder. One that cannot be read, as that of a preview of
/// OpenCode 2, keeps nothing of the others back; it is told with them.
fn opened(databases: Vec<PathBuf>) -> Result<Vec<Box<dyn Source>>> {
    let mut sources: Vec<Box<dyn Source>> = Vec::new();
    let mut refused = Vec::new();
    for path in databases {
        match Database::open(&path) {
            Ok(database) => sources.push(Box::new(database)),
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

    fn list(&mut self) -> Result<(Vec<Value>, Vec<String>)> {
        Ok((Vec::new(), vec![self.why.to_string()]))
    }

    fn read(&mut self, _info: &Value) -> Result<History> {
        Ok(History::default())
    }
}

/// Whether a database is named as OpenCode names its own: `opencode.db`, or
/// `opencode-CHANNEL.db`.
fn is_of_a_channel(path: &Path) -> bool {
    let name = path
        .file_stem()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let is_named_so = name == "opencode" || name.starts_with("opencode-");
    is_named_so && path.extension().is_some_and(|ending| ending == "db")
}

/// `opencode.db`, and `opencode-<channel>.db` of releases other than the latest.
fn databases(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| is_of_a_channel(path))
        .collect();
    found.sort();
    found
}

/// The id in a session's or a message's `info`.
pub(crate) fn id_of(info: &Value) -> &str {
    info.get("id").and_then(Value::as_str).unwrap_or_default()
}
