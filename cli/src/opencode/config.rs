//! From where OpenCode loads plugins: configuration files and folders, of the
//! user and of the project.

use std::env;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::{Error, Result};
use crate::paths::{folder_from_env, shown, xdg_config};

/// The names of a configuration file, in the order OpenCode merges them.
const FILES: [&str; 3] = ["config.json", "opencode.json", "opencode.jsonc"];
/// The folders whose files are plugins. OpenCode 1.0 reads only the first.
const PLUGIN_FOLDERS: [&str; 2] = ["plugin", "plugins"];
/// The npm package.
pub(crate) const PACKAGE: &str = "opencode-clankers";

/// For whom a configuration holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All of the user's projects.
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

/// A configuration file that is there.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    pub(crate) path: PathBuf,
    pub(crate) scope: Scope,
    /// Its `plugin` list, or why it cannot be read.
    pub(crate) plugins: std::result::Result<Vec<Value>, String>,
}

/// A place where clankers is named or lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) scope: Scope,
    /// The configuration file, or the plugin file itself.
    pub(crate) at: PathBuf,
    /// What is named; none of a file in a plugin folder.
    pub(crate) spec: Option<String>,
    /// Whether options stand beside it, which releases up to 1.3 do not take.
    pub(crate) has_options: bool,
}

impl Entry {
    /// Where it is, with what it names.
    pub(crate) fn described(&self) -> String {
        match &self.spec {
            Some(spec) => format!("`{spec}` in {}", shown(&self.at)),
            None => shown(&self.at),
        }
    }
}

/// The folder of the user's configuration.
pub(crate) fn global_folder() -> Result<PathBuf> {
    Ok(xdg_config()?.join("opencode"))
}

/// The configuration files that OpenCode would read in `project`.
pub(crate) fn files(project: &Path) -> Result<Vec<ConfigFile>> {
    let mut found: Vec<ConfigFile> = Vec::new();
    let mut add = |path: PathBuf, scope: Scope| {
        if path.is_file() && found.iter().all(|file| file.path != path) {
            let plugins = read_plugins(&path);
            found.push(ConfigFile {
                path,
                scope,
                plugins,
            });
        }
    };
    for name in FILES {
        add(global_folder()?.join(name), Scope::Global);
    }
    if let Some(file) = env::var_os("OPENCODE_CONFIG").map(PathBuf::from) {
        add(file, Scope::Global);
    }
    if let Some(folder) = folder_from_env("OPENCODE_CONFIG_DIR") {
        for name in FILES {
            add(folder.join(name), Scope::Global);
        }
    }
    for folder in project_folders(project) {
        for name in &FILES[1..] {
            add(folder.join(name), Scope::Project);
            add(folder.join(".opencode").join(name), Scope::Project);
        }
    }
    Ok(found)
}

/// The folders in which a file is a plugin, whether they are there or not.
pub(crate) fn plugin_folders(project: &Path) -> Result<Vec<(PathBuf, Scope)>> {
    let mut roots = vec![(global_folder()?, Scope::Global)];
    roots.extend(folder_from_env("OPENCODE_CONFIG_DIR").map(|folder| (folder, Scope::Global)));
    let of_project = project_folders(project).into_iter();
    roots.extend(of_project.map(|folder| (folder.join(".opencode"), Scope::Project)));
    let below =
        |(root, scope): &(PathBuf, Scope)| PLUGIN_FOLDERS.map(|name| (root.join(name), *scope));
    Ok(roots.iter().flat_map(below).collect())
}

/// Every place where clankers is installed.
pub(crate) fn entries(project: &Path) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for file in files(project)? {
        for plugin in file.plugins.iter().flatten() {
            if let Some(spec) = spec_of(plugin).filter(|spec| is_ours(spec)) {
                entries.push(Entry {
                    scope: file.scope,
                    at: file.path.clone(),
                    spec: Some(spec.to_owned()),
                    has_options: plugin.is_array(),
                });
            }
        }
    }
    for (folder, scope) in plugin_folders(project)? {
        for path in scripts(&folder) {
            if is_our_file(&path) {
                entries.push(Entry {
                    scope,
                    at: path,
                    spec: None,
                    has_options: false,
                });
            }
        }
    }
    Ok(entries)
}

/// What an entry of the `plugin` list names.
pub(crate) fn spec_of(plugin: &Value) -> Option<&str> {
    match plugin {
        Value::String(spec) => Some(spec),
        Value::Array(with_options) => with_options.first()?.as_str(),
        _ => None,
    }
}

/// The file that an entry names, where it names one.
pub(crate) fn file_of(spec: &str) -> Option<PathBuf> {
    let path = spec.strip_prefix("file://").map(decoded).or_else(|| {
        (spec.starts_with('/') || spec.starts_with("./") || spec.starts_with("../"))
            .then(|| spec.to_owned())
    })?;
    Some(PathBuf::from(path))
}

/// Whether an entry names clankers: the package, or a file that is its.
pub(crate) fn is_ours(spec: &str) -> bool {
    let is_package = spec == PACKAGE
        || spec
            .strip_prefix(PACKAGE)
            .is_some_and(|rest| rest.starts_with('@'));
    is_package || file_of(spec).is_some_and(|path| is_our_file(&path) || is_named_ours(&path))
}

/// Whether a file would be clankers by where it lies, even if it is not there any more.
fn is_named_ours(path: &Path) -> bool {
    let name = |part: Option<&std::ffi::OsStr>| {
        part.and_then(|name| name.to_str())
            .unwrap_or_default()
            .to_owned()
    };
    let is_dist = name(path.parent().and_then(Path::file_name)) == "dist";
    let package = name(
        path.parent()
            .and_then(Path::parent)
            .and_then(Path::file_name),
    );
    name(path.file_name()) == "clankers.js"
        || (is_dist && (package == PACKAGE || package == "plugin-shim"))
}

/// Whether a file is clankers: it lies in the package, or is its one-file form.
fn is_our_file(path: &Path) -> bool {
    if path.file_name().is_some_and(|name| name == "clankers.js") {
        return true;
    }
    let package = path
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join("package.json"));
    package.into_iter().any(|file| {
        let read = fs::read_to_string(file).ok();
        let json: Option<Value> = read.and_then(|text| serde_json::from_str(&text).ok());
        json.is_some_and(|json| json.get("name").and_then(Value::as_str) == Some(PACKAGE))
    })
}

fn read_plugins(path: &Path) -> std::result::Result<Vec<Value>, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let value: Value =
        jsonc_parser::parse_to_serde_value(&text, &jsonc_parser::ParseOptions::default())
            .map_err(|error| error.to_string())?;
    match value.get("plugin") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(plugins)) => Ok(plugins.clone()),
        Some(_) => Err("`plugin` is not a list".to_owned()),
    }
}

/// The project's folder and those above it, up to its repository's root.
fn project_folders(project: &Path) -> Vec<PathBuf> {
    let root = project
        .ancestors()
        .find(|folder| folder.join(".git").exists())
        .unwrap_or(project);
    let within = |folder: &&Path| folder.starts_with(root);
    project
        .ancestors()
        .take_while(within)
        .map(Path::to_owned)
        .collect()
}

fn scripts(folder: &Path) -> Vec<PathBuf> {
    let is_script = |path: &PathBuf| {
        path.extension()
            .is_some_and(|ending| ending == "js" || ending == "ts")
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut scripts: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(is_script)
        .collect();
    scripts.sort();
    scripts
}

/// A path out of a `file://` address.
fn decoded(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        let hex = (byte == b'%').then(|| {
            let mut ahead = rest.clone();
            let digits = [ahead.next()?, ahead.next()?];
            let text = std::str::from_utf8(&digits).ok()?;
            Some((u8::from_str_radix(text, 16).ok()?, ahead))
        });
        if let Some(Some((byte, ahead))) = hex {
            bytes.push(byte);
            rest = ahead;
        } else {
            bytes.push(byte);
        }
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    if cfg!(windows) {
        text.trim_start_matches('/').to_owned()
    } else {
        text
    }
}

/// The address of a file, as OpenCode takes it.
pub(crate) fn address(path: &Path) -> Result<String> {
    let path = std::path::absolute(path)?;
    let text = path
        .to_str()
        .ok_or_else(|| Error::new("the plugin's path is not text"))?;
    let mut address = String::from(if text.starts_with('/') {
        "file://"
    } else {
        "file:///"
    });
    for byte in text.bytes() {
        match byte {
            b'\\' if cfg!(windows) => address.push('/'),
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'/'
            | b'-'
            | b'_'
            | b'.'
            | b'~'
            | b'+'
            | b'@'
            | b':'
            | b',' => {
                address.push(char::from(byte));
            }
            byte => {
                // Writing to a string does not fail.
                let _ = write!(address, "%{byte:02X}");
            }
        }
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::{address, file_of, is_ours};
    use std::path::{Path, PathBuf};

    #[test]
    fn the_package_is_known_with_and_without_a_version() {
        assert!(is_ours("opencode-clankers"));
        assert!(is_ours("opencode-clankers@0.1.0"));
        assert!(!is_ours("opencode-clankers-theme"));
        assert!(!is_ours("file:///home/user/other/dist/index.js"));
        assert!(is_ours("file:///gone/plugin-shim/dist/index.js"));
    }

    #[test]
    fn addresses_are_paths_and_back() {
        let path = Path::new("/home/user/my code/ü/index.js");
        let address = address(path).unwrap();
        assert_eq!(address, "file:///home/user/my%20code/%C3%BC/index.js");
        assert_eq!(file_of(&address), Some(PathBuf::from(path)));
        assert_eq!(file_of("opencode-clankers"), None);
    }
}
