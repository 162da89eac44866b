//! Copies of the package that a host has fetched into its cache.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::address::is_our_package;
use super::host::Host;
use super::module::PACKAGE;
use crate::error::Result;
use crate::paths::xdg_cache;

/// Where a host keeps them. Not in each of the folders there is one.
pub(crate) fn copies(host: Host) -> Result<Vec<PathBuf>> {
    let cache = xdg_cache()?.join(host.name());
    let above = match host {
        Host::OpenCode1 | Host::Kilo => {
            let mut folders = entries(&cache.join("packages"));
            folders.insert(0, cache);
            folders
        }
        // It keeps each fetch of a package in a folder of its own.
        Host::OpenCode2 => {
            let is_ours = |name: &OsStr| name.to_str().is_some_and(is_our_package);
            let packages = entries(&cache.join("npm")).into_iter();
            packages
                .filter(|package| package.file_name().is_some_and(is_ours))
                .flat_map(|package| entries(&package))
                .collect()
        }
    };
    let below = |folder: &PathBuf| folder.join("node_modules").join(PACKAGE);
    Ok(above.iter().map(below).collect())
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = found.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}
