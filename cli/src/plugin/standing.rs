//! How each release on this machine stands: whether it would load the plugin,
//! and what shows that it does.

use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use rusqlite::Connection;

use super::seen;
use crate::error::Result;
use crate::opencode::config::Config;
use crate::opencode::entry::{self, Entry};
use crate::opencode::fetched;
use crate::opencode::host::Host;
use crate::opencode::program::{self, Program};
use crate::opencode::service::{self, Service, Word};
use crate::output::time;

/// How a release stands.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) host: Host,
    /// The release, where a program says one.
    pub(crate) version: Option<String>,
    /// Everywhere the plugin is named or lies.
    pub(crate) entries: Vec<Entry>,
    /// The configurations that it reads.
    pub(crate) configs: Vec<Config>,
    pub(crate) level: Level,
    /// What OpenCode 2's running service says.
    pub(crate) service: Option<Service>,
}

/// What is known of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// It does not load the plugin.
    NotLoaded,
    /// It would load the plugin, and nothing shows yet that it does.
    Placed,
    /// OpenCode itself says that it is loaded.
    Active,
    /// What it sent is in the database, the last at that time.
    Recording { last: i64 },
}

impl Level {
    /// For programs.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::NotLoaded => "not loaded",
            Self::Placed => "placed",
            Self::Active => "active",
            Self::Recording { .. } => "recording",
        }
    }
}

impl Standing {
    /// What people call the release.
    pub(crate) fn title(&self) -> String {
        match &self.version {
            Some(version) => format!("{} {version}", self.host.product()),
            None => self.host.title().to_owned(),
        }
    }

    /// Whether a service is of this release, as far as both say theirs.
    pub(crate) fn is_of(&self, service: &Service) -> bool {
        service.version.is_none() || self.version.is_none() || service.version == self.version
    }

    pub(crate) fn loading(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.loads())
    }

    /// What is known, in words.
    pub(crate) fn words(&self) -> String {
        match self.level {
            Level::NotLoaded => "does not load it".to_owned(),
            Level::Placed => "placed, not yet seen at work".to_owned(),
            Level::Active => "loaded, as its running service says".to_owned(),
            Level::Recording { last } => format!("recording, last seen at work {}", time(last)),
        }
    }
}

/// How all stand that are here, for somebody who starts them in `project`. Where
/// no program is found (OpenCode Desktop is none), those for which the plugin is
/// placed.
pub(crate) fn all(
    programs: &[Program],
    db: Option<&Connection>,
    project: &Path,
) -> Result<Vec<Standing>> {
    let mut releases: Vec<(Host, Option<String>)> = programs
        .iter()
        .filter_map(|program| Some((program.host()?, program.version.clone())))
        .collect();
    let are_found = !releases.is_empty();
    if !are_found {
        releases.extend(Host::ALL.map(|host| (host, None)));
    }
    let mut standings = Vec::new();
    for (host, version) in releases {
        let release = version.as_deref().and_then(program::release);
        let found = entry::find(host, release, project)?;
        let service = (host == Host::OpenCode2)
            .then(|| service::ask(project))
            .flatten();
        let mut standing = Standing {
            host,
            version,
            entries: found.entries,
            configs: found.configs,
            level: Level::NotLoaded,
            service,
        };
        standing.level = level(&standing, db);
        if are_found || standing.loading().next().is_some() {
            standings.push(standing);
        }
    }
    Ok(standings)
}

fn level(standing: &Standing, db: Option<&Connection>) -> Level {
    let is_active = standing
        .service
        .as_ref()
        .is_some_and(|service| service.word == Word::Active && standing.is_of(service));
    let Some(since) = standing
        .loading()
        .map(|entry| placed_at(standing.host, entry))
        .min()
    else {
        return if is_active {
            Level::Active
        } else {
            Level::NotLoaded
        };
    };
    let last = db.and_then(|db| seen::last(db, standing.host, standing.version.as_deref()));
    match last {
        Some(last) if last >= since => Level::Recording { last },
        _ if is_active => Level::Active,
        _ => Level::Placed,
    }
}

/// When what is loaded was placed, in Unix milliseconds: what a release sent
/// before shows nothing. What a configuration names is placed when it is named, or
/// when what it leads to was written; a variable of the environment has no time.
pub(crate) fn placed_at(host: Host, entry: &Entry) -> i64 {
    let modified = |path: &Path| {
        let since_epoch = fs::metadata(path)
            .ok()?
            .modified()
            .ok()?
            .duration_since(UNIX_EPOCH);
        i64::try_from(since_epoch.ok()?.as_millis()).ok()
    };
    let mut of_it = match &entry.module {
        Some(module) => vec![module.file.clone()],
        None => fetched::copies(host).unwrap_or_default(),
    };
    if entry.spec.is_some() {
        of_it.push(entry.at.clone());
    }
    let times = of_it.iter().filter_map(|path| modified(path));
    times.max().unwrap_or(i64::MIN)
}
