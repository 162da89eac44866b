//! The import itself: compares, reads, folds in, stores.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clankers::model::row::OnDelete;
use clankers::store::SCHEMA_VERSION;
use clankers::{Core, Options};
use indicatif::{ProgressBar, ProgressStyle};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::source::{History, Source, found, id_of, named};
use crate::error::{Error, Result};
use crate::output::{Kind, Out, Record, column, count};
use crate::paths::Paths;
use crate::store::{Row, apply, open_reader, open_writer, rows, schema_version};

/// Bring in the history that OpenCode has from before the plugin
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// An OpenCode database, data or storage folder, or what `opencode export` wrote (`-` for
    /// standard input); instead of what OpenCode has on this machine
    #[arg(long, value_name = "PATH")]
    from: Vec<PathBuf>,
    /// Every session, not only those that are missing or were changed since
    #[arg(long)]
    all: bool,
    /// Say what would be brought in, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// So many problems are told one by one.
const TOLD: usize = 5;
/// How many commands are stored together.
const BATCH: usize = 1000;

/// What came of it.
#[derive(Debug, Default)]
struct Summary {
    found: usize,
    brought: usize,
    new: usize,
    messages: usize,
    parts: usize,
    unreadable: Vec<String>,
}

/// Imports from each source in turn.
pub(crate) fn run(args: &Args, paths: &Paths, out: &mut Out) -> Result<()> {
    let sources = if args.from.is_empty() {
        found()?
    } else {
        let mut all = Vec::new();
        for path in &args.from {
            all.extend(named(path)?);
        }
        all
    };
    let mut db = match (args.dry_run, paths.db.exists()) {
        (false, _) => Some(open_writer(paths)?),
        (true, true) => Some(open_reader(&paths.db)?),
        (true, false) => None,
    };
    let mut summary = Summary::default();
    for mut source in sources {
        if out.is_human() {
            out.remark(&format!("reading {}", source.name()))?;
            out.flush()?;
        }
        import(source.as_mut(), db.as_mut(), args, &mut summary)?;
    }
    tell(&summary, args, out)
}

/// How many of OpenCode's sessions are not recorded, or only in an older state.
pub(crate) fn behind(paths: &Paths) -> Result<usize> {
    let db = if paths.db.exists() {
        Some(open_reader(&paths.db)?)
    } else {
        None
    };
    let mut behind = 0;
    for mut source in found()? {
        let (listed, _) = source.list()?;
        let known = db
            .as_ref()
            .map(|db| known(db, &listed))
            .transpose()?
            .unwrap_or_default();
        let is_behind =
            |info: &&Value| matches!(known.get(id_of(info)), None | Some(Standing::Behind));
        behind += listed.iter().filter(is_behind).count();
    }
    Ok(behind)
}

fn import(
    source: &mut dyn Source,
    db: Option<&mut Connection>,
    args: &Args,
    summary: &mut Summary,
) -> Result<()> {
    let (listed, unreadable) = source.list()?;
    summary.unreadable.extend(unreadable);
    summary.found += listed.len();
    // Copies and exports are no store that could tell what is alive.
    let mut core = Core::new(Options {
        on_delete: OnDelete::Tombstone,
        store_id: None,
    });
    let known = match &db {
        Some(db) => known(db, &listed)?,
        None => BTreeMap::new(),
    };
    let is_wanted = |info: &&Value| args.all || known.get(id_of(info)) != Some(&Standing::Whole);
    let wanted: Vec<&Value> = listed.iter().filter(is_wanted).collect();
    let bar = progress(wanted.len());
    let mut db = db;
    for info in wanted {
        let history = source.read(info)?;
        summary.brought += 1;
        summary.new += usize::from(!known.contains_key(id_of(info)));
        summary.messages += history.messages.len();
        summary.parts += history
            .messages
            .iter()
            .map(|message| message.parts.len())
            .sum::<usize>();
        summary
            .unreadable
            .extend(history.unreadable.iter().cloned());
        if let (Some(db), false) = (db.as_deref_mut(), args.dry_run) {
            fold(&mut core, &history, db)?;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

/// What is recorded of a session that OpenCode has.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    /// As much as OpenCode has, or it was deleted here.
    Whole,
    /// As much, but for a message that has no end: it may be under way, may
    /// never have ended, or its end was missed.
    Open,
    /// Less: a placeholder, or an older state.
    Behind,
}

/// The sessions that are recorded, of those that are listed.
fn known(db: &Connection, listed: &[Value]) -> Result<BTreeMap<String, Standing>> {
    const KNOWN: &str = "\
SELECT sessions.id, deleted_at IS NOT NULL AS deleted,
  created_at IS NOT NULL AND whole_at >= info.value ->> '$.time.updated'
    AND title IS info.value ->> 'title' AS current,
  EXISTS (
    SELECT 1 FROM messages WHERE session_id = sessions.id
      AND completed_at IS NULL AND deleted_at IS NULL AND role IS NOT 'user') AS open
FROM json_each(?1) AS info JOIN sessions ON sessions.id = info.value ->> 'id'
LEFT JOIN session_own ON session_own.session_id = sessions.id";
    let version = schema_version(db)?;
    if version < SCHEMA_VERSION {
        let text = format!("the database has schema {version}, of {SCHEMA_VERSION}");
        return Err(Error::new(text).hint("`clankers doctor --fix` brings it up to date"));
    }
    let params = serde_json::to_string(listed)?;
    let standing = |row: &Row| {
        let holds = |name: &str| row.int(name) == Some(1);
        let standing = match (holds("deleted"), holds("current"), holds("open")) {
            (true, ..) | (false, true, false) => Standing::Whole,
            (false, true, true) => Standing::Open,
            (false, false, _) => Standing::Behind,
        };
        (row.text("id").unwrap_or_default().to_owned(), standing)
    };
    Ok(rows(db, KNOWN, [params])?.iter().map(standing).collect())
}

/// Folds in one session, written as the events that would tell it.
fn fold(core: &mut Core, history: &History, db: &mut Connection) -> Result<()> {
    let id = id_of(&history.info);
    let now = now();
    let tell = |core: &mut Core, kind: &str, properties: Value| {
        core.recall(&&json!({ "type": kind, "properties": properties }), now);
    };
    core.begin_recall(id, now);
    tell(
        core,
        "session.updated",
        json!({ "sessionID": id, "info": history.info }),
    );
    if let Some(todos) = &history.todos {
        tell(
            core,
            "todo.updated",
            json!({ "sessionID": id, "todos": todos }),
        );
    }
    let mut pending = 0;
    for message in &history.messages {
        tell(core, "message.updated", json!({ "info": message.info }));
        for part in &message.parts {
            tell(core, "message.part.updated", json!({ "part": part }));
        }
        pending += 1 + message.parts.len();
        if pending >= BATCH {
            store(core, db)?;
            pending = 0;
        }
    }
    core.end_recall(id, history.unreadable.is_empty());
    store(core, db)
}

fn store(core: &mut Core, db: &mut Connection) -> Result<()> {
    apply(db, core.drain())?;
    core.settle(true);
    Ok(())
}

fn now() -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds are exact for 280,000 years"
    )]
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_millis() as f64)
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

fn tell(summary: &Summary, args: &Args, out: &mut Out) -> Result<()> {
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
        ];
        return out.record(record);
    }
    let of = |value: usize, name: &str| {
        format!(
            "{} {name}{}",
            count(number(value)),
            if value == 1 { "" } else { "s" }
        )
    };
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
    if !summary.unreadable.is_empty() {
        let head = format!(
            "{} could not be read:",
            of(summary.unreadable.len(), "document")
        );
        let head = out.yellow(&head);
        out.line(&head)?;
        for line in summary.unreadable.iter().take(TOLD) {
            out.line(&format!("  {line}"))?;
        }
        if summary.unreadable.len() > TOLD {
            out.line("  …")?;
        }
    }
    Ok(())
}
