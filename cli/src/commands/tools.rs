//! `clankers tools`: which tools were called, how they fared, how long they took.

use crate::commands::filter::Filter;
use crate::error::Result;
use crate::output::{Kind, Out, column};
use crate::paths::Paths;
use crate::store::{is_counted, open_reader};

/// Tools: calls, failures, time
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    filter: Filter,
}

/// The view `tool_usage`, with filters. As there, the time that a person took to
/// answer a permission request is left out, and so are calls that a fork copied and
/// that count where they were made.
const TOOLS: &str = "\
SELECT tool, count(*), count(*) FILTER (WHERE tool_calls.status = 'error'),
  round(100.0 * count(*) FILTER (WHERE tool_calls.status = 'error') / count(*), 1),
  avg(max(tool_calls.duration_ms - permission_wait_ms, 0)),
  max(max(tool_calls.duration_ms - permission_wait_ms, 0)),
  coalesce(sum(max(tool_calls.duration_ms - permission_wait_ms, 0)), 0),
  coalesce(sum(permission_wait_ms), 0)
FROM tool_calls
LEFT JOIN messages ON messages.id = tool_calls.message_id
LEFT JOIN sessions ON sessions.id = tool_calls.session_id
WHERE (NOT coalesce(messages.created_at < sessions.created_at, 0)
    OR EXISTS (SELECT 1 FROM usage WHERE usage.message_id = messages.id AND :counted))
  AND (:since IS NULL OR coalesce(tool_calls.started_at, messages.created_at) >= :since)
  AND (:until IS NULL OR coalesce(tool_calls.started_at, messages.created_at) < :until)
  AND (:project IS NULL OR project_name LIKE :project ESCAPE '\\' OR project_path LIKE :project ESCAPE '\\')
  AND (:model IS NULL OR messages.model LIKE :model ESCAPE '\\' OR messages.provider LIKE :model ESCAPE '\\')
  AND :more IS NULL
GROUP BY tool
ORDER BY count(*) DESC, tool";

/// Prints one line for each tool.
pub(crate) fn run(args: &Args, paths: &Paths, out: &mut Out) -> Result<()> {
    let db = open_reader(&paths.db)?;
    let columns = vec![
        column("tool", Kind::Text),
        column("calls", Kind::Count),
        column("errors", Kind::Count).titled("failed"),
        column("error_percent", Kind::Count).titled("failed %"),
        column("mean_duration_ms", Kind::Duration).titled("mean"),
        column("longest_duration_ms", Kind::Duration).titled("longest"),
        column("total_duration_ms", Kind::Duration).titled("in all"),
        column("permission_wait_ms", Kind::Duration).titled("you were asked"),
    ];
    let table = args.filter.table(
        columns,
        &mut db.prepare(&TOOLS.replace(":counted", is_counted(&db)?))?,
        &rusqlite::types::Null,
    )?;
    out.table(&table)?;
    if table.rows.is_empty() {
        return out.aside("no tool was called");
    }
    out.aside("times leave out how long you were asked for a permission")
}
