//! Where files are: the data folder, the database, the daemon's socket.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The database's name in the data folder.
const DATABASE: &str = "clankers.db";
/// The socket's name in the data folder.
const SOCKET: &str = "dxta-clankers.sock";
/// The settings' name in the folder of a person's own configuration.
const SETTINGS: &str = "config.json";
/// The longest path that `sockaddr_un` holds on the systems we know.
#[cfg(unix)]
const MAX_SOCKET_PATH: usize = 103;

/// The paths that one run of the program works with.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    /// The data folder.
    pub(crate) data: PathBuf,
    /// The database.
    pub(crate) db: PathBuf,
    /// The daemon's socket (Windows: the name of its pipe).
    pub(crate) socket: PathBuf,
    /// Whether the database is in the default folder, which is clankers' own.
    pub(crate) in_own_folder: bool,
}

impl Paths {
    /// A file that stands for the socket: itself, or one for its pipe.
    pub(crate) fn socket_file(&self) -> PathBuf {
        if cfg!(windows) {
            self.data.join(SOCKET)
        } else {
            self.socket.clone()
        }
    }
}

/// The paths that were given as options. For others the environment counts, by
/// the same rules as in the plugin: an empty variable is as good as none, and a
/// relative path is not used, since it would mean another file in each project.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct PathArgs {
    /// The database file [env: `CLANKERS_DB_PATH`]
    #[arg(long, global = true, value_name = "FILE")]
    db_path: Option<PathBuf>,
    /// The folder for the database, the socket and logs [env: `CLANKERS_DATA_PATH`]
    #[arg(long, global = true, value_name = "FOLDER")]
    data_path: Option<PathBuf>,
    /// The daemon's socket [env: `CLANKERS_SOCKET_PATH`]
    #[arg(long, global = true, value_name = "FILE")]
    socket: Option<PathBuf>,
}

/// The variables that hold paths.
pub(crate) const VARIABLES: [&str; 3] = [
    "CLANKERS_DB_PATH",
    "CLANKERS_DATA_PATH",
    "CLANKERS_SOCKET_PATH",
];

/// Systems that differ in where a program keeps its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum System {
    MacOs,
    Windows,
    Other,
}

/// What the paths depend on: the system and the environment.
#[derive(Clone, Copy)]
struct Machine<'a> {
    system: System,
    variable: &'a dyn Fn(&str) -> Option<OsString>,
}

/// This machine.
const HERE: Machine<'_> = Machine {
    system: if cfg!(target_os = "macos") {
        System::MacOs
    } else if cfg!(windows) {
        System::Windows
    } else {
        System::Other
    },
    variable: &|name| env::var_os(name),
};

impl Machine<'_> {
    fn home(&self) -> Result<PathBuf> {
        let name = match self.system {
            System::Windows => "USERPROFILE",
            System::MacOs | System::Other => "HOME",
        };
        self.folder_from_env(name).ok_or_else(|| {
            Error::new(format!("{name} is not set")).hint("name the folder with CLANKERS_DATA_PATH")
        })
    }

    fn folder_from_env(&self, name: &str) -> Option<PathBuf> {
        (self.variable)(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    }

    /// A folder as the XDG base directories say: what its variable names, or
    /// `standard` in the home folder.
    fn xdg(&self, name: &str, standard: &str) -> Result<PathBuf> {
        self.folder_from_env(name)
            .map_or_else(|| Ok(self.home()?.join(standard)), Ok)
    }

    fn xdg_data(&self) -> Result<PathBuf> {
        self.xdg("XDG_DATA_HOME", ".local/share")
    }

    fn default_data(&self) -> Result<PathBuf> {
        let base = match self.system {
            System::MacOs => self.home()?.join("Library/Application Support"),
            System::Windows => match self.folder_from_env("APPDATA") {
                Some(folder) => folder,
                None => self.home()?.join("AppData").join("Roaming"),
            },
            System::Other => self.xdg_data()?,
        };
        Ok(base.join("clankers"))
    }

    /// The file of a person's own settings; the rule is the plugin's (`settingsFile`
    /// in `plugin-shim/src/config.ts`).
    fn settings_file(&self) -> Result<PathBuf> {
        let folder = match self.system {
            System::MacOs | System::Windows => self.default_data()?,
            System::Other => self.xdg("XDG_CONFIG_HOME", ".config")?.join("clankers"),
        };
        Ok(folder.join(SETTINGS))
    }

    fn path_from_env(&self, variable: &str) -> Option<PathBuf> {
        let path = (self.variable)(variable).map(PathBuf::from)?;
        let path = match path.strip_prefix("~") {
            Ok(rest) => self.home().ok()?.join(rest),
            Err(_) => path,
        };
        let is_pipe = self.system == System::Windows && variable == "CLANKERS_SOCKET_PATH";
        (path.is_absolute() || is_pipe).then_some(path)
    }

    /// `path` from the root; `~/` is the home folder, as in the plugin's settings.
    fn absolute(&self, path: &Path) -> Result<PathBuf> {
        match path.strip_prefix("~") {
            Ok(rest) => Ok(self.home()?.join(rest)),
            Err(_) => Ok(std::path::absolute(path)?),
        }
    }
}

/// The path in a variable, if it can be used.
pub(crate) fn path_from_env(variable: &str) -> Option<PathBuf> {
    HERE.path_from_env(variable)
}

impl PathArgs {
    /// The paths that were given, and the defaults for the rest.
    pub(crate) fn resolve(&self) -> Result<Paths> {
        self.resolve_on(HERE)
    }

    fn resolve_on(&self, machine: Machine<'_>) -> Result<Paths> {
        let named = |path: &Option<PathBuf>| {
            path.as_deref()
                .map(|path| machine.absolute(path))
                .transpose()
        };
        let named_data = named(&self.data_path)?;
        let set_data = machine.path_from_env("CLANKERS_DATA_PATH");
        // A folder given as an option goes before a file named in the environment.
        let named_db = named(&self.db_path)?
            .or_else(|| named_data.as_ref().map(|data| data.join(DATABASE)))
            .or_else(|| machine.path_from_env("CLANKERS_DB_PATH"));
        let in_own_folder = named_db.is_none() && set_data.is_none();
        let data = match named_data.or(set_data) {
            Some(data) => data,
            None => machine.default_data()?,
        };
        let db = named_db.unwrap_or_else(|| data.join(DATABASE));
        let socket = named(&self.socket)?
            .or_else(|| machine.path_from_env("CLANKERS_SOCKET_PATH"))
            .unwrap_or_else(|| default_socket(&data));
        #[cfg(unix)]
        if socket.as_os_str().len() > MAX_SOCKET_PATH {
            return Err(Error::new(format!(
                "the socket's path is too long: {}",
                socket.display()
            ))
            .hint(format!(
                "name one of at most {MAX_SOCKET_PATH} bytes with CLANKERS_SOCKET_PATH"
            )));
        }
        Ok(Paths {
            data,
            db,
            socket,
            in_own_folder,
        })
    }

    /// The same paths as options, for a process that we start. The default folder
    /// is left out: a folder that is given counts as the person's own, and its mode
    /// would be left as it is.
    pub(crate) fn to_args(paths: &Paths) -> Vec<OsString> {
        let pair = |name: &str, path: &Path| [OsString::from(name), path.as_os_str().to_owned()];
        let mut args = pair("--socket", &paths.socket).to_vec();
        if !paths.in_own_folder {
            args.extend(pair("--db-path", &paths.db));
            args.extend(pair("--data-path", &paths.data));
        }
        args
    }
}

#[cfg(not(windows))]
fn default_socket(data: &Path) -> PathBuf {
    data.join(SOCKET)
}

/// All users share one name space of pipes, so that the name holds the folder.
#[cfg(windows)]
fn default_socket(data: &Path) -> PathBuf {
    let folder: String = data
        .to_string_lossy()
        .chars()
        .map(|letter| {
            if letter.is_alphanumeric() {
                letter
            } else {
                '-'
            }
        })
        .collect();
    PathBuf::from(format!(r"\\.\pipe\{folder}-{SOCKET}"))
}

/// The home folder.
pub(crate) fn home() -> Result<PathBuf> {
    HERE.home()
}

/// The folder in a variable; a relative one is not used.
pub(crate) fn folder_from_env(name: &str) -> Option<PathBuf> {
    HERE.folder_from_env(name)
}

/// The file of a person's own settings.
pub(crate) fn settings_file() -> Result<PathBuf> {
    HERE.settings_file()
}

/// The user's data folder, as the XDG base directories say: `~/.local/share`.
pub(crate) fn xdg_data() -> Result<PathBuf> {
    HERE.xdg_data()
}

/// The user's configuration folder: `~/.config`.
pub(crate) fn xdg_config() -> Result<PathBuf> {
    HERE.xdg("XDG_CONFIG_HOME", ".config")
}

/// The user's folder for the state of programs: `~/.local/state`.
pub(crate) fn xdg_state() -> Result<PathBuf> {
    HERE.xdg("XDG_STATE_HOME", ".local/state")
}

/// The user's cache folder: `~/.cache`.
pub(crate) fn xdg_cache() -> Result<PathBuf> {
    HERE.xdg("XDG_CACHE_HOME", ".cache")
}

/// A path as a person writes it: the home folder is `~`.
pub(crate) fn shown(path: &Path) -> String {
    let short = home()
        .ok()
        .and_then(|home| Some(path.strip_prefix(home).ok()?.to_owned()));
    match short {
        Some(rest) if rest.as_os_str().is_empty() => "~".to_owned(),
        Some(rest) => format!("~/{}", rest.display()),
        None => path.display().to_string(),
    }
}

#[cfg(all(test, unix))]
mod tests;
