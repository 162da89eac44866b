//! OpenCode, its configuration, and whether it would load the plugin.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::check::Check;
use super::exports::exports;
use crate::error::Result;
use crate::opencode::binary::{self, OpenCode};
use crate::opencode::config::{self, Entry, PACKAGE, file_of};
use crate::paths::{shown, xdg_cache};

type Release = Option<(u32, u32)>;

pub(super) fn checks() -> Result<Vec<Check>> {
    let project = env::current_dir()?;
    let found = binary::find();
    let release = found.as_ref().and_then(OpenCode::release);
    let mut checks = vec![program(found.as_ref())];
    let files = config::files(&project)?;
    for file in &files {
        if let Err(why) = &file.plugins {
            let text = format!("{} cannot be read: {why}", shown(&file.path));
            checks.push(
                Check::broken("config", text)
                    .advice("OpenCode cannot read it either: repair the file"),
            );
        }
    }
    if files.iter().all(|file| file.plugins.is_ok()) {
        let names: Vec<String> = files.iter().map(|file| shown(&file.path)).collect();
        let text = if names.is_empty() {
            "no configuration file, which is fine".to_owned()
        } else {
            names.join(", ")
        };
        checks.push(Check::good("config", text));
    }
    checks.extend(entries(&config::entries(&project)?, release));
    if env::var_os("OPENCODE_PURE").is_some_and(|value| !value.is_empty() && value != "0") {
        checks.push(
            Check::broken(
                "pure",
                "OPENCODE_PURE is set: OpenCode loads no plugin at all",
            )
            .advice("unset it; `opencode --pure` does the same for one run"),
        );
    }
    checks.extend(copies()?);
    Ok(checks)
}

fn program(found: Option<&OpenCode>) -> Check {
    match found {
        None => Check::warning("opencode", "not found on the PATH or in ~/.opencode/bin")
            .advice("the plugin needs it; OpenCode Desktop is not looked for"),
        Some(OpenCode {
            path,
            version: None,
        }) => Check::warning(
            "opencode",
            format!("{} does not say its version", shown(path)),
        ),
        Some(OpenCode {
            path,
            version: Some(version),
        }) => Check::good("opencode", format!("{version} at {}", shown(path))),
    }
}

fn entries(entries: &[Entry], release: Release) -> Vec<Check> {
    if entries.is_empty() {
        return vec![
            Check::broken(
                "plugin",
                "not installed, neither for this project nor for all",
            )
            .advice("run: clankers install"),
        ];
    }
    let mut checks: Vec<Check> = entries
        .iter()
        .map(|entry| entry_check(entry, release))
        .collect();
    if entries.len() > 1 {
        let text = format!(
            "installed {} times; each event is recorded once all the same",
            entries.len()
        );
        checks.push(
            Check::warning("plugin", text)
                .advice("`clankers uninstall` and `clankers install` leave one"),
        );
    }
    checks
}

fn entry_check(entry: &Entry, release: Release) -> Check {
    let what = entry.described();
    let is_old = release.is_some_and(|release| release < (1, 14));
    let folder = entry
        .at
        .parent()
        .and_then(Path::file_name)
        .and_then(|name| name.to_str());
    if entry.spec.is_none()
        && folder == Some("plugins")
        && release.is_some_and(|release| release < (1, 1))
    {
        return Check::broken(
            "plugin",
            format!("{what} is in a folder that OpenCode 1.0 does not look into"),
        )
        .advice("move it to the folder `plugin`, without the s");
    }
    if entry.has_options && is_old {
        return Check::broken(
            "plugin",
            format!("{what} has options, which OpenCode takes from 1.14 on"),
        )
        .advice("name it without them, and use CLANKERS_DB_PATH and the like");
    }
    let file = match &entry.spec {
        None => Some(entry.at.clone()),
        Some(spec) => file_of(spec),
    };
    let Some(file) = file else {
        return Check::good("plugin", format!("{what}, {}", entry.scope.word()));
    };
    let Ok(text) = fs::read_to_string(&file) else {
        return Check::broken("plugin", format!("{what}: there is no such file"))
            .advice("build it with `make build`, or run `clankers install` again");
    };
    let names = exports(&text);
    if names != ["default"] {
        let names = if names.is_empty() {
            "nothing".to_owned()
        } else {
            names.join(", ")
        };
        let text = format!("{what} exports {names}, where loaders want one default export alone");
        let check = if is_old {
            Check::broken("plugin", text)
        } else {
            Check::warning("plugin", text)
        };
        return check.advice("use plugin-shim/dist/index.js or plugin-shim/dist/clankers.js as `make build` makes them");
    }
    Check::good("plugin", format!("{what}, {}", entry.scope.word()))
}

/// Copies of the package that OpenCode has downloaded into its cache.
fn copies() -> Result<Vec<Check>> {
    let cache = xdg_cache()?.join("opencode");
    let below = |folder: &Path| folder.join("node_modules").join(PACKAGE);
    let mut folders = vec![below(&cache)];
    for entry in fs::read_dir(cache.join("packages"))
        .into_iter()
        .flatten()
        .flatten()
    {
        folders.push(below(&entry.path()));
    }
    let own = env!("CARGO_PKG_VERSION");
    let check = |folder: PathBuf| {
        let text = fs::read_to_string(folder.join("package.json")).ok()?;
        let package: Value = serde_json::from_str(&text).ok()?;
        let version = package.get("version")?.as_str()?.to_owned();
        if version == own {
            return Some(Check::good(
                "cache",
                format!("OpenCode has fetched {PACKAGE} {version}"),
            ));
        }
        let text = format!("OpenCode keeps {PACKAGE} {version}; this is clankers {own}");
        let place = shown(&folder);
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
    };
    Ok(folders.into_iter().filter_map(check).collect())
}
