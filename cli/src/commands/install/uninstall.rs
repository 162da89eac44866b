//! `clankers uninstall`: takes out what `install` placed, other copies of the
//! built plugin, and the entries of configurations that lead to it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::edit;
use crate::error::{Context, Result};
use crate::opencode::entry::{self, Entry};
use crate::opencode::host::Host;
use crate::opencode::locations::Scope;
use crate::opencode::service;
use crate::output::Out;
use crate::paths::shown;
use crate::plugin::place;

/// Take the plugin away from OpenCode and Kilo; what was recorded stays
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only from the project in this folder
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, default_missing_value = ".")]
    project: Option<PathBuf>,
    /// Say what would be changed, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Takes the plugin away.
pub(crate) fn run(args: &Args, out: &mut Out) -> Result<()> {
    let (scope, project) = match &args.project {
        Some(project) => (Scope::Project, std::path::absolute(project)?),
        None => (Scope::Global, std::env::current_dir()?),
    };
    let verb = if args.dry_run {
        "would remove"
    } else {
        "removed"
    };
    let found = Found::look(scope, &project)?;
    for (path, specs) in &found.configs {
        let text = edit::read(path)?;
        let is_ours = |spec: &str| specs.iter().any(|own| own == spec);
        let edited =
            edit::without(&text, &is_ours).context(|| format!("cannot edit {}", shown(path)))?;
        if !args.dry_run {
            edit::write(path, &edited, out)?;
        }
        for spec in specs {
            out.line(&format!("{verb} `{spec}` from {}", shown(path)))?;
        }
    }
    for (at, module) in &found.copies {
        let is_kept = if args.dry_run {
            false
        } else {
            place::remove(at, module).context(|| format!("cannot remove {}", shown(at)))?
        };
        if is_kept {
            out.line(&format!(
                "{verb} {}; other files keep its folder",
                shown(module)
            ))?;
        } else {
            out.line(&format!("{verb} {}", shown(at)))?;
        }
    }
    for entry in &found.others {
        out.line(&format!("left {}: take it out yourself", entry.described()))?;
    }
    if found.configs.is_empty() && found.copies.is_empty() {
        if found.others.is_empty() {
            out.line("there is nothing of the plugin here")?;
        }
        return Ok(());
    }
    if !args.dry_run && service::is_running() {
        out.remark("OpenCode's background service is running: it may record what you say before it has noticed; `opencode service restart` makes it let go of the plugin now")?;
    }
    out.remark("what was recorded is still there")
}

/// Everything of the plugin in one scope.
#[derive(Default)]
struct Found {
    /// Configurations, with the entries that lead to the plugin.
    configs: BTreeMap<PathBuf, Vec<String>>,
    /// Built copies and links to them, each with its module.
    copies: BTreeMap<PathBuf, PathBuf>,
    /// What is not taken away: a variable, a person's own file.
    others: Vec<Entry>,
}

impl Found {
    fn look(scope: Scope, project: &Path) -> Result<Self> {
        let mut found = Self::default();
        for host in Host::ALL {
            for entry in entry::find(host, None, project)?.entries {
                if entry.scope == scope {
                    found.add(entry);
                }
            }
        }
        Ok(found)
    }

    fn add(&mut self, entry: Entry) {
        match (&entry.spec, &entry.module) {
            (Some(spec), _) if entry.at.is_absolute() => {
                let specs = self.configs.entry(entry.at.clone()).or_default();
                if !specs.contains(spec) {
                    specs.push(spec.clone());
                }
            }
            (None, Some(module)) if module.is_built || entry.at.is_symlink() => {
                self.copies.insert(entry.at.clone(), module.file.clone());
            }
            _ if self.others.iter().all(|other| other.at != entry.at) => self.others.push(entry),
            _ => {}
        }
    }
}
