//! Where the plugin is named or lies, and whether a release would load it there.

use std::fs;
use std::path::{Path, PathBuf};

use super::address::{Named, is_our_package, named};
use super::config::{self, Config, Listed};
use super::host::Host;
use super::locations::{self, Kind, Location, Scope};
use super::module::{self, Form, Module};
use super::program::Release;
use crate::error::Result;
use crate::paths::shown;

/// A place where the plugin is named or lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) scope: Scope,
    /// The configuration, or the file or folder in a folder of plugins.
    pub(crate) at: PathBuf,
    /// What is named; none of what lies in a folder of plugins.
    pub(crate) spec: Option<String>,
    /// The module that it leads to; none of a package by its name, and where there is none.
    pub(crate) module: Option<Module>,
    /// Why this release does not load it.
    pub(crate) refusal: Option<Refusal>,
}

/// Why a release does not load an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Nothing is there.
    Missing,
    /// Only the last list of several files counts.
    Hidden { by: PathBuf },
    /// 2.x takes a folder only.
    NamesAFile,
    /// 2.x finds neither `server.js` nor `index.js` in the folder, and says nothing.
    NoModuleInFolder,
    /// The module has the form for another release.
    Form(Form),
    /// Releases before 1.14 take no options.
    Options,
    /// 1.0 does not start where there is a folder `plugins`.
    FolderOfLater,
    /// An entry like `-opencode-clankers` turns it off.
    TurnedOff { by: String, at: PathBuf },
}

impl Refusal {
    /// The rest of a sentence that begins with the entry.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Missing => "leads to nothing: it is not there".to_owned(),
            Self::Hidden { by } => format!("does not count, since {} has a list of its own", shown(by)),
            Self::NamesAFile => "names a file, and OpenCode 2.x takes a folder only".to_owned(),
            Self::NoModuleInFolder => {
                "is a folder without `server.js` or `index.js`, which OpenCode 2.x leaves out without a word".to_owned()
            }
            Self::Form(Form::Function) => "exports a function, the form for OpenCode 1.x".to_owned(),
            Self::Form(Form::Object) => "exports an object, the form for OpenCode 2.x".to_owned(),
            Self::Options => "has options, which OpenCode takes from 1.14 on".to_owned(),
            Self::FolderOfLater => {
                "is in a folder `plugins`, with which OpenCode 1.0 does not start".to_owned()
            }
            Self::TurnedOff { by, at } => format!("is turned off by `{by}` in {}", shown(at)),
        }
    }

    /// What to do about it.
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Self::Missing => "run `clankers install`, and take the entry out",
            Self::Hidden { .. } => "put the entry into that file, or run `clankers install`",
            Self::NamesAFile | Self::NoModuleInFolder => {
                "name the folder `plugin-shim/dist`, which serves 1.x and 2.x, or run `clankers install`"
            }
            Self::Form(_) => "run `clankers install`, and take this one away",
            Self::Options => {
                "name it without them, and use CLANKERS_DB_PATH and the like, or run `clankers install`"
            }
            Self::FolderOfLater => {
                "move it to the folder `plugin`, without the s, and remove `plugins`"
            }
            Self::TurnedOff { .. } => "take that entry out",
        }
    }
}

impl Entry {
    /// Where it is, with what it names.
    pub(crate) fn described(&self) -> String {
        match &self.spec {
            Some(spec) => format!("`{spec}` in {}", shown(&self.at)),
            None => shown(&self.at),
        }
    }

    pub(crate) const fn loads(&self) -> bool {
        self.refusal.is_none()
    }
}

/// What a host reads in a project, as far as it concerns the plugin.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) entries: Vec<Entry>,
    /// The configurations that are there.
    pub(crate) configs: Vec<Config>,
}

/// Everywhere the plugin is named or lies, for a release of `host` that is
/// started in `project`. Where the release is not known, the newest is meant.
pub(crate) fn find(host: Host, release: Option<Release>, project: &Path) -> Result<Found> {
    let mut found = Found::default();
    let locations = locations::locations(host, release, project)?;
    let read = locations
        .iter()
        .filter_map(|location| config::read(host, location));
    found.configs = read.collect();
    let look = Look {
        host,
        release,
        project,
    };
    let has_list = |path: &PathBuf| {
        let mut configs = found.configs.iter();
        configs.any(|config| config.path == *path && config.has_plugin_list())
    };
    let mut off = None;
    for config in &found.configs {
        let location = locations
            .iter()
            .find(|location| location.path == config.path);
        let hidden_by =
            location.and_then(|location| location.hidden_by.iter().rfind(|path| has_list(path)));
        for listed in config.lists.iter().flat_map(|lists| &lists.entries) {
            if host == Host::OpenCode2 && turns_off(&listed.spec) {
                let (by, at) = (listed.spec.clone(), config.path.clone());
                let refusal = Refusal::TurnedOff { by, at };
                turn_off(&mut found.entries, &refusal);
                off = Some(refusal);
            } else if let Some(mut entry) = look.listed(config, listed) {
                if let Some(by) = hidden_by {
                    entry.refusal = Some(Refusal::Hidden { by: by.clone() });
                }
                found.entries.push(entry);
            }
        }
    }
    let folders = locations
        .iter()
        .filter(|location| location.kind == Kind::Folder);
    let mut lying: Vec<Entry> = folders.flat_map(|location| look.placed(location)).collect();
    if let Some(off) = &off {
        turn_off(&mut lying, off);
    }
    found.entries.extend(lying);
    Ok(found)
}

/// Whether an entry turns the plugin off, which 2.x alone knows.
fn turns_off(spec: &str) -> bool {
    spec == "-*" || spec.strip_prefix('-') == Some(module::PACKAGE)
}

/// Turns off what was read before. What is listed behind that loads again, and
/// what lies in a plugin folder is read before every list.
fn turn_off(before: &mut [Entry], refusal: &Refusal) {
    for entry in before {
        entry.refusal.get_or_insert_with(|| refusal.clone());
    }
}

/// Who looks.
struct Look<'a> {
    host: Host,
    release: Option<Release>,
    project: &'a Path,
}

impl Look<'_> {
    fn is_before(&self, release: Release) -> bool {
        self.host == Host::OpenCode1 && self.release.is_some_and(|own| own < release)
    }

    /// An entry of a configuration, where it leads to the plugin.
    fn listed(&self, config: &Config, listed: &Listed) -> Option<Entry> {
        let base = config::base(&config.path, self.project);
        let (module, refusal) = match named(&listed.spec, &base) {
            Named::Package(name) => is_our_package(&name).then_some((None, None))?,
            Named::Path(path) => self.led_to(&path)?,
        };
        let options = (listed.has_options && self.is_before((1, 14))).then_some(Refusal::Options);
        Some(Entry {
            scope: config.scope,
            at: config.path.clone(),
            spec: Some(listed.spec.clone()),
            module,
            refusal: refusal.or(options),
        })
    }

    /// What a named path leads to, where that is the plugin.
    fn led_to(&self, path: &Path) -> Option<(Option<Module>, Option<Refusal>)> {
        if path.is_file() {
            let module = module::read(path)?;
            let refusal = match self.host {
                Host::OpenCode2 => Some(Refusal::NamesAFile),
                _ => self.refused_form(&module),
            };
            return Some((Some(module), refusal));
        }
        if !path.is_dir() {
            return is_named_ours(path).then_some((None, Some(Refusal::Missing)));
        }
        let file = match self.host {
            Host::OpenCode2 => module_of_folder(path),
            _ => module_of_package(path).or_else(|| index_of(path)),
        };
        let Some(file) = file else {
            let is_ours = module::package_in(path).is_some() || holds_ours(path);
            let refusal = match self.host {
                Host::OpenCode2 => Refusal::NoModuleInFolder,
                _ => Refusal::Missing,
            };
            return is_ours.then_some((None, Some(refusal)));
        };
        let module = module::read(&file)?;
        let refusal = self.refused_form(&module);
        Some((Some(module), refusal))
    }

    /// What lies in a folder of plugins and is the plugin.
    fn placed(&self, location: &Location) -> Vec<Entry> {
        let mut paths: Vec<PathBuf> = fs::read_dir(&location.path)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        paths.sort();
        let is_script = |path: &Path| {
            path.is_file()
                && path
                    .extension()
                    .is_some_and(|ending| ending == "js" || ending == "ts")
        };
        let is_too_new = location.path.ends_with("plugins") && self.is_before((1, 1));
        let entry = |path: PathBuf| {
            let file = if is_script(&path) {
                Some(path.clone())
            } else if path.is_dir() && self.host == Host::OpenCode2 {
                module_of_folder(&path)
            } else {
                None
            };
            let module = module::read(&file?)?;
            let form = match (self.host, module.form) {
                (Host::OpenCode1 | Host::Kilo, Form::Object) => Some(Refusal::Form(Form::Object)),
                _ => self.refused_form(&module),
            };
            Some(Entry {
                scope: location.scope,
                at: path,
                spec: None,
                refusal: if is_too_new {
                    Some(Refusal::FolderOfLater)
                } else {
                    form
                },
                module: Some(module),
            })
        };
        paths.into_iter().filter_map(entry).collect()
    }

    /// Whether the release does not take the module's form.
    fn refused_form(&self, module: &Module) -> Option<Refusal> {
        let is_refused = match module.form {
            Form::Function => self.host == Host::OpenCode2,
            Form::Object => self.is_before((1, 14)),
        };
        is_refused.then_some(Refusal::Form(module.form))
    }
}

/// What 2.x runs of a folder. It does not look at `package.json`.
fn module_of_folder(folder: &Path) -> Option<PathBuf> {
    ["server", "index"].iter().find_map(|name| {
        ["js", "ts", "mjs", "mts", "cjs", "cts"]
            .iter()
            .map(|ending| folder.join(format!("{name}.{ending}")))
            .find(|path| path.is_file())
    })
}

/// Whether 2.x would run something of a folder.
pub(crate) fn holds_module(folder: &Path) -> bool {
    module_of_folder(folder).is_some()
}

/// What 1.x runs of a folder that is a package.
fn module_of_package(folder: &Path) -> Option<PathBuf> {
    let package = module::package_in(folder)?;
    ["/main", "/exports/.~1server/default"]
        .iter()
        .filter_map(|pointer| module::text_at(&package, pointer))
        .map(|path| folder.join(path))
        .find(|path| path.is_file())
}

/// What 1.x runs of any other folder.
fn index_of(folder: &Path) -> Option<PathBuf> {
    ["index.js", "index.ts"]
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
}

/// Whether a folder holds the plugin under another name than a host looks for.
fn holds_ours(folder: &Path) -> bool {
    ["clankers.js", "server.js", "index.js"]
        .iter()
        .any(|name| module::read(&folder.join(name)).is_some())
}

/// Whether a path that leads to nothing was the plugin's by its name.
fn is_named_ours(path: &Path) -> bool {
    let mut names = path.iter().rev().filter_map(|name| name.to_str());
    let last = names.next().unwrap_or_default();
    if last == "clankers.js" {
        return true;
    }
    let mut above = [Some(last), names.next(), names.next()]
        .into_iter()
        .flatten();
    above.any(|name| name == module::PACKAGE || name == "plugin-shim")
}
