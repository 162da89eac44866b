//! `clankers status`: is the plugin installed, is it recording, what is stored.

use clankers::store::SCHEMA_VERSION;
use rusqlite::Connection;
use serde_json::Value;

use crate::cell::Cell;
use crate::daemon;
use crate::error::Result;
use crate::opencode::config::{self, Entry};
use crate::output::{Format, Kind, Out, Record, column, count, duration, money, time};
use crate::paths::{Paths, shown};
use crate::store::{Row, open_reader, rows, schema_version, size_on_disk};

/// How things are, in a screenful
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// Prints how things are.
pub(crate) fn run(_: &Args, paths: &Paths, out: &mut Out) -> Result<()> {
    let project = std::env::current_dir()?;
    let entries = config::entries(&project)?;
    let daemon = daemon::health(&paths.socket);
    let db = if paths.db.exists() {
        Some(open_reader(&paths.db)?)
    } else {
        None
    };
    if out.format == Format::Table {
        return screen(paths, &entries, daemon.as_ref(), db.as_ref(), out);
    }
    let health = daemon.and_then(std::result::Result::ok);
    let mut record: Record = vec![
        (
            column("installed", Kind::Count),
            Cell::from(entries.len() as u64),
        ),
        (
            column("db_path", Kind::Text),
            paths.db.display().to_string().into(),
        ),
        (
            column("db_bytes", Kind::Bytes),
            size_on_disk(&paths.db).into(),
        ),
        (
            column("daemon_pid", Kind::Plain),
            health
                .as_ref()
                .and_then(|health| health.get("pid")?.as_i64())
                .into(),
        ),
    ];
    if let Some(db) = &db {
        let facts = facts(db)?;
        let number = |name: &str| facts.0.get(name).map_or(Cell::Null, number_cell);
        record.push((
            column("schema_version", Kind::Plain),
            Cell::from(schema_version(db)? as u64),
        ));
        for (name, kind) in FACTS {
            record.push((column(name, kind), number(name)));
        }
    }
    out.record(record)
}

const FACTS: [(&str, Kind); 8] = [
    ("sessions", Kind::Count),
    ("messages", Kind::Count),
    ("tool_calls", Kind::Count),
    ("steps", Kind::Count),
    ("cost", Kind::Money),
    ("last_event_at", Kind::Time),
    ("rejection_kinds", Kind::Count),
    ("rejections", Kind::Count),
];

fn number_cell(value: &Value) -> Cell {
    match (value.as_i64(), value.as_f64()) {
        (Some(number), _) => Cell::Int(number),
        (None, Some(number)) => Cell::Real(number),
        _ => Cell::Null,
    }
}

fn facts(db: &Connection) -> Result<Row> {
    let facts = "SELECT
        (SELECT count(*) FROM sessions) AS sessions,
        (SELECT count(*) FROM messages) AS messages,
        (SELECT count(*) FROM tool_calls) AS tool_calls,
        (SELECT count(*) FROM usage WHERE NOT inherited) AS steps,
        (SELECT round(coalesce(sum(cost), 0), 9) FROM usage WHERE NOT inherited) AS cost,
        (SELECT max(at) FROM (
          SELECT max(updated_at) AS at FROM sessions UNION ALL
          SELECT max(max(created_at, coalesce(completed_at, 0))) FROM messages)) AS last_event_at,
        (SELECT count(*) FROM rejections) AS rejection_kinds,
        (SELECT coalesce(sum(count), 0) FROM rejections) AS rejections";
    Ok(rows(db, facts, [])?.pop().unwrap_or_default())
}

fn screen(
    paths: &Paths,
    entries: &[Entry],
    daemon: Option<&Result<Value>>,
    db: Option<&Connection>,
    out: &mut Out,
) -> Result<()> {
    let (good, bad) = (out.green("●"), out.yellow("○"));
    let line = |good_now: bool, name: &str, text: &str| {
        format!("{} {name:10} {text}", if good_now { &good } else { &bad })
    };
    let plugin = match entries {
        [] => line(false, "plugin", "not installed: run `clankers install`"),
        [one] => line(
            true,
            "plugin",
            &format!("{}, {}", one.described(), one.scope.word()),
        ),
        [one, more @ ..] => line(
            true,
            "plugin",
            &format!("{}, and in {} places more", one.described(), more.len()),
        ),
    };
    out.line(&plugin)?;
    let text = match daemon {
        None => line(
            false,
            "daemon",
            "not running; the plugin writes by itself, so that is fine",
        ),
        Some(Err(error)) => line(
            false,
            "daemon",
            &format!("does not answer as it should: {error}"),
        ),
        Some(Ok(health)) => {
            let number = |name: &str| health.get(name).and_then(Value::as_i64).unwrap_or_default();
            let path = health.get("dbPath").and_then(Value::as_str);
            let other = path.filter(|path| std::path::Path::new(path) != paths.db);
            let text = format!(
                "running for {} (pid {}){}",
                duration(number("uptimeMs")),
                number("pid"),
                other.map_or_else(String::new, |path| format!(
                    "; it writes another database: {path}"
                ))
            );
            line(other.is_none(), "daemon", &text)
        }
    };
    out.line(&text)?;
    let Some(db) = db else {
        let text = line(
            false,
            "database",
            &format!("none yet at {}", shown(&paths.db)),
        );
        out.line(&text)?;
        out.line("")?;
        return out
            .remark("say something in OpenCode, or run `clankers import` for what it has already");
    };
    let facts = facts(db)?;
    let number = |name: &str| facts.int(name).unwrap_or_default();
    let text = format!(
        "{}, {}, schema {SCHEMA_VERSION}",
        shown(&paths.db),
        crate::output::bytes(size_on_disk(&paths.db))
    );
    let text = line(true, "database", &text);
    out.line(&text)?;
    let text = match facts.int("last_event_at") {
        Some(at) => line(true, "last event", &time(at)),
        None => line(false, "last event", "none yet"),
    };
    out.line(&text)?;
    let text = match (number("rejections"), number("rejection_kinds")) {
        (0, _) => line(true, "rejections", "none"),
        (times, kinds) => {
            let kinds = if kinds == 1 {
                "1 kind".to_owned()
            } else {
                format!("{} kinds", count(kinds))
            };
            line(
                false,
                "rejections",
                &format!(
                    "{kinds}, {} in all: `clankers doctor` explains them",
                    count(times)
                ),
            )
        }
    };
    out.line(&text)?;
    out.line("")?;
    out.line(&format!(
        "  {} sessions · {} messages · {} tool calls · {} spent",
        count(number("sessions")),
        count(number("messages")),
        count(number("tool_calls")),
        money(facts.real("cost")),
    ))
}
