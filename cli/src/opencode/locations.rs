//! The locations that each host reads for plugins, as tried on real releases (see
//! `tests/e2e/places.test.ts`): configuration files and folders of plugins, of
//! the person and of the project.

use std::env;
use std::path::{Path, PathBuf};

use super::host::Host;
use super::program::Release;
use crate::error::Result;
use crate::paths::{folder_from_env, home, xdg_config, xdg_data};

/// The folders whose files are plugins. OpenCode 1.0 reads only the first, and
/// does not start where there is the second.
const PLUGIN_FOLDERS: [&str; 2] = ["plugin", "plugins"];

/// For whom a location holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All of the person's projects.
    Global,
    /// One project.
    Project,
}

impl Scope {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Global => "for all projects",
            Self::Project => "for this project",
        }
    }
}

/// What a location is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A configuration file with lists of plugins.
    File,
    /// A configuration in the environment; its path is the variable's name.
    Variable,
    /// A folder whose files (for 2.x also its folders) are plugins.
    Folder,
}

/// A location that a host reads, whether there is something or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) path: PathBuf,
    pub(crate) scope: Scope,
    pub(crate) kind: Kind,
    /// Files whose list, where they have one, replaces this one's.
    pub(crate) hidden_by: Vec<PathBuf>,
}

/// The folder of a host's own configuration for all projects, in which
/// `clankers install` places the plugin.
pub(crate) fn global_folder(host: Host) -> Result<PathBuf> {
    Ok(xdg_config()?.join(host.name()))
}

/// The folder in which a host keeps its data, on every platform.
pub(crate) fn data_folder(host: Host) -> Result<PathBuf> {
    Ok(xdg_data()?.join(host.name()))
}

/// Another folder that a host was told to read: 2.x reads it instead of the
/// global one, the others beside it.
pub(crate) fn told_folder(host: Host) -> Option<PathBuf> {
    folder_from_env(&host.variable("CONFIG_DIR"))
}

/// The folders in a project where a host keeps its own things; new ones are
/// made in the first.
pub(crate) const fn dot_folders(host: Host) -> &'static [&'static str] {
    match host {
        Host::OpenCode1 | Host::OpenCode2 => &[".opencode"],
        Host::Kilo => &[".kilo", ".kilocode"],
    }
}

/// Every location that a release of `host` reads when it is started in `project`.
/// Where the release is not known, the newest is meant.
pub(crate) fn locations(
    host: Host,
    release: Option<Release>,
    project: &Path,
) -> Result<Vec<Location>> {
    let mut locations = LocationList::default();
    let told = told_folder(host);
    let global = match (host, &told) {
        (Host::OpenCode2, Some(told)) => told.clone(),
        _ => global_folder(host)?,
    };
    locations.files(&global, global_files(host), Scope::Global);
    for (name, hiding) in hidden(host, release, told.is_some()) {
        locations.hide(
            &global.join(name),
            hiding.iter().map(|name| global.join(name)),
        );
    }
    locations.plugins(&global, Scope::Global);
    if let Some(file) = env::var_os(host.variable("CONFIG")).filter(|file| !file.is_empty()) {
        locations.add(project.join(file), Scope::Global, Kind::File);
    }
    for (folder, scope) in project_folders(host, project) {
        locations.files(&folder, files(host), scope);
        for dot in dot_folders(host) {
            locations.files(&folder.join(dot), files(host), scope);
            locations.plugins(&folder.join(dot), scope);
        }
    }
    if host != Host::OpenCode2 {
        let own = home()?;
        for folder in dot_folders(host).iter().map(|dot| own.join(dot)) {
            locations.files(&folder, home_files(host), Scope::Global);
            locations.plugins(&folder, Scope::Global);
        }
        if let Some(folder) = told {
            locations.files(&folder, files(host), Scope::Global);
            locations.plugins(&folder, Scope::Global);
        }
    }
    let variable = host.variable("CONFIG_CONTENT");
    if env::var_os(&variable).is_some_and(|text| !text.is_empty()) {
        locations.add(variable.into(), Scope::Global, Kind::Variable);
    }
    Ok(locations.0)
}

/// Its configuration files in a folder.
const fn files(host: Host) -> &'static [&'static str] {
    match host {
        Host::OpenCode1 | Host::OpenCode2 => &["opencode.json", "opencode.jsonc"],
        Host::Kilo => &[
            "config.json",
            "kilo.json",
            "kilo.jsonc",
            "opencode.json",
            "opencode.jsonc",
        ],
    }
}

/// Its global configuration files.
const fn global_files(host: Host) -> &'static [&'static str] {
    match host {
        Host::OpenCode1 => &["config.json", "opencode.json", "opencode.jsonc"],
        Host::OpenCode2 | Host::Kilo => files(host),
    }
}

/// The global files whose lists the later ones replace. 1.14.48 has them so in
/// any case, 1.17.19 only where another folder was told, but for `config.json`.
fn hidden(
    host: Host,
    release: Option<Release>,
    is_told: bool,
) -> Vec<(&'static str, &'static [&'static str])> {
    let names = global_files(host);
    let is_replaced = |name: &str| match host {
        Host::OpenCode1 => {
            is_told || name == "config.json" || release.is_some_and(|release| release < (1, 17))
        }
        Host::OpenCode2 => false,
        Host::Kilo => is_told,
    };
    let later = |at: usize| names.get(at + 1..).unwrap_or_default();
    let replaced = names
        .iter()
        .enumerate()
        .filter(|(_, name)| is_replaced(name));
    replaced.map(|(at, name)| (*name, later(at))).collect()
}

/// Its configuration files in the folders below the home folder.
const fn home_files(host: Host) -> &'static [&'static str] {
    match host {
        Host::OpenCode1 | Host::OpenCode2 => files(host),
        Host::Kilo => &["kilo.json", "kilo.jsonc", "opencode.json", "opencode.jsonc"],
    }
}

/// The project's folder and those above it that the host reads: up to the
/// repository's root, to the system's where there is no repository, and with 2.x
/// in any case. What lies above the repository holds for other projects, too.
fn project_folders(host: Host, project: &Path) -> Vec<(PathBuf, Scope)> {
    let is_off = |name: &str| {
        env::var_os(host.variable(name)).is_some_and(|value| value == "1" || value == "true")
    };
    // 1.3 heeds the variable, 1.18 does not any more.
    if host != Host::OpenCode1 && is_off("DISABLE_PROJECT_CONFIG") {
        return Vec::new();
    }
    let repository = project
        .ancestors()
        .find(|folder| folder.join(".git").exists());
    let own = repository.unwrap_or(project);
    project
        .ancestors()
        .take_while(|folder| {
            host == Host::OpenCode2 || repository.is_none_or(|root| folder.starts_with(root))
        })
        .map(|folder| {
            let scope = if folder.starts_with(own) {
                Scope::Project
            } else {
                Scope::Global
            };
            (folder.to_owned(), scope)
        })
        .collect()
}

/// Locations as they are found; each is there once.
#[derive(Default)]
struct LocationList(Vec<Location>);

impl LocationList {
    fn add(&mut self, path: PathBuf, scope: Scope, kind: Kind) {
        if self.0.iter().all(|location| location.path != path) {
            self.0.push(Location {
                path,
                scope,
                kind,
                hidden_by: Vec::new(),
            });
        }
    }

    fn hide(&mut self, path: &Path, by: impl Iterator<Item = PathBuf>) {
        if let Some(location) = self.0.iter_mut().find(|location| location.path == path) {
            location.hidden_by = by.collect();
        }
    }

    fn files(&mut self, folder: &Path, names: &[&str], scope: Scope) {
        for name in names {
            self.add(folder.join(name), scope, Kind::File);
        }
    }

    fn plugins(&mut self, folder: &Path, scope: Scope) {
        for name in PLUGIN_FOLDERS {
            self.add(folder.join(name), scope, Kind::Folder);
        }
    }
}
