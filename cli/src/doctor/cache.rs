//! Copies of the package that OpenCode has fetched into its cache.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::check::Check;
use crate::error::Result;
use crate::opencode::fetched::copies;
use crate::opencode::host::Host;
use crate::opencode::module::PACKAGE;
use crate::paths::shown;

pub(super) fn checks() -> Result<Vec<Check>> {
    let mut folders = Vec::new();
    for host in [Host::OpenCode1, Host::Kilo, Host::OpenCode2] {
        folders.extend(copies(host)?);
    }
    Ok(folders.into_iter().filter_map(check).collect())
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
