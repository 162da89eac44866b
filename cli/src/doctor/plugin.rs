//! Each OpenCode and Kilo on this machine, what it reads, and whether it loads
//! the plugin.

use std::env;
use std::path::Path;

use super::check::Check;
use super::loaded;
use crate::error::Result;
use crate::opencode::entry::{Entry, Refusal};
use crate::opencode::host::Host;
use crate::opencode::log::{self, Warning};
use crate::opencode::module::Form;
use crate::opencode::program::{self, Program};
use crate::opencode::service::Word;
use crate::output::time;
use crate::paths::{Paths, shown};
use crate::plugin::recorders::Recorders;
use crate::plugin::standing::{self, Level, Standing};
use crate::store::open_reader;

pub(super) fn checks(paths: &Paths) -> Result<Vec<Check>> {
    let project = env::current_dir()?;
    let programs = program::found();
    let db = open_reader(&paths.db).ok();
    let standings = standing::all(&programs, db.as_ref(), &project)?;
    let mut checks = of_programs(&programs);
    checks.extend(configs(&standings));
    if standings.is_empty() {
        checks.push(
            Check::broken(
                "plugin",
                "placed nowhere, neither for this project nor for all",
            )
            .advice("run: clankers install"),
        );
    }
    for standing in &standings {
        checks.push(loaded(standing));
        checks.extend(refused(standing, &standings));
        checks.extend(outdated(standing));
        checks.extend(service(standing));
    }
    let recorders = db.as_ref().and_then(|db| Recorders::read(db).ok());
    checks.extend(loaded::checks(&standings, &recorders.unwrap_or_default()));
    if let Some(two) = standings.iter().find(|one| one.host == Host::OpenCode2) {
        checks.extend(log_lines(two, &project));
    }
    Ok(checks)
}

fn of_programs(programs: &[Program]) -> Vec<Check> {
    if programs.is_empty() {
        return vec![
            Check::warning("opencode", program::NONE_FOUND)
                .advice("the plugin needs one of them; OpenCode Desktop is not looked for"),
        ];
    }
    let check = |program: &Program| match (&program.version, program.host()) {
        (Some(version), Some(host)) => Check::good(
            "opencode",
            format!("{} {version} at {}", host.product(), shown(&program.path)),
        ),
        _ => Check::warning(
            "opencode",
            format!("{} does not say its release", shown(&program.path)),
        ),
    };
    programs.iter().map(check).collect()
}

/// The configurations that are read, each once, and those that cannot be.
fn configs(standings: &[Standing]) -> Vec<Check> {
    let mut names: Vec<String> = Vec::new();
    let mut checks = Vec::new();
    for config in standings.iter().flat_map(|standing| &standing.configs) {
        let name = shown(&config.path);
        if names.contains(&name) {
            continue;
        }
        if let Err(why) = &config.lists {
            checks.push(
                Check::broken("config", format!("{name} cannot be read: {why}"))
                    .advice("OpenCode cannot read it either: repair it"),
            );
        }
        names.push(name);
    }
    if checks.is_empty() {
        let text = if names.is_empty() {
            "no configuration file, which is fine".to_owned()
        } else {
            names.join(", ")
        };
        checks.push(Check::good("config", text));
    }
    checks
}

/// Whether a release loads the plugin, and what shows it.
fn loaded(standing: &Standing) -> Check {
    let places: Vec<String> = standing
        .loading()
        .map(|entry| format!("{}, {}", entry.described(), entry.scope.word()))
        .collect();
    let title = standing.title();
    let text = if places.is_empty() {
        format!("{title} {}", standing.words())
    } else {
        format!("{title}: {} ({})", standing.words(), places.join("; "))
    };
    match standing.level {
        Level::NotLoaded => {
            let check = Check::broken("plugin", text);
            let reasons: Vec<String> = standing.entries.iter().filter_map(reason).collect();
            if reasons.is_empty() {
                check.advice("run: clankers install")
            } else {
                check.advice(reasons.join("\n"))
            }
        }
        Level::Placed => Check::warning("plugin", text)
            .advice("say something to it in a new session, then look again"),
        Level::Active | Level::Recording { .. } if places.len() > 1 => {
            Check::warning("plugin", text)
                .advice("one place is enough; each event is recorded once all the same")
        }
        Level::Active | Level::Recording { .. } => Check::good("plugin", text),
    }
}

/// Why an entry is not loaded, with what to do.
fn reason(entry: &Entry) -> Option<String> {
    let refusal = entry.refusal.as_ref()?;
    Some(format!(
        "{} {}: {}",
        entry.described(),
        refusal.words(),
        refusal.advice()
    ))
}

/// What a release refuses while it loads the plugin from elsewhere. What is
/// there for another release is as it should be.
fn refused(standing: &Standing, all: &[Standing]) -> Vec<Check> {
    if standing.level == Level::NotLoaded {
        return Vec::new();
    }
    let serves_another = |entry: &Entry| {
        let is_same = |other: &Entry| other.at == entry.at && other.spec == entry.spec;
        let is_loaded = all
            .iter()
            .filter(|other| other.host != standing.host)
            .flat_map(Standing::loading)
            .any(is_same);
        let is_for_1 = standing.host == Host::OpenCode2
            && matches!(
                entry.refusal,
                Some(Refusal::Form(Form::Function) | Refusal::NamesAFile)
            );
        is_loaded || is_for_1
    };
    standing
        .entries
        .iter()
        .filter(|entry| !serves_another(entry))
        .filter_map(|entry| {
            let refusal = entry.refusal.as_ref()?;
            let text = format!(
                "{}: {} {}",
                standing.title(),
                entry.described(),
                refusal.words()
            );
            Some(Check::warning("plugin", text).advice(refusal.advice()))
        })
        .collect()
}

/// Copies of another version than this program's.
fn outdated(standing: &Standing) -> Vec<Check> {
    let own = env!("CARGO_PKG_VERSION");
    standing
        .loading()
        .filter_map(|entry| {
            let version = entry.module.as_ref()?.version.as_deref()?;
            let text = format!("{} is {version}; this is clankers {own}", entry.described());
            (version != own).then(|| {
                Check::warning("version", text)
                    .advice("run `clankers install` again, or update clankers")
            })
        })
        .collect()
}

/// What the running service says, where it does not have the plugin.
fn service(standing: &Standing) -> Option<Check> {
    let service = standing
        .service
        .as_ref()
        .filter(|_| standing.level != Level::NotLoaded)?;
    let title = standing.title();
    if !standing.is_of(service) {
        let version = service.version.as_deref().unwrap_or("another release");
        let text = format!("the service that is running is OpenCode {version}, not {title}");
        return Some(Check::warning("service", text).advice("run: opencode service restart"));
    }
    match &service.word {
        Word::Active => Some(Check::good(
            "service",
            format!("{title}'s running service has the plugin active"),
        )),
        Word::NotStarted => None,
        Word::NotLoaded => Some(
            Check::warning(
                "service",
                format!("{title}'s running service has not loaded the plugin in this folder"),
            )
            .advice("run: opencode service restart"),
        ),
        Word::Silent(why) => Some(Check::warning(
            "service",
            format!("{title}'s running service was not understood: {why}"),
        )),
    }
}

/// What OpenCode 2's log says of the plugin since it was placed.
fn log_lines(standing: &Standing, project: &Path) -> Vec<Check> {
    let concerns = |warning: &Warning, entry: &Entry| {
        let leads = match (&entry.spec, &entry.module) {
            (Some(spec), module) => {
                *spec == warning.target
                    || module.as_ref().is_some_and(|module| {
                        module.file.starts_with(project.join(&warning.target))
                    })
            }
            (None, _) => entry.at == Path::new(&warning.target),
        };
        leads && warning.at >= standing::placed_at(standing.host, entry)
    };
    let is_over = |warning: &Warning| match standing.level {
        Level::Recording { last } => last > warning.at,
        Level::Active => true,
        Level::NotLoaded | Level::Placed => false,
    };
    log::warnings()
        .into_iter()
        .filter(|warning| !is_over(warning))
        .filter(|warning| {
            // A form that was refused is told above, and here it is no news.
            let of = |entry: &&Entry| concerns(warning, entry);
            standing.entries.iter().filter(of).any(Entry::loads)
        })
        .map(|warning| {
            let at = time(warning.at);
            Check::broken(
                "log",
                format!(
                    "{} did not load {} on {at}: {}",
                    standing.title(),
                    warning.target,
                    warning.words
                ),
            )
            .advice("OpenCode wrote it to ~/.local/share/opencode/log/opencode.log and shows it nowhere else")
        })
        .collect()
}
