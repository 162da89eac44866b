//! Copies of the package that OpenCode has fetched into its cache.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::check::Check;
use crate::error::Result;
use crate::opencode::address::is_our_package;
use crate::opencode::host::Host;
use crate::opencode::module::PACKAGE;
use crate::paths::{shown, xdg_cache};

pub(super) fn checks() -> Result<Vec<Check>> {
    let mut folders = Vec::new();
    for host in [Host::OpenCode1, Host::Kilo] {
        let cache = xdg_cache()?.join(host.name());
        folders.push(below(&cache));
        folders.extend(
            entries(&cache.join("packages"))
                .iter()
                .map(|folder| below(folder)),
        );
    }
    // 2.x keeps each fetch of a package in a folder of its own.
    let fetched = xdg_cache()?.join(Host::OpenCode2.name()).join("npm");
    for package in entries(&fetched) {
        let is_ours = |name: &std::ffi::OsStr| name.to_str().is_some_and(is_our_package);
        if package.file_name().is_some_and(is_ours) {
            folders.extend(entries(&package).iter().map(|folder| below(folder)));
        }
    }
    Ok(folders.into_iter().filter_map(check).collect())
}

fn below(folder: &Path) -> PathBuf {
    folder.join("node_modules").join(PACKAGE)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = found.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn check(folder: PathBuf) -> Option<Check> {
    let own = env!("CARGO_PKG_VERSION");
    let text = fs::read_to_string(folder.join("package.json")).ok()?;
    let package: Value = serde_json::from_str(&text).ok()?;
    let version = package.get("version")?.as_str()?.to_owned();
    if version == own {
        let text = format!("OpenCode has fetched {PACKAGE} {version}");
        return Some(Check::good("cache", text));
    }
    let place = shown(&folder);
    let text = format!("OpenCode keeps {PACKAGE} {version}; this is clankers {own}");
    Some(
        Check::warning("cache", text)
            .advice(format!(
                "remove {place}, and OpenCode fetches it anew when it starts"
            ))
            .fix(move || {
                fs::remove_dir_all(&folder)?;
                Ok(format!("removed the copy in {place}"))
            }),
    )
}
