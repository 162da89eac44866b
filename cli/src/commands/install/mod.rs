//! `clankers install`: the plugin in the folders that OpenCode 1.x, OpenCode 2.x
//! and Kilo read, for those of them that are here.

mod edit;
pub(crate) mod uninstall;

use std::cell::LazyCell;
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::opencode::entry::{self, Entry};
use crate::opencode::host::Host;
use crate::opencode::locations::Scope;
use crate::opencode::program::{self, Program};
use crate::opencode::service;
use crate::output::Out;
use crate::paths::shown;
use crate::plugin::carried::{self, Plugin};
use crate::plugin::place::{Target, There, global_targets, project_targets};

/// Place the plugin where OpenCode and Kilo load it from
#[derive(Debug, clap::Args)]
#[command(
    after_help = "OpenCode 1.x loads the file clankers.js, 2.x the folder clankers/, Kilo the file in its own folder. For all projects the file is left out where every OpenCode that is found is 2.x: its screen would show it as a plugin that failed."
)]
pub(crate) struct Args {
    /// Only for the project in this folder
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, default_missing_value = ".")]
    project: Option<PathBuf>,
    /// The folder with the built plugin, instead of the one inside this program
    #[arg(long, value_name = "FOLDER")]
    plugin: Option<PathBuf>,
    /// Also for releases that are not found on this machine
    #[arg(long)]
    all_releases: bool,
    /// Say what would be changed, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Places the plugin.
pub(crate) fn run(args: &Args, out: &mut Out) -> Result<()> {
    let plugin = carried::plugin(args.plugin.as_deref())?;
    let scope = match args.project {
        Some(_) => Scope::Project,
        None => Scope::Global,
    };
    let project = match &args.project {
        Some(project) => std::path::absolute(project)?,
        None => std::env::current_dir()?,
    };
    let targets = match scope {
        Scope::Project => project_targets(&project)?,
        Scope::Global => global_targets()?,
    };
    // Each is run, to say its release.
    let programs: LazyCell<Vec<Program>> = LazyCell::new(program::found);
    // Whether 2.x, which alone is here, would complain of it. What a project has
    // may be for others, too.
    let is_unwanted = |target: &Target| {
        target.host == Host::OpenCode1
            && scope == Scope::Global
            && !args.all_releases
            && is_two_alone(&programs)
    };
    // All is looked at before anything is changed.
    let mut steps = Vec::new();
    for target in targets {
        let step = match named_already(&target, scope, &project, &programs)? {
            Some(entry) => Step::Named(entry),
            None => match target.there(&plugin)? {
                There::Nothing if is_unwanted(&target) => Step::LeftOut,
                there => Step::Place(there),
            },
        };
        steps.push((target, step));
    }
    let mut is_changed = false;
    for (target, step) in &steps {
        if !args.dry_run && matches!(step, Step::Place(There::Nothing | There::Another { .. })) {
            target.place(&plugin)?;
            is_changed = true;
        }
        out.line(&said(target, step, &plugin, args.dry_run))?;
    }
    if is_changed && service::is_running() {
        out.remark("OpenCode's background service is running: `opencode service restart` makes sure that it has the plugin")?;
    }
    let is_placed =
        |(target, step): &(Target, Step)| matches!(step, Step::Place(_)) && is_unwanted(target);
    if steps.iter().any(is_placed) {
        out.remark("the screen of 2.x shows the file for 1.x as a plugin that failed: remove it unless a 1.x is elsewhere on this machine")?;
    }
    if args.dry_run {
        return Ok(());
    }
    if !program::is_any_on_path() {
        out.remark(program::NONE_FOUND)?;
    }
    out.remark("say something to it; `clankers doctor` then shows whether the plugin is at work")
}

/// What is done for a target.
enum Step {
    /// A configuration leads to the plugin already.
    Named(Entry),
    Place(There),
    /// The release that reads it is not here, and the one that is would complain.
    LeftOut,
}

/// Whether every OpenCode that is found is 2.x, and there is one.
fn is_two_alone(programs: &[Program]) -> bool {
    let mut hosts = programs
        .iter()
        .map(Program::host)
        .filter(|host| *host != Some(Host::Kilo))
        .peekable();
    hosts.peek().is_some() && hosts.all(|host| host == Some(Host::OpenCode2))
}

fn said(target: &Target, step: &Step, plugin: &Plugin, is_dry: bool) -> String {
    let host = target.host.title();
    let file = shown(&target.file);
    let verb = |done: &'static str, planned: &'static str| if is_dry { planned } else { done };
    match step {
        Step::Named(entry) => {
            let version = entry
                .module
                .as_ref()
                .and_then(|module| module.version.as_deref());
            let other = version
                .filter(|version| *version != plugin.version)
                .map(|version| format!("; it is {version}, and this is {}", plugin.version))
                .unwrap_or_default();
            format!(
                "{host}: {} leads to clankers already{other}",
                entry.described()
            )
        }
        Step::Place(There::Nothing) => format!("{host}: {} {file}", verb("placed", "would place")),
        Step::Place(There::Same) => format!("{host}: {file} is there already"),
        Step::Place(There::Another { version }) => format!(
            "{host}: {} {file} from {version} to {}",
            verb("updated", "would update"),
            plugin.version
        ),
        Step::Place(There::Link) => {
            format!("{host}: {file} is a link to clankers already, and is left so")
        }
        Step::LeftOut => {
            format!("{host}: none is here, so that {file} is left out; --all-releases places it")
        }
    }
}

/// The entry of a configuration by which every release of the host that is here
/// loads the plugin already.
fn named_already(
    target: &Target,
    scope: Scope,
    project: &Path,
    programs: &LazyCell<Vec<Program>>,
) -> Result<Option<Entry>> {
    let named = |release| -> Result<Vec<Entry>> {
        let found = entry::find(target.host, release, project)?;
        let is_named =
            |entry: &Entry| entry.spec.is_some() && entry.loads() && entry.scope == scope;
        Ok(found.entries.into_iter().filter(is_named).collect())
    };
    let mut entries = named(None)?;
    if entries.is_empty() {
        return Ok(None);
    }
    let is_same_host = |program: &&Program| program.host() == Some(target.host);
    for program in programs.iter().filter(is_same_host) {
        let release = program.version.as_deref().and_then(program::release);
        let of_release = named(release)?;
        entries.retain(|entry| of_release.contains(entry));
    }
    Ok(entries.into_iter().next())
}
