//! The import itself: compares, reads, folds in, stores.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use clankers::Core;
use clankers::catch_up::{Answer, Request};
use clankers::store::{SCHEMA_VERSION, STORED_MESSAGES, STORED_SESSIONS};
use indicatif::{ProgressBar, ProgressStyle};
use rusqlite::Connection;
use serde_json::Value;

use super::copy::{Copy, DIRECTORY, Read};
use super::places::{found, named};
use super::program::Program;
use super::source::Source;
use super::written::milliseconds;
use crate::cell::Cell;
use crate::error::{Error, Result};
use crate::output::{Kind, Out, Record, column, count, counted, one_line};
use crate::paths::Paths;
use crate::recorded::Recorded;
use crate::store::{Writer, apply, open_reader, open_writer, rows, schema_version};

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

/// How many problems are listed one by one.
const LISTED_PROBLEMS: usize = 5;

/// What came of it.
#[derive(Debug, Default)]
struct Summary {
    found: usize,
    brought: usize,
    new: usize,
    /// Those of projects that are not recorded.
    ignored: usize,
    messages: usize,
    parts: usize,
    /// Documents that could not be read.
    unreadable: Vec<String>,
    /// Databases, folders and files of which nothing could be read.
    refused: Vec<Error>,
}

impl Summary {
    /// Adds what was read of one copy.
    fn add(&mut self, read: Read) {
        self.brought += read.sessions;
        self.new += read.new;
        self.messages += read.messages;
        self.parts += read.parts;
        self.unreadable.extend(read.unreadable);
    }

    /// All that could not be read, each in a line.
    fn problems(&self) -> Vec<String> {
        let refused = self.refused.iter().map(|error| error.what().to_owned());
        refused.chain(self.unreadable.iter().cloned()).collect()
    }
}

/// The database that what is found is compared with.
enum Stored {
    /// There is none yet, and none is to be made.
    Nothing,
    Read(Connection),
    Written(Writer),
}

impl Stored {
    fn db(&self) -> Option<&Connection> {
        match self {
            Self::Nothing => None,
            Self::Read(db) => Some(db),
            Self::Written(writer) => Some(&writer.db),
        }
    }
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
    report(&summary, args, out)?;
    Ok(ExitCode::from(u8::from(!summary.refused.is_empty())))
}

/// What of the programs' histories is not recorded.
#[derive(Debug, Default)]
pub(crate) struct Behind {
    /// How many sessions of each program that is here are not recorded, or only in
    /// an older state.
    pub(crate) sessions: BTreeMap<Program, usize>,
    /// What could not be read, each in a line.
    pub(crate) unreadable: Vec<String>,
}

/// Looks for what is not recorded.
pub(crate) fn behind(paths: &Paths) -> Result<Behind> {
    let stored = if paths.db.exists() {
        let db = open_reader(&paths.db)?;
        check_schema(&db)?;
        Stored::Read(db)
    } else {
        Stored::Nothing
    };
    let settings = Recorded::read()?;
    let mut behind = Behind::default();
    for source in found()? {
        let (mut copy, unreadable) = match Copy::open(source) {
            Ok(opened) => opened,
            Err(error) => {
                behind.unreadable.push(error.what().to_owned());
                continue;
            }
        };
        behind.unreadable.extend(unreadable);
        let of_program = behind.sessions.entry(copy.program()).or_default();
        let mut core = core_of(&copy, &settings);
        core.compare(DIRECTORY);
        while let Some(request) = core.next_request(now()) {
            match &request {
                // One to fetch; that is all there is to know.
                Request::StoredMessages { .. } => {
                    *of_program += 1;
                    core.answer::<&Value>(Answer::Failed, now());
                }
                Request::Session { .. } => {
                    core.answer::<&Value>(Answer::None, now());
                }
                _ => answer(&mut core, &mut copy, stored.db(), &request)?,
            }
        }
    }
    Ok(behind)
}

/// A core that brings in what is to be recorded of a copy.
fn core_of(copy: &Copy, settings: &Recorded) -> Core {
    let recorded = settings.recorded.clone();
    Core::of_copy(copy.program().dialect(), copy.rank(), recorded)
}

fn import(
    source: Box<dyn Source>,
    stored: &mut Stored,
    settings: &Recorded,
    is_all: bool,
    summary: &mut Summary,
) -> Result<()> {
    let (mut copy, unreadable) = match Copy::open(source) {
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
    if is_all {
        core.fetch(DIRECTORY, copy.ids());
    }
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
    summary.add(copy.read());
    Ok(())
}

/// Gives the core what comes of a request.
fn answer(
    core: &mut Core,
    copy: &mut Copy,
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

/// The rows that answer a request for what is stored.
fn rows_of(db: Option<&Connection>, sql: &str, request: &Request) -> Result<Value> {
    let Some(db) = db else {
        return Ok(Value::Array(Vec::new()));
    };
    let params = serde_json::to_string(request)?;
    let rows = rows(db, sql, [params])?;
    Ok(rows.into_iter().map(|row| Value::Object(row.0)).collect())
}

/// Fails where the database is older than the query that reads it.
fn check_schema(db: &Connection) -> Result<()> {
    let version = schema_version(db)?;
    if version >= SCHEMA_VERSION {
        return Ok(());
    }
    let text = format!("the database has schema {version}, of {SCHEMA_VERSION}");
    Err(Error::new(text).hint("`clankers doctor --fix` brings it up to date"))
}

fn now() -> f64 {
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

fn report(summary: &Summary, args: &Args, out: &mut Out) -> Result<()> {
    let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    if !out.is_human() {
        let pair = |name: &str, value: usize| (column(name, Kind::Count), number(value).into());
        let record: Record = vec![
            pair("found", summary.found),
            pair("imported", summary.brought),
            pair("new", summary.new),
            pair("messages", summary.messages),
            pair("parts", summary.parts),
            pair("unreadable", summary.unreadable.len()),
            pair("refused", summary.refused.len()),
            pair("ignored", summary.ignored),
            (
                column("problems", Kind::Plain),
                Cell::Json(summary.problems().into()),
            ),
        ];
        return out.record(record);
    }
    let of = |value: usize, name: &str| counted(number(value), name);
    let what = [
        of(summary.brought, "session"),
        of(summary.messages, "message"),
        of(summary.parts, "part"),
    ];
    if summary.brought == 0 {
        out.line(&format!(
            "nothing to bring in: all of {} {} recorded",
            of(summary.found, "session"),
            if summary.found == 1 { "is" } else { "are" }
        ))?;
    } else {
        let verb = if args.dry_run {
            "would bring in"
        } else {
            "brought in"
        };
        out.line(&format!("{verb} {}", what.join(", ")))?;
        let known = summary.brought - summary.new;
        out.remark(&format!(
            "{} new, {} brought up to date, {} left as they were",
            of(summary.new, "session"),
            count(number(known)),
            count(number(summary.found - summary.brought))
        ))?;
    }
    if summary.ignored > 0 {
        out.remark(&format!(
            "{} of projects that are ignored",
            of(summary.ignored, "session")
        ))?;
    }
    if !summary.refused.is_empty() {
        let head = format!(
            "nothing could be read of {}:",
            of(summary.refused.len(), "source")
        );
        let refused = summary.refused.iter().map(Error::what);
        list(&head, refused, out)?;
    }
    if !summary.unreadable.is_empty() {
        let head = format!(
            "{} could not be read:",
            of(summary.unreadable.len(), "document")
        );
        list(&head, summary.unreadable.iter().map(String::as_str), out)?;
    }
    Ok(())
}

/// Lists what could not be read.
fn list<'a>(
    head: &str,
    lines: impl ExactSizeIterator<Item = &'a str>,
    out: &mut Out,
) -> Result<()> {
    let head = out.yellow(head);
    out.line(&head)?;
    let more = lines.len().saturating_sub(LISTED_PROBLEMS);
    for line in lines.take(LISTED_PROBLEMS) {
        out.line(&format!("  {}", one_line(line)))?;
    }
    if more > 0 {
        out.line(&format!("  and {more} more; --format json names all"))?;
    }
    Ok(())
}
