//! The `opencode` program: where it is and which release.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::paths::home;

/// How long `opencode --version` may take.
const VERSION_TIMEOUT: Duration = Duration::from_secs(10);

/// An OpenCode that is installed.
#[derive(Debug)]
pub(crate) struct OpenCode {
    pub(crate) path: PathBuf,
    /// What `--version` printed, where it printed something.
    pub(crate) version: Option<String>,
}

impl OpenCode {
    /// The first two numbers of its version.
    pub(crate) fn release(&self) -> Option<(u32, u32)> {
        let mut numbers = self.version.as_deref()?.trim_start_matches('v').split('.');
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    }
}

/// Finds it on the PATH, or in the folder where its installer puts it.
pub(crate) fn find() -> Option<OpenCode> {
    let name = if cfg!(windows) {
        "opencode.exe"
    } else {
        "opencode"
    };
    let on_path = env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>());
    let installed = home().ok().map(|home| home.join(".opencode/bin"));
    let mut folders = on_path.unwrap_or_default();
    folders.extend(installed);
    let path = folders
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())?;
    let version = version(&path);
    Some(OpenCode { path, version })
}

fn version(path: &PathBuf) -> Option<String> {
    let mut child = Command::new(path)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let deadline = Instant::now() + VERSION_TIMEOUT;
    loop {
        match child.try_wait().ok()? {
            Some(_) => break,
            None if Instant::now() > deadline => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    }
    let printed = std::io::read_to_string(child.stdout.take()?).ok()?;
    printed
        .lines()
        .last()
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty())
}
