//! Where `clankers install` places the plugin, and how: each file in one step,
//! and nothing that is a person's own is written over.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::carried::Plugin;
use crate::error::{Context, Error, Result};
use crate::opencode::entry::holds_module;
use crate::opencode::host::Host;
use crate::opencode::locations::{dot_folders, global_folder, told_folder};
use crate::opencode::module::{self, Form, is_for_screen};
use crate::opencode::program::is_on_path;
use crate::paths::shown;
use crate::store::make_way;

/// A file that is placed, for the releases that read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) host: Host,
    pub(crate) file: PathBuf,
    pub(crate) form: Form,
}

/// What is where a file is to be placed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum There {
    Nothing,
    /// The same file, to the byte.
    Same,
    /// Another copy of the plugin.
    Another {
        version: String,
    },
    /// A link to the plugin, which somebody has made.
    Link,
}

/// The files for all of a person's projects.
pub(crate) fn global_targets() -> Result<Vec<Target>> {
    let mut targets = Vec::new();
    for host in hosts(None)? {
        if host != Host::OpenCode2 {
            targets.push(target(host, &global_folder(host)?));
            continue;
        }
        targets.push(target(host, &global_folder(host)?));
        // Where it is set, 2.x reads that folder instead.
        targets.extend(told_folder(host).map(|folder| target(host, &folder)));
    }
    Ok(targets)
}

/// The files for one project.
pub(crate) fn project_targets(project: &Path) -> Result<Vec<Target>> {
    let mut targets = Vec::new();
    for host in hosts(Some(project))? {
        if let Some(dot) = dot_folders(host).first() {
            targets.push(target(host, &project.join(dot)));
        }
    }
    Ok(targets)
}

/// Those who are here: both majors of OpenCode where there is one of them, or
/// where there is nobody at all.
fn hosts(project: Option<&Path>) -> Result<Vec<Host>> {
    let is_here = |host: Host| -> Result<bool> {
        let in_project = |project: &Path| {
            let dots = dot_folders(host).iter();
            dots.map(|dot| project.join(dot)).any(|dot| dot.is_dir())
        };
        Ok(is_on_path(host) || global_folder(host)?.is_dir() || project.is_some_and(in_project))
    };
    let mut hosts = Vec::new();
    let has_kilo = is_here(Host::Kilo)?;
    if is_here(Host::OpenCode1)? || !has_kilo {
        hosts.extend([Host::OpenCode1, Host::OpenCode2]);
    }
    if has_kilo {
        hosts.push(Host::Kilo);
    }
    Ok(hosts)
}

/// The folder is `plugin`: 1.0 does not start where there is a folder `plugins`.
fn target(host: Host, folder: &Path) -> Target {
    let plugins = folder.join("plugin");
    let (file, form) = match host {
        Host::OpenCode1 | Host::Kilo => (plugins.join("clankers.js"), Form::Function),
        Host::OpenCode2 => (plugins.join("clankers/server.js"), Form::Object),
    };
    Target { host, file, form }
}

impl Target {
    /// What is there now. What is not the plugin's is an error: it is left alone.
    pub(crate) fn there(&self, plugin: &Plugin) -> Result<There> {
        let folder = self.file.parent().unwrap_or(&self.file);
        let is_own_folder = self.form == Form::Object;
        let is_linked = self.file.is_symlink() || (is_own_folder && folder.is_symlink());
        let has_screen = self.has_screen(plugin)?;
        match fs::read(&self.file) {
            Ok(bytes) if bytes == plugin.bytes(self.form) && has_screen => {
                return Ok(There::Same);
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if is_linked || (is_own_folder && holds_module(folder)) {
                    return Err(self.in_the_way());
                }
                return Ok(There::Nothing);
            }
            Err(error) => {
                return Err(error).context(|| format!("cannot read {}", shown(&self.file)));
            }
        }
        match module::read(&self.file) {
            Some(_) if is_linked => Ok(There::Link),
            Some(module) if module.is_built => Ok(There::Another {
                version: module.version.unwrap_or_default(),
            }),
            _ => Err(self.in_the_way()),
        }
    }

    /// Places it, each file in one step: whoever reads it finds the old one or the new one.
    pub(crate) fn place(&self, plugin: &Plugin) -> Result<()> {
        let place = |file: &Path, bytes: &[u8]| {
            write(file, bytes).context(|| format!("cannot write {}", shown(file)))
        };
        // It is there when the object is taken up.
        if self.form == Form::Object {
            place(&screen_beside(&self.file), &plugin.screen)?;
        }
        place(&self.file, plugin.bytes(self.form))
    }

    /// Whether the part for the screen is there, where there is one. Another's
    /// file of that name is an error: it is left alone.
    fn has_screen(&self, plugin: &Plugin) -> Result<bool> {
        if self.form != Form::Object {
            return Ok(true);
        }
        match fs::read(screen_beside(&self.file)) {
            Ok(bytes) if bytes == *plugin.screen => Ok(true),
            Ok(bytes) if is_for_screen(&bytes) => Ok(false),
            Ok(_) => Err(self.in_the_way()),
            Err(_) => Ok(false),
        }
    }

    fn in_the_way(&self) -> Error {
        let path = match self.form {
            Form::Function => &self.file,
            Form::Object => self.file.parent().unwrap_or(&self.file),
        };
        Error::new(format!(
            "{} is not clankers': it is left as it is",
            shown(path)
        ))
        .hint("move it away and run this again; nothing was changed")
    }
}

/// Takes away a file or a folder that is the plugin, or a link to it. Returns
/// whether other files keep the folder.
pub(crate) fn remove(at: &Path, module: &Path) -> io::Result<bool> {
    if at.symlink_metadata()?.is_symlink() || at.is_file() {
        fs::remove_file(at)?;
    } else {
        fs::remove_file(module)?;
    }
    let screen = screen_beside(module);
    if fs::read(&screen).is_ok_and(|bytes| is_for_screen(&bytes)) {
        let _ = fs::remove_file(&screen);
    }
    // What an `install` that was cut off has left.
    for file in [module, &screen] {
        let _ = fs::remove_file(temporary(file));
    }
    if at.is_dir() {
        // A folder that is not empty stays.
        let _ = fs::remove_dir(at);
    }
    let is_kept = at.is_dir();
    if let Some(folder) = at.parent() {
        let _ = fs::remove_dir(folder);
    }
    Ok(is_kept)
}

/// Where the part for the screen of OpenCode 2.x lies, beside the object.
fn screen_beside(object: &Path) -> PathBuf {
    object.with_file_name("tui.js")
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let temporary = temporary(path);
    make_way(&temporary)?;
    let mut file = File::create_new(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}

/// The name under which a file is written. Its ending keeps a host that starts in
/// that moment from loading it.
fn temporary(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}
