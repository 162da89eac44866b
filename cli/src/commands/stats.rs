//! `clankers stats`: what was spent, by the ledger, and how OpenCode's own figure
//! differs from it.

use rusqlite::Connection;

use crate::cell::Cell;
use crate::commands::filter::Filter;
use crate::error::Result;
use crate::output::{Format, Kind, Out, Table, bar, column, money};
use crate::paths::Paths;
use crate::store::{is_counted, open_marked_reader};

/// Tokens and cost, by day, project, model, agent or session
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What is added up
    #[arg(long, value_name = "WHAT", default_value = "day")]
    by: By,
    #[command(flatten)]
    filter: Filter,
    /// By session, sub-agents under the session that started them
    #[arg(long, conflicts_with = "by")]
    tree: bool,
}

/// What steps are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum By {
    Day,
    Project,
    Model,
    Agent,
    Session,
}

impl By {
    const fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Project => "project",
            Self::Model => "model",
            Self::Agent => "agent",
            Self::Session => "session",
        }
    }

    /// The SQL of what is grouped by, and what comes first.
    fn sql(self) -> (String, &'static str) {
        let (group, order) = match self {
            Self::Day => (
                "coalesce(date(usage.at / 1000, 'unixepoch', 'localtime'), '(unknown)')",
                "1",
            ),
            Self::Project => (
                "coalesce(sessions.project_name, '(unknown)')",
                "cost DESC, 1",
            ),
            Self::Model => (
                "coalesce(usage.provider || '/' || usage.model, usage.model, :nobody)",
                "cost DESC, 1",
            ),
            Self::Agent => ("coalesce(usage.agent, :nobody)", "cost DESC, 1"),
            Self::Session => ("usage.session_id", "cost DESC, 1"),
        };
        (group.replace(":nobody", NOBODY), order)
    }
}

/// Who a step is of that names nobody.
const NOBODY: &str = "iif(usage.kind = 'overhead', '(titles, retries)', '(unknown)')";

const WHERE: &str = "\
WHERE :counted
  AND (:since IS NULL OR usage.at >= :since) AND (:until IS NULL OR usage.at < :until)
  AND (:project IS NULL OR project_name LIKE :project ESCAPE '\\' OR project_path LIKE :project ESCAPE '\\')
  AND (:model IS NULL OR usage.model LIKE :model ESCAPE '\\' OR usage.provider LIKE :model ESCAPE '\\')
  AND :more IS NULL";

/// Prints the sums, and why OpenCode's own figure differs.
pub(crate) fn run(args: &Args, paths: &Paths, out: &mut Out) -> Result<()> {
    let db = open_marked_reader(&paths.db)?;
    if args.tree {
        return super::stats_tree::run(&args.filter, &db, out);
    }
    let (group, order) = args.by.sql();
    let is_counted = is_counted(&db)?;
    let rows = WHERE.replace(":counted", is_counted);
    let sql = format!(
        "SELECT {group} AS grouped, count(*) FILTER (WHERE usage.kind <> 'overhead'), sum(usage.prompt_tokens), sum(usage.completion_tokens), \
         sum(usage.reasoning_tokens), sum(usage.cache_read_tokens), sum(usage.cache_write_tokens), \
         round(sum(usage.cost), 9) AS cost, max(iif(sessions.missing_since IS NULL, sessions.title, NULL)) \
         FROM usage LEFT JOIN sessions ON sessions.id = usage.session_id {rows} GROUP BY grouped ORDER BY {order}"
    );
    let by_session = args.by == By::Session;
    let title = column("title", Kind::Text);
    let columns = vec![
        column(
            args.by.word(),
            if by_session { Kind::Id } else { Kind::Text },
        ),
        column("steps", Kind::Count),
        column("prompt_tokens", Kind::Count).titled("input"),
        column("completion_tokens", Kind::Count).titled("output"),
        column("reasoning_tokens", Kind::Count).titled("reasoning"),
        column("cache_read_tokens", Kind::Count).titled("cache read"),
        column("cache_write_tokens", Kind::Count).titled("cache write"),
        column("cost", Kind::Money),
        if by_session { title } else { title.data() },
    ];
    let mut table = args
        .filter
        .table(columns, &mut db.prepare(&sql)?, &rusqlite::types::Null)?;
    if table.rows.is_empty() {
        out.table(&table)?;
        return out.aside("nothing was spent");
    }
    if !by_session {
        for row in &mut table.rows {
            row.truncate(8);
        }
        table.columns.truncate(8);
    }
    let total = total(&table);
    if out.format == Format::Table {
        add_bars(&mut table, out);
        table.rows.push(total);
    }
    out.table(&table)?;
    if args.filter.since.is_none() && args.filter.until.is_none() && args.filter.model.is_none() {
        differences(&args.filter, &db, out)?;
    }
    Ok(())
}

/// The sums of the columns that can be added.
fn total(table: &Table) -> Vec<Cell> {
    let sum = |at: usize, kind: Kind| {
        let sum: f64 = table
            .rows
            .iter()
            .filter_map(|row| row.get(at))
            .map(Cell::number)
            .sum();
        match kind {
            Kind::Money => Cell::Real(sum),
            #[expect(clippy::cast_possible_truncation, reason = "a sum of counts")]
            Kind::Count => Cell::Int(sum as i64),
            _ => Cell::Null,
        }
    };
    let mut total: Vec<Cell> = table
        .columns
        .iter()
        .enumerate()
        .map(|(at, column)| sum(at, column.kind))
        .collect();
    if let Some(first) = total.first_mut() {
        *first = "total".into();
    }
    total
}

/// A bar for each row: its cost beside the greatest, its tokens where nothing cost.
fn add_bars(table: &mut Table, out: &Out) {
    let cost = |row: &Vec<Cell>| row.get(7).map_or(0.0, Cell::number);
    let tokens = |row: &Vec<Cell>| {
        row.get(2..7)
            .map_or(0.0, |cells| cells.iter().map(Cell::number).sum())
    };
    let is_free = table.rows.iter().all(|row| cost(row) == 0.0);
    let size = |row: &Vec<Cell>| if is_free { tokens(row) } else { cost(row) };
    let greatest = table.rows.iter().map(size).fold(0.0, f64::max);
    for row in &mut table.rows {
        let share = if greatest > 0.0 {
            size(row) / greatest
        } else {
            0.0
        };
        row.insert(8, bar(share, out.bar_width()).into());
    }
    table
        .columns
        .insert(8, column("share", Kind::Bar).titled(""));
}

/// OpenCode's own figure for the same sessions, where it is another, and why.
fn differences(filter: &Filter, db: &Connection, out: &mut Out) -> Result<()> {
    if out.format != Format::Table && out.format != Format::Md {
        return Ok(());
    }
    let columns = [
        "spent", "reported", "copied", "removed", "deleted", "missing", "forked",
    ]
    .map(|name| column(name, Kind::Money))
    .to_vec();
    let sums = filter.table(
        columns,
        &mut db.prepare(&SPENT_AND_REPORTED.replace(":counted", is_counted(db)?))?,
        &rusqlite::types::Null,
    )?;
    let Some(row) = sums.rows.first() else {
        return Ok(());
    };
    let value = |at: usize| row.get(at).map_or(0.0, Cell::number);
    let (spent, reported) = (value(0), value(1));
    if (spent - reported).abs() < 1e-6 {
        return Ok(());
    }
    out.line("")?;
    out.aside(&format!(
        "OpenCode's own figure for these sessions is {}: {}",
        money(reported),
        if reported < spent {
            format!("{} less than was spent", money(spent - reported))
        } else {
            format!("{} more than was spent", money(reported - spent))
        }
    ))?;
    let reasons = [
        (
            value(2),
            "counted again by forks, which copy messages that were paid for once",
        ),
        (
            value(3),
            "spent on messages that were reverted or removed, which OpenCode forgets",
        ),
        (
            value(6),
            "spent before a fork, in a session that is not recorded itself",
        ),
        (value(4), "spent in sessions that were deleted or pruned"),
        (
            value(5),
            "spent in sessions that OpenCode does not have any more, though nobody deleted them",
        ),
    ];
    for (amount, reason) in reasons {
        if amount > 1e-6 {
            out.aside(&format!("  {} {reason}", money(amount)))?;
        }
    }
    Ok(())
}

/// What sessions cost that are deleted or missing is spent, but OpenCode does not
/// report it any more.
const SPENT_AND_REPORTED: &str = "\
SELECT
  coalesce(sum(own_cost), 0.0),
  coalesce(sum(iif(is_alive, sessions.cost, 0.0)), 0.0),
  coalesce(sum(iif(is_alive, min(inherited_cost, max(sessions.cost - own_cost, 0.0)), 0.0)), 0.0),
  coalesce(sum(iif(is_alive, forgotten - min(forgotten, copied_cost), 0.0)), 0.0),
  coalesce(sum(iif(deleted_at IS NOT NULL, own_cost, 0.0)), 0.0),
  coalesce(sum(iif(deleted_at IS NULL AND missing_since IS NOT NULL, own_cost, 0.0)), 0.0),
  coalesce(sum(iif(is_alive, min(forgotten, copied_cost), 0.0)), 0.0)
FROM (
  SELECT sessions.*, own_cost, inherited_cost,
    deleted_at IS NULL AND missing_since IS NULL AS is_alive,
    max(own_cost + inherited_cost - sessions.cost, 0.0) AS forgotten,
    coalesce((SELECT sum(usage.cost) FROM usage
      WHERE usage.session_id = sessions.id AND inherited AND :counted), 0.0) AS copied_cost
  FROM session_usage JOIN sessions ON sessions.id = session_usage.session_id) AS sessions
WHERE (:project IS NULL OR project_name LIKE :project ESCAPE '\\' OR project_path LIKE :project ESCAPE '\\')
  AND :since IS NULL AND :until IS NULL AND :model IS NULL AND :more IS NULL";
