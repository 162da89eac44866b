//! The import itself: compares, reads, folds in, stores.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use clankers::Core;
use clankers::catch_up::{Answer, Request};
use clankers::store::{STORED_MESSAGES, STORED_SESSIONS};
use indicatif::{ProgressBar, ProgressStyle};
use rusqlite::Connection;
use serde_json::Value;

use super::copy::{DIRECTORY, HistoryCopy};
use super::discovery::{found, named};
use super::report::{Summary, report};
use super::source::Source;
use super::stored::{Stored, check_schema, rows_of};
use super::written::milliseconds;
use crate::error::{Error, Result};
use crate::output::Out;
use crate::paths::Paths;
use crate::recorded::Recorded;
use crate::store::{apply, open_reader, open_writer};

/// Bring in the history that OpenCode and Kilo have from before the plugin
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A database, data or storage folder, or what `opencode export` wrote (`-` for standard
    /// input); instead of what OpenCode and Kilo have on this machine
    #[arg(long, value_name = "PATH")]
    from: Vec<PathBuf>,
    /// Every session, not only those that are not recorded or were changed since
    #[arg(long)]
    all: bool,
    /// Say what would be brought in, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Imports from each source in turn: first from those that tell what the times of
/// change of several leave open, so that it does not matter in which order they are named.
/// What cannot be read keeps nothing of the others back, and the exit status says
/// where nothing could be read of one of them.
pub(crate) fn run(args: &Args, paths: &Paths, out: &mut Out) -> Result<ExitCode> {
    let mut sources = if args.from.is_empty() {
        found()?
    } else {
        args.from.iter().flat_map(|path| named(path)).collect()
    };
    sources.sort_by(|one, other| other.rank().total_cmp(one.rank()));
    let all = sources.len();
    let mut stored = match (args.dry_run, paths.db.exists()) {
        (false, _) => Stored::Written(open_writer(paths)?),
        (true, true) => Stored::Read(open_reader(&paths.db)?),
        (true, false) => Stored::Nothing,
    };
    let settings = Recorded::read()?;
    if out.is_human() {
        for line in settings.problems.iter().chain(&settings.described()) {
            out.remark(line)?;
        }
    }
    let mut summary = Summary::default();
    for source in sources {
        if out.is_human() {
            out.remark(&format!("reading {}", source.name()))?;
            out.flush()?;
        }
        import(source, &mut stored, &settings, args.all, &mut summary)?;
    }
    if summary.refused.len() == all {
        return Err(Error::joined(summary.refused));
    }
    report(&summary, args.dry_run, out)?;
    Ok(ExitCode::from(u8::from(!summary.refused.is_empty())))
}

/// A core that brings in what is to be recorded of a copy.
pub(super) fn core_of(copy: &HistoryCopy, settings: &Recorded) -> Core {
    let recorded = settings.recorded.clone();
    Core::of_copy(copy.program().dialect(), copy.rank(), recorded)
}

/// Imports from one source.
pub(super) fn import(
    source: Box<dyn Source>,
    stored: &mut Stored,
    settings: &Recorded,
    is_all: bool,
    summary: &mut Summary,
) -> Result<()> {
    let (mut copy, unreadable) = match HistoryCopy::open(source) {
        Ok(opened) => opened,
        Err(error) => {
            summary.refused.push(error);
            return Ok(());
        }
    };
    summary.unreadable.extend(unreadable);
    let ignored = copy.ignored(&settings.recorded.ignored);
    summary.found += copy.ids().len() - ignored;
    summary.ignored += ignored;
    if let Some(db) = stored.db() {
        check_schema(db)?;
    }
    let mut core = core_of(&copy, settings);
    core.compare(DIRECTORY);
    let asked_for = if is_all {
        copy.ids()
    } else {
        copy.said_since(stored.db())?
    };
    core.fetch(DIRECTORY, asked_for);
    let bar = progress(summary.found);
    while let Some(request) = core.next_request(now()) {
        answer(&mut core, &mut copy, stored.db(), &request)?;
        let commands = core.drain();
        if let Stored::Written(writer) = stored {
            apply(writer, commands)?;
        }
        // What is not to be stored is not held either.
        core.settle(true);
        if let Request::StoredMessages { .. } = &request {
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    summary.add(copy.tally());
    Ok(())
}

/// Gives the core what comes of a request.
pub(super) fn answer(
    core: &mut Core,
    copy: &mut HistoryCopy,
    db: Option<&Connection>,
    request: &Request,
) -> Result<()> {
    let found = match request {
        Request::StoredSessions { .. } => {
            let stored = rows_of(db, STORED_SESSIONS, request)?;
            copy.note_stored(&stored);
            Some(stored)
        }
        Request::StoredMessages { .. } => Some(rows_of(db, STORED_MESSAGES, request)?),
        of_host => copy.answer(of_host),
    };
    match &found {
        Some(value) => core.answer(Answer::Found(&value), now()),
        None => core.answer::<&Value>(Answer::NotOffered, now()),
    };
    Ok(())
}

/// Now, in Unix milliseconds.
pub(super) fn now() -> f64 {
    milliseconds(SystemTime::now())
}

/// A bar in a terminal, nothing elsewhere.
fn progress(sessions: usize) -> ProgressBar {
    let bar = ProgressBar::new(sessions as u64);
    let style = ProgressStyle::with_template("{bar:30} {pos} of {len} sessions, {eta} left");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}
