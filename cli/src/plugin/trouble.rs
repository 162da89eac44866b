//! What goes wrong in the plugin where its host gives it no log, as OpenCode 2:
//! it writes that to a file (`plugin-shim/src/hosts/trouble-log.ts`).

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;

use super::seen::release_name;
use crate::output::{one_line, time};
use crate::paths::{Paths, xdg_state};

/// A file that is longer is not the plugin's.
const MOST_BYTES: u64 = 1 << 20;
/// A line from later than that was written while the clock was ahead.
const AHEAD_MS: i64 = 60_000;
/// A process that goes on failing says so every ten minutes.
const SILENT_MS: i64 = 15 * 60_000;
/// How long what is over is told.
const DAY_MS: i64 = 24 * 3_600_000;
/// How long is told what nothing may ever end.
const FADES_MS: i64 = 7 * DAY_MS;

/// What trouble is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Matter {
    /// The database could not be written.
    Storage,
    /// OpenCode's events cannot be followed.
    Stream,
    /// The daemon hangs, or cannot be worked with.
    Daemon,
    /// Events may have been missed, and are not asked for yet.
    Events,
    /// A setting that is not used.
    Settings,
    /// A defect of the plugin's own.
    Plugin,
}

impl Matter {
    /// All of them, the worst first.
    const ALL: [Self; 6] = [
        Self::Storage,
        Self::Stream,
        Self::Daemon,
        Self::Events,
        Self::Settings,
        Self::Plugin,
    ];

    /// Whether nothing is recorded while it lasts.
    pub(crate) const fn is_vital(self) -> bool {
        matches!(self, Self::Storage | Self::Stream)
    }

    /// Whether it is told no more after a while, whether it was ended or not.
    const fn fades(self) -> bool {
        matches!(self, Self::Daemon | Self::Events | Self::Plugin)
    }
}

/// Something that went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) matter: Matter,
    pub(crate) is_error: bool,
    /// When it was told first, in Unix milliseconds.
    pub(crate) since: i64,
    /// When it was told last.
    last: i64,
    /// The release in which it was.
    release: Option<String>,
    message: String,
    /// Since when it is over; none while it lasts.
    pub(crate) over: Option<i64>,
}

impl Trouble {
    /// What went wrong, where and since when.
    pub(crate) fn described(&self) -> String {
        let release = match &self.release {
            Some(version) => release_name(None, version),
            None => "OpenCode".to_owned(),
        };
        let message = one_line(&self.message);
        format!("{}, {}: {message}", one_line(&release), time(self.since))
    }
}

/// A line of the file.
#[derive(Debug, Deserialize)]
struct Line {
    at: i64,
    level: Level,
    about: Matter,
    database: PathBuf,
    message: String,
    release: Option<String>,
    #[serde(flatten)]
    process: Process,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    /// What was told before is over.
    Info,
    Warn,
    Error,
}

/// The process that wrote a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
struct Process {
    pid: u32,
    started: i64,
}

/// Where the plugin may have written: beside the database, or where that cannot
/// be, with the user's state.
pub(crate) fn files(paths: &Paths) -> Vec<PathBuf> {
    let mut beside = paths.db.as_os_str().to_owned();
    beside.push(".log");
    let shared = xdg_state().map(|state| state.join("clankers/trouble.log"));
    std::iter::once(beside.into()).chain(shared.ok()).collect()
}

/// What lasts, and what is over since a day at most; of each matter the last, the
/// worst matter first.
pub(crate) fn all(paths: &Paths) -> Vec<Trouble> {
    let mut lines = Vec::new();
    for (place, file) in files(paths).iter().enumerate() {
        let is_shared = place > 0;
        let of_file = read(file).unwrap_or_default();
        lines.extend(lines_in(&of_file).filter(|line| !is_shared || line.database == paths.db));
    }
    found_in(lines, Timestamp::now().as_millisecond())
}

/// What lasts.
pub(crate) fn lasting(paths: &Paths) -> Vec<Trouble> {
    let mut found = all(paths);
    found.retain(|trouble| trouble.over.is_none());
    found
}

/// Says on standard error what lasts, in one line.
pub(crate) fn remind(paths: &Paths) {
    let found = lasting(paths);
    if let Some(worst) = found.first() {
        // Where standard error cannot be written, the answer is what counts.
        let _ = writeln!(
            std::io::stderr(),
            "clankers: {} (see `clankers doctor`)",
            one_line(&worst.described())
        );
    }
}

fn read(file: &Path) -> std::io::Result<String> {
    // A pipe would block, and a link may lead to what is somebody else's.
    let found = file.symlink_metadata()?;
    let mut bytes = Vec::new();
    if !found.is_file() || found.len() > MOST_BYTES {
        return Ok(String::new());
    }
    File::open(file)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The lines that can be read: one may have been cut short, or be a later plugin's.
fn lines_in(text: &str) -> impl Iterator<Item = Line> {
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
}

fn found_in(mut lines: Vec<Line>, now: i64) -> Vec<Trouble> {
    lines.retain(|line| line.at <= now.saturating_add(AHEAD_MS));
    lines.sort_by_key(|line| line.at);
    let of = |matter: Matter| {
        let lines = lines.iter().filter(move |line| line.about == matter);
        last_of(spells(lines, now), now)
    };
    Matter::ALL.into_iter().filter_map(of).collect()
}

/// The trouble that each process had with one matter, from its beginning to its end.
fn spells<'l>(lines: impl Iterator<Item = &'l Line>, now: i64) -> Vec<Trouble> {
    let mut spells: Vec<(Process, Trouble)> = Vec::new();
    for line in lines {
        if line.level == Level::Info {
            for (process, spell) in spells.iter_mut().filter(|(_, spell)| spell.over.is_none()) {
                if ends(line, *process, spell, now) {
                    spell.over = Some(line.at);
                }
            }
            continue;
        }
        let is_error = line.level == Level::Error;
        let open = spells.iter_mut().find_map(|(process, spell)| {
            (*process == line.process && spell.over.is_none()).then_some(spell)
        });
        let Some(spell) = open else {
            let spell = Trouble {
                matter: line.about,
                is_error,
                since: line.at,
                last: line.at,
                release: line.release.clone(),
                message: line.message.clone(),
                over: None,
            };
            spells.push((line.process, spell));
            continue;
        };
        spell.last = line.at;
        if is_error || !spell.is_error {
            spell.message.clone_from(&line.message);
        }
        spell.is_error |= is_error;
    }
    spells.into_iter().map(|(_, spell)| spell).collect()
}

/// Whether a process's trouble ends with this line. Another process that was
/// there already may be well while this one is not; if so, it says that again.
fn ends(line: &Line, process: Process, spell: &Trouble, now: i64) -> bool {
    line.process == process
        || line.process.started > spell.last
        || now > spell.last.saturating_add(SILENT_MS)
}

/// The trouble to tell of one matter.
fn last_of(spells: Vec<Trouble>, now: i64) -> Option<Trouble> {
    let (over, mut lasting): (Vec<Trouble>, Vec<Trouble>) = spells
        .into_iter()
        .filter(|spell| !spell.matter.fades() || now < spell.last.saturating_add(FADES_MS))
        .partition(|spell| spell.over.is_some());
    lasting.sort_by_key(|spell| spell.last);
    let since = lasting.iter().map(|spell| spell.since).min();
    if let (Some(last), Some(since)) = (lasting.pop(), since) {
        let is_error = last.is_error || lasting.iter().any(|spell| spell.is_error);
        return Some(Trouble {
            is_error,
            since,
            ..last
        });
    }
    over.into_iter()
        .filter(|spell| {
            spell
                .over
                .is_some_and(|over| now < over.saturating_add(DAY_MS))
        })
        .max_by_key(|spell| spell.over)
}

#[cfg(test)]
mod tests;
