//! The programs that are installed: where each is, and which release.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::host::Host;
use crate::paths::home;

/// How long `--version` may take.
const VERSION_TIMEOUT: Duration = Duration::from_secs(10);
/// What is said where [`found`] finds none.
pub(crate) const NONE_FOUND: &str =
    "not installed: neither OpenCode nor Kilo is on the PATH or in ~/.opencode/bin";
/// The executables that are looked for. The previews of 2.x were named `opencode2`.
const NAMES: [&str; 3] = ["opencode", "opencode2", "kilo"];

/// The first two numbers of a release.
pub(crate) type Release = (u32, u32);

/// A program that is installed.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    /// The release, where it says one.
    pub(crate) version: Option<String>,
    /// Whether it is Kilo.
    is_kilo: bool,
}

impl Program {
    /// Which host it is; none where it does not say its release.
    pub(crate) fn host(&self) -> Option<Host> {
        if self.is_kilo {
            return Some(Host::Kilo);
        }
        let version = self.version.as_deref()?;
        let (major, _) = release(version)?;
        let is_preview = version.starts_with("0.0.0-next");
        Some(if major >= 2 || is_preview {
            Host::OpenCode2
        } else {
            Host::OpenCode1
        })
    }
}

/// The first two numbers of a version.
pub(crate) fn release(version: &str) -> Option<Release> {
    let mut numbers = version.split(['.', '-']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Every one on the PATH and in the folder where OpenCode's installer puts it;
/// of two with the same release the first.
pub(crate) fn found() -> Vec<Program> {
    let mut programs: Vec<Program> = std::thread::scope(|scope| {
        let asked: Vec<_> = executables()
            .into_iter()
            .map(|path| scope.spawn(move || ask(path)))
            .collect();
        asked
            .into_iter()
            .filter_map(|asked| asked.join().ok())
            .collect()
    });
    let mut seen: Vec<(bool, Option<String>)> = Vec::new();
    programs.retain(|program| {
        let key = (program.is_kilo, program.version.clone());
        let is_new = !seen.contains(&key);
        seen.push(key);
        is_new
    });
    programs
}

/// Whether any is there, without running it.
pub(crate) fn is_any_on_path() -> bool {
    !executables().is_empty()
}

/// Whether an executable of that host may be there, without running it.
pub(crate) fn is_on_path(host: Host) -> bool {
    executables()
        .iter()
        .any(|path| is_kilo(path) == (host == Host::Kilo))
}

fn executables() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = env::split_paths(&path).collect();
    folders.extend(home().ok().map(|home| home.join(".opencode/bin")));
    let mut found: Vec<PathBuf> = Vec::new();
    let mut real: Vec<PathBuf> = Vec::new();
    for folder in folders.iter().filter(|folder| folder.is_absolute()) {
        for name in NAMES {
            let path = folder.join(format!("{name}{}", env::consts::EXE_SUFFIX));
            let Ok(target) = fs::canonicalize(&path) else {
                continue;
            };
            if target.is_file() && !real.contains(&target) {
                real.push(target);
                found.push(path);
            }
        }
    }
    found
}

fn is_kilo(path: &Path) -> bool {
    path.file_stem().is_some_and(|name| name == "kilo")
}

fn ask(path: PathBuf) -> Program {
    let version = printed(&path).as_deref().and_then(version_in);
    let is_kilo = is_kilo(&path);
    Program {
        path,
        version,
        is_kilo,
    }
}

/// The release in what `--version` prints: `1.18.34`, `opencode v2.0.15`.
fn version_in(printed: &str) -> Option<String> {
    let line = printed.lines().rfind(|line| !line.trim().is_empty())?;
    let word = line.split_whitespace().next_back()?;
    let version = word.strip_prefix('v').unwrap_or(word);
    version
        .starts_with(|letter: char| letter.is_ascii_digit())
        .then(|| version.to_owned())
}

fn printed(path: &Path) -> Option<String> {
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
    std::io::read_to_string(child.stdout.take()?).ok()
}

#[cfg(test)]
mod tests {
    use super::{Program, version_in};
    use crate::opencode::host::Host;

    #[test]
    fn releases_are_told_apart_by_what_they_print() {
        let program = |printed: &str, is_kilo| Program {
            path: "/usr/bin/x".into(),
            version: version_in(printed),
            is_kilo,
        };
        let host = |printed| program(printed, false).host();
        assert_eq!(host("1.18.34\n"), Some(Host::OpenCode1));
        assert_eq!(host("opencode v2.0.15\n"), Some(Host::OpenCode2));
        assert_eq!(host("v2.0.15\n\n"), Some(Host::OpenCode2));
        assert_eq!(host("0.0.0-dev-202609010000\n"), Some(Host::OpenCode1));
        assert_eq!(host("0.0.0-next-16350\n"), Some(Host::OpenCode2));
        assert_eq!(host("command not found\n"), None);
        assert_eq!(host(""), None);
        assert_eq!(program("7.7.9", true).host(), Some(Host::Kilo));
        assert_eq!(program("", true).host(), Some(Host::Kilo));
    }
}
