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

/// A place that a variable names, if it can be used.
pub(crate) fn place_in(variable: &str) -> Option<PathBuf> {
    let path = env::var_os(variable).map(PathBuf::from)?;
    let path = match path.strip_prefix("~") {
        Ok(rest) => home().ok()?.join(rest),
        Err(_) => path,
    };
    let is_pipe = cfg!(windows) && variable == "CLANKERS_SOCKET_PATH";
    (path.is_absolute() || is_pipe).then_some(path)
}

impl PlaceArgs {
    /// The places: what was named, and the defaults for the rest.
    pub(crate) fn resolve(&self) -> Result<Places> {
        let named = |path: &Option<PathBuf>| path.as_deref().map(absolute).transpose();
        let named_data = named(&self.data_path)?;
        let data = match named_data
            .clone()
            .or_else(|| place_in("CLANKERS_DATA_PATH"))
        {
            Some(data) => data,
            None => default_data()?,
        };
        // A folder that is named now goes before a file that is set for always.
        let db = named(&self.db_path)?
            .or_else(|| named_data.map(|data| data.join(DATABASE)))
            .or_else(|| place_in("CLANKERS_DB_PATH"))
            .unwrap_or_else(|| data.join(DATABASE));
        let socket = named(&self.socket)?
            .or_else(|| place_in("CLANKERS_SOCKET_PATH"))
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
        Ok(Places { data, db, socket })
    }

    /// The same as arguments of a command line, for a process that we start.
    pub(crate) fn to_args(places: &Places) -> Vec<OsString> {
        let pair = |name: &str, path: &Path| [OsString::from(name), path.as_os_str().to_owned()];
        [
            pair("--db-path", &places.db),
            pair("--data-path", &places.data),
            pair("--socket", &places.socket),
        ]
        .concat()
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
    let name = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    folder_in(name).ok_or_else(|| {
        Error::new(format!("{name} is not set")).hint("name the folder with CLANKERS_DATA_PATH")
    })
}

/// A folder that the environment names: absolute, or it does not count.
pub(crate) fn folder_in(name: &str) -> Option<PathBuf> {
    env::var_os(name)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}

/// The user's data folder, as the XDG base directories say: `~/.local/share`.
pub(crate) fn xdg_data() -> Result<PathBuf> {
    folder_in("XDG_DATA_HOME").map_or_else(|| Ok(home()?.join(".local/share")), Ok)
}

/// The user's configuration folder: `~/.config`.
pub(crate) fn xdg_config() -> Result<PathBuf> {
    folder_in("XDG_CONFIG_HOME").map_or_else(|| Ok(home()?.join(".config")), Ok)
}

/// The user's cache folder: `~/.cache`.
pub(crate) fn xdg_cache() -> Result<PathBuf> {
    folder_in("XDG_CACHE_HOME").map_or_else(|| Ok(home()?.join(".cache")), Ok)
}

fn default_data() -> Result<PathBuf> {
    let base = if cfg!(target_os = "macos") {
        home()?.join("Library/Application Support")
    } else if cfg!(windows) {
        folder_in("APPDATA").map_or_else(|| Ok::<_, Error>(home()?.join(r"AppData\Roaming")), Ok)?
    } else {
        xdg_data()?
    };
    Ok(base.join("clankers"))
}

/// `path` from the root; `~/` is the home folder, as in the plugin's settings.
fn absolute(path: &Path) -> Result<PathBuf> {
    match path.strip_prefix("~") {
        Ok(rest) => Ok(home()?.join(rest)),
        Err(_) => Ok(std::path::absolute(path)?),
    }
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
