//! `clankers tail`: what is being recorded, as it comes.

use std::collections::BTreeSet;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::Value;

use super::filter::like;
use crate::error::Result;
use crate::output::{Format, Out, cut, duration, money, one_line, time};
use crate::paths::Paths;
use crate::store::{FileIdentity, Row, open_marked_reader, rows};

/// Follow what is being recorded
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// So many of the last things first
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 10)]
    last: u32,
    /// Only projects whose name or path contains this
    #[arg(long, value_name = "TEXT")]
    project: Option<String>,
    /// End after what is there, instead of waiting for more
    #[arg(long)]
    once: bool,
}

/// How often the database is checked for changes, which costs SQLite very little.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// How far back new rows are looked for: they are not always written in the order
/// in which things happened, but hardly ever this much later.
const LOOKBACK_MS: i64 = 24 * 3_600_000;

/// Messages and tool calls that have ended, so that they do not change any more.
const EVENTS: &str = "\
SELECT * FROM (
  SELECT messages.id, coalesce(completed_at, messages.created_at) AS at, coalesce(role, '?') AS kind,
    text_content AS text, error_name, error_message, cost, duration_ms, messages.model AS detail,
    messages.session_id, NULL AS status
  FROM messages
  WHERE deleted_at IS NULL AND missing_since IS NULL AND (error_name IS NOT NULL
    OR (text_content <> '' AND (role = 'user' OR completed_at IS NOT NULL)))
  UNION ALL
  SELECT id, coalesce(ended_at, started_at), 'tool', coalesce(title, input), NULL, error, 0, duration_ms, tool,
    session_id, status
  FROM tool_calls WHERE deleted_at IS NULL AND missing_since IS NULL AND status IN ('completed', 'error'))
WHERE at > ?1 AND (?2 IS NULL OR session_id IN (
  SELECT id FROM sessions WHERE project_name LIKE ?2 ESCAPE '\\' OR project_path LIKE ?2 ESCAPE '\\'))
ORDER BY at DESC, id DESC LIMIT ?3";

/// Prints what is there, then what comes, until it is interrupted.
pub(crate) fn run(args: &Args, paths: &Paths, out: &mut Out) -> Result<()> {
    let mut db = open_marked_reader(&paths.db)?;
    let mut file = FileIdentity::at(&paths.db);
    let project = args.project.as_deref().map(like);
    let mut seen = BTreeSet::new();
    let mut newest = 0;
    let mut first = true;
    let mut version: Option<i64> = None;
    loop {
        let found = FileIdentity::at(&paths.db);
        // What is put in its place may take a moment to be one that can be read.
        if found != file
            && let Ok(next) = open_marked_reader(&paths.db)
        {
            (db, file, version) = (next, found, None);
        }
        let now: i64 = db.query_row("PRAGMA data_version", [], |row| row.get(0))?;
        if version != Some(now) {
            version = Some(now);
            let limit = if first { i64::from(args.last) } else { -1 };
            let since = if first { 0 } else { newest - LOOKBACK_MS };
            let mut events = rows(&db, EVENTS, rusqlite::params![since, project, limit])?;
            events.reverse();
            if first && !args.once {
                // What is older than the events shown is not printed later either.
                mark_seen(&db, project.as_deref(), &mut seen)?;
            }
            for event in &events {
                let id = event.text("id").unwrap_or_default().to_owned();
                newest = newest.max(event.int("at").unwrap_or_default());
                if seen.insert(id) || first {
                    print(event, &db, out)?;
                }
            }
            first = false;
            out.flush()?;
        }
        if args.once {
            return Ok(());
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}

fn mark_seen(db: &Connection, project: Option<&str>, seen: &mut BTreeSet<String>) -> Result<()> {
    for event in rows(db, EVENTS, rusqlite::params![0, project, -1])? {
        seen.insert(event.text("id").unwrap_or_default().to_owned());
    }
    Ok(())
}

fn print(event: &Row, db: &Connection, out: &mut Out) -> Result<()> {
    if out.format != Format::Table && out.format != Format::Md {
        return out.json_line(&Value::Object(event.0.clone()));
    }
    let session = event.text("session_id").unwrap_or_default();
    let title: Option<String> = db
        .query_row(
            "SELECT title FROM sessions WHERE id = ?1",
            [session],
            |row| row.get(0),
        )
        .unwrap_or_default();
    let text = one_line(event.text("text").unwrap_or_default());
    let detail = one_line(event.text("detail").unwrap_or_default());
    let took = event.int("duration_ms").map(duration).unwrap_or_default();
    let error = event.text("error_name").or(event.text("error_message"));
    let (who, text) = match event.text("kind") {
        Some("user") => ("you".to_owned(), text),
        Some("tool") => (detail, text),
        _ => ("assistant".to_owned(), text),
    };
    let at = event.int("at").map(time).unwrap_or_default();
    let title = cut(&one_line(title.as_deref().unwrap_or("(no title)")), 24);
    let cost = Some(event.real("cost"))
        .filter(|&cost| cost > 0.0)
        .map(money)
        .unwrap_or_default();
    let notes = [took, cost]
        .into_iter()
        .filter(|note| !note.is_empty())
        .collect::<Vec<_>>()
        .join(", ");
    let notes = if notes.is_empty() {
        notes
    } else {
        format!("  ({notes})")
    };
    let body = format!("{who:<10}  {text}");
    let room = out
        .width()
        .map(|width| width.saturating_sub(46 + notes.len()).max(20));
    let body = room.map_or_else(|| body.clone(), |room| cut(&body, room));
    let body = if error.is_some() {
        out.red(&body)
    } else {
        body
    };
    let (at, title, notes) = (
        out.dim(&at),
        out.dim(&format!("{title:<24}")),
        out.dim(&notes),
    );
    out.line(&format!("{at}  {title}  {body}{notes}"))
}
