//! `clankers sessions`: the conversations, those that changed last first.

use crate::cell::Cell;
use crate::commands::filter::{Filter, like};
use crate::error::Result;
use crate::output::{Kind, Out, Table, column, counted};
use crate::paths::Paths;
use crate::store::{MissingCounts, open_marked_reader};

/// List the sessions
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only sessions in whose title or messages this occurs
    text: Option<String>,
    #[command(flatten)]
    filter: Filter,
    /// Sub-agents' and deleted sessions too
    #[arg(long, short)]
    all: bool,
    /// Those too that OpenCode does not have any more, and since when
    #[arg(long)]
    missing: bool,
    /// What comes first
    #[arg(long, value_name = "WHAT", default_value = "updated")]
    sort: Sort,
    /// At most this many; 0 for all
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 30)]
    limit: u32,
}

/// What sessions are sorted by, greatest first.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Sort {
    Updated,
    Created,
    Cost,
    Tokens,
}

impl Sort {
    const fn column(self) -> &'static str {
        match self {
            Self::Updated => "updated_at",
            Self::Created => "created_at",
            Self::Cost => "cost",
            Self::Tokens => "tokens",
        }
    }
}

/// The tokens and the cost are what was spent, sub-agents included. `:hides` is
/// true where what is missing is not shown.
const SESSIONS: &str = "\
SELECT sessions.id, coalesce(updated_at, created_at) AS updated_at,
  iif(:hides AND missing_since IS NOT NULL, NULL, title), project_name, model,
  (SELECT count(*) FROM messages WHERE session_id = sessions.id AND deleted_at IS NULL
    AND NOT (:hides AND missing_since IS NOT NULL)) AS messages,
  coalesce(inclusive_tokens, 0) AS tokens, coalesce(inclusive_cost, 0.0) AS cost,
  parent_id, project_path, provider, agent, status, source, source_version, created_at, archived_at, deleted_at,
  missing_since
FROM sessions LEFT JOIN session_usage ON session_usage.session_id = sessions.id
WHERE (:all OR (parent_id IS NULL AND deleted_at IS NULL AND NOT (:hides AND missing_since IS NOT NULL)))
  AND (:since IS NULL OR coalesce(updated_at, created_at) >= :since)
  AND (:until IS NULL OR coalesce(updated_at, created_at) < :until)
  AND (:project IS NULL OR project_name LIKE :project ESCAPE '\\' OR project_path LIKE :project ESCAPE '\\')
  AND (:model IS NULL OR model LIKE :model ESCAPE '\\' OR provider LIKE :model ESCAPE '\\')
  AND (:more IS NULL
    OR (title LIKE :more ESCAPE '\\' AND NOT (:hides AND missing_since IS NOT NULL))
    OR EXISTS (
      SELECT 1 FROM messages WHERE session_id = sessions.id AND text_content LIKE :more ESCAPE '\\'
        AND NOT (:hides AND missing_since IS NOT NULL)))";

/// Prints the sessions that match.
pub(crate) fn run(args: &Args, paths: &Paths, out: &mut Out) -> Result<()> {
    let db = open_marked_reader(&paths.db)?;
    let limit = if args.limit == 0 {
        -1
    } else {
        i64::from(args.limit)
    };
    // No text from outside gets into the SQL: names of ours, and a number.
    let sql = format!(
        "{SESSIONS} ORDER BY {} DESC, sessions.id LIMIT {limit}",
        args.sort.column()
    )
    .replace(":all", if args.all { "true" } else { "false" })
    .replace(":hides", if args.missing { "false" } else { "true" });
    let source = column("source", Kind::Text);
    let is_of_several: bool = db.query_row(
        "SELECT count(DISTINCT source) > 1 FROM sessions",
        [],
        |row| row.get(0),
    )?;
    let missing_since = column("missing_since", Kind::Time).titled("missing since");
    let columns = vec![
        column("id", Kind::Id).titled("session"),
        column("updated_at", Kind::Time).titled("last change"),
        column("title", Kind::Text),
        column("project_name", Kind::Text).titled("project"),
        column("model", Kind::Text),
        column("messages", Kind::Count),
        column("tokens", Kind::Count),
        column("cost", Kind::Money),
        column("parent_id", Kind::Id).data(),
        column("project_path", Kind::Text).data(),
        column("provider", Kind::Text).data(),
        column("agent", Kind::Text).data(),
        column("status", Kind::Text).data(),
        if is_of_several { source } else { source.data() },
        column("source_version", Kind::Text).data(),
        column("created_at", Kind::Time).data(),
        column("archived_at", Kind::Time).data(),
        column("deleted_at", Kind::Time).data(),
        if args.missing {
            missing_since
        } else {
            missing_since.data()
        },
    ];
    let mut table = args.filter.table(
        columns,
        &mut db.prepare(&sql)?,
        &args.text.as_deref().map(like),
    )?;
    if out.is_human() {
        explain_untitled(&mut table);
    }
    out.table(&table)?;
    if table.rows.is_empty() {
        return out.aside(&nothing_matches(args, MissingCounts::read(&db)?.sessions));
    }
    if table.rows.len() == usize::try_from(args.limit).unwrap_or(usize::MAX) {
        out.aside(&format!(
            "the first {} are shown; -n 0 shows all",
            args.limit
        ))?;
    }
    Ok(())
}

/// What is said where nothing matches: which options show more.
fn nothing_matches(args: &Args, missing: i64) -> String {
    let mut said = vec!["no session matches".to_owned()];
    if !args.missing && missing > 0 {
        let those = counted(missing, "session");
        said.push(format!(
            "--missing shows {those} that OpenCode does not have any more"
        ));
    }
    if !args.all {
        said.push("--all shows sub-agents' and deleted ones too".to_owned());
    }
    said.join("; ")
}

/// Says why a deleted or a missing session has no title.
fn explain_untitled(table: &mut Table) {
    let at = |name: &str| table.columns.iter().position(|column| column.name == name);
    let (Some(title), Some(deleted), Some(missing)) =
        (at("title"), at("deleted_at"), at("missing_since"))
    else {
        return;
    };
    for row in &mut table.rows {
        let is_set = |at: usize| row.get(at).is_some_and(|cell| *cell != Cell::Null);
        let why = match (is_set(title), is_set(deleted), is_set(missing)) {
            (false, true, _) => "(deleted)",
            (false, false, true) => "(missing)",
            _ => continue,
        };
        if let Some(title) = row.get_mut(title) {
            *title = why.into();
        }
    }
}
