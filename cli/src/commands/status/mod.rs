//! `clankers status`: which releases load the plugin, which record, what is stored.

mod facts;
mod screen;

use serde_json::Value;

use crate::daemon;
use crate::error::Result;
use crate::opencode::program;
use crate::output::{Format, Kind, Out, Record, column};
use crate::paths::Paths;
use crate::plugin::recorders::Recorders;
use crate::plugin::standing::{self, Standing};
use crate::plugin::trouble::{self, Trouble};
use crate::recorded::Recorded;
use crate::store::{open_reader, size_on_disk};
use facts::Facts;

/// How things are, in a screenful
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// How things are.
struct Status<'p> {
    paths: &'p Paths,
    /// Whether an OpenCode or Kilo is found on this machine.
    is_any_found: bool,
    /// Each release that is here; where none is found, each that the plugin is placed for.
    standings: Vec<Standing>,
    /// What the daemon answered; none where no daemon runs.
    daemon: Option<Result<Value>>,
    /// What goes wrong in the plugin and lasts.
    troubles: Vec<Trouble>,
    /// What the settings say is recorded.
    recorded: Recorded,
    /// What the database holds; none where there is no database yet.
    facts: Option<Facts>,
    /// What recorders told of themselves.
    recorders: Recorders,
}

/// Prints how things are.
pub(crate) fn run(_: &Args, paths: &Paths, out: &mut Out) -> Result<()> {
    let project = std::env::current_dir()?;
    let daemon = daemon::health(&paths.socket);
    let db = if paths.db.exists() {
        Some(open_reader(&paths.db)?)
    } else {
        None
    };
    let facts = db.as_ref().map(Facts::read).transpose()?;
    let recorders = db.as_ref().map(Recorders::read).transpose()?;
    let programs = program::found();
    let standings = standing::all(&programs, db.as_ref(), &project)?;
    let status = Status {
        paths,
        is_any_found: !programs.is_empty(),
        standings,
        daemon,
        troubles: trouble::lasting(paths),
        recorded: Recorded::read()?,
        facts,
        recorders: recorders.unwrap_or_default(),
    };
    if out.format == Format::Table {
        return screen::write(&status, out);
    }
    out.record(record(status))
}

/// The same for programs.
fn record(status: Status<'_>) -> Record {
    let health = status.daemon.and_then(Result::ok);
    let pid = health
        .as_ref()
        .and_then(|health| health.get("pid")?.as_i64());
    let db = &status.paths.db;
    let of_release = |one: &Standing| format!("{}: {}", one.title(), one.level.name());
    let plugin: Vec<String> = status.standings.iter().map(of_release).collect();
    let plugin = plugin.join("; ");
    let troubles: Vec<String> = status.troubles.iter().map(Trouble::described).collect();
    let trouble = (!troubles.is_empty()).then(|| troubles.join("; "));
    let clankers::Recorded { content, ignored } = &status.recorded.recorded;
    let mut record: Record = vec![
        (column("plugin", Kind::Text), plugin.into()),
        (column("trouble", Kind::Text), trouble.into()),
        (column("content", Kind::Plain), content.word().into()),
        (
            column("ignored_globs", Kind::Count),
            (ignored.len() as u64).into(),
        ),
        (
            column("db_path", Kind::Text),
            db.display().to_string().into(),
        ),
        (column("db_bytes", Kind::Bytes), size_on_disk(db).into()),
        (column("daemon_pid", Kind::Plain), pid.into()),
    ];
    record.extend(status.facts.iter().flat_map(Facts::record));
    if status.facts.is_some() {
        let recorders = status.recorders.json().into();
        record.push((column("recorders", Kind::Text), recorders));
    }
    record
}
