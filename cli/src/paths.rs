//! Where things are: the data folder, the database, the daemon's socket.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The database's name in the data folder.
const DATABASE: &str = "clankers.db";
/// The socket's name in the data folder.
const SOCKET: &str = "dxta-clankers.sock";
/// The longest path that `sockaddr_un` holds on the systems we know.
#[cfg(unix)]
const MAX_SOCKET_PATH: usize = 103;

/// The places that one run works with.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// The data folder.
    pub(crate) data: PathBuf,
    /// The database.
    pub(crate) db: PathBuf,
    /// The daemon's socket (Windows: the name of its pipe).
    pub(crate) socket: PathBuf,
    /// Whether the database is in the default folder, which is clankers' own.
    pub(crate) in_own_folder: bool,
}

impl Places {
    /// A file that stands for the socket: itself, or one for its pipe.
    pub(crate) fn socket_file(&self) -> PathBuf {
        if cfg!(windows) {
            self.data.join(SOCKET)
        } else {
            self.socket.clone()
        }
    }
}

/// What was named on the command line. What was not may be in the environment,
/// read here by the plugin's rules: empty is unset, and a relative path would
/// be another place for each project, so that it does not count.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct PlaceArgs {
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

/// The variables that name places.
pub(crate) const VARIABLES: [&str; 3] = [
    "CLANKERS_DB_PATH",
    "CLANKERS_DATA_PATH",
    "CLANKERS_SOCKET_PATH",
];

/// Systems that keep a program's data in different places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum System {
    MacOs,
    Windows,
    Other,
}

/// What the places depend on: the system and the environment.
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
        self.folder_in(name).ok_or_else(|| {
            Error::new(format!("{name} is not set")).hint("name the folder with CLANKERS_DATA_PATH")
        })
    }

    fn folder_in(&self, name: &str) -> Option<PathBuf> {
        (self.variable)(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    }

    fn xdg_data(&self) -> Result<PathBuf> {
        self.folder_in("XDG_DATA_HOME")
            .map_or_else(|| Ok(self.home()?.join(".local/share")), Ok)
    }

    fn default_data(&self) -> Result<PathBuf> {
        let base = match self.system {
            System::MacOs => self.home()?.join("Library/Application Support"),
            System::Windows => match self.folder_in("APPDATA") {
                Some(folder) => folder,
                None => self.home()?.join("AppData").join("Roaming"),
            },
            System::Other => self.xdg_data()?,
        };
        Ok(base.join("clankers"))
    }

    fn place_in(&self, variable: &str) -> Option<PathBuf> {
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

/// A place that a variable names, if it can be used.
pub(crate) fn place_in(variable: &str) -> Option<PathBuf> {
    HERE.place_in(variable)
}

impl PlaceArgs {
    /// The places: what was named, and the defaults for the rest.
    pub(crate) fn resolve(&self) -> Result<Places> {
        self.resolve_on(HERE)
    }

    fn resolve_on(&self, machine: Machine<'_>) -> Result<Places> {
        let named = |path: &Option<PathBuf>| {
            path.as_deref()
                .map(|path| machine.absolute(path))
                .transpose()
        };
        let named_data = named(&self.data_path)?;
        let set_data = machine.place_in("CLANKERS_DATA_PATH");
        // A folder that is named now goes before a file that is set for always.
        let named_db = named(&self.db_path)?
            .or_else(|| named_data.as_ref().map(|data| data.join(DATABASE)))
            .or_else(|| machine.place_in("CLANKERS_DB_PATH"));
        let in_own_folder = named_db.is_none() && set_data.is_none();
        let data = match named_data.or(set_data) {
            Some(data) => data,
            None => machine.default_data()?,
        };
        let db = named_db.unwrap_or_else(|| data.join(DATABASE));
        let socket = named(&self.socket)?
            .or_else(|| machine.place_in("CLANKERS_SOCKET_PATH"))
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
        Ok(Places {
            data,
            db,
            socket,
            in_own_folder,
        })
    }

    /// The same as arguments of a command line, for a process that we start.
    /// The default folder is not named: it would be somebody's own then.
    pub(crate) fn to_args(places: &Places) -> Vec<OsString> {
        let pair = |name: &str, path: &Path| [OsString::from(name), path.as_os_str().to_owned()];
        let mut args = pair("--socket", &places.socket).to_vec();
        if !places.in_own_folder {
            args.extend(pair("--db-path", &places.db));
            args.extend(pair("--data-path", &places.data));
        }
        args
    }
}

#[cfg(not(windows))]
fn default_socket(data: &Path) -> PathBuf {
    data.join(SOCKET)
}

/// Pipes have one name space for all users: the folder tells them apart.
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

/// A folder that the environment names: absolute, or it does not count.
pub(crate) fn folder_in(name: &str) -> Option<PathBuf> {
    HERE.folder_in(name)
}

/// The user's data folder, as the XDG base directories say: `~/.local/share`.
pub(crate) fn xdg_data() -> Result<PathBuf> {
    HERE.xdg_data()
}

/// The user's configuration folder: `~/.config`.
pub(crate) fn xdg_config() -> Result<PathBuf> {
    folder_in("XDG_CONFIG_HOME").map_or_else(|| Ok(home()?.join(".config")), Ok)
}

/// The user's cache folder: `~/.cache`.
pub(crate) fn xdg_cache() -> Result<PathBuf> {
    folder_in("XDG_CACHE_HOME").map_or_else(|| Ok(home()?.join(".cache")), Ok)
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
