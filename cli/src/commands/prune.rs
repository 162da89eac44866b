//! `clankers prune`: old content goes, what was spent stays.

use std::time::{SystemTime, UNIX_EPOCH};

use clankers::model::command::{Command, SessionDelete};
use clankers::model::number::Number;
use clankers::model::row::OnDelete;

use super::filter::{like, when};
use crate::error::Result;
use crate::output::{Out, bytes, count, one_line, time};
use crate::paths::Paths;
use crate::search::Index;
use crate::store::{apply, open_reader, open_writer, rows, size_on_disk};

/// Erase the content of old sessions; the ledger of what was spent stays
#[derive(Debug, clap::Args)]
#[command(
    after_help = "OpenCode's own data is not touched. What it still has comes back only where rows \
were purged: by `clankers import`, or when the plugin catches up."
)]
pub(crate) struct Args {
    /// Sessions that were last changed before then: `90d`, `2026-01-01`
    #[arg(long, value_name = "WHEN", value_parser = when)]
    older_than: i64,
    /// Only projects whose name or path contains this
    #[arg(long, value_name = "TEXT")]
    project: Option<String>,
    /// Delete the rows, instead of keeping them without their content
    #[arg(long)]
    purge: bool,
    /// Give the space back to the disk afterwards
    #[arg(long)]
    vacuum: bool,
    /// Say what would be erased, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Sessions, and sub-agents' with the session that started them.
const OLD: &str = "\
WITH RECURSIVE old (id) AS (
  SELECT id FROM sessions
  WHERE coalesce(updated_at, created_at) < ?1 AND parent_id IS NULL AND (deleted_at IS NULL OR ?3)
    AND (?2 IS NULL OR project_name LIKE ?2 ESCAPE '\\' OR project_path LIKE ?2 ESCAPE '\\')
  UNION
  SELECT sessions.id FROM sessions JOIN old ON sessions.parent_id = old.id
)
SELECT sessions.id, title, parent_id, coalesce(updated_at, created_at) AS at
FROM old JOIN sessions USING (id) ORDER BY at, sessions.id";

/// How many sessions are erased in one transaction.
const BATCH: usize = 100;

/// Erases.
pub(crate) fn run(args: &Args, paths: &Paths, out: &mut Out) -> Result<()> {
    let project = args.project.as_deref().map(like);
    let found = {
        let db = open_reader(&paths.db)?;
        rows(
            &db,
            OLD,
            rusqlite::params![args.older_than, project, args.purge],
        )?
    };
    let roots = found.iter().filter(|row| row.text("parent_id").is_none());
    if args.dry_run {
        for row in roots.clone() {
            let title = one_line(row.text("title").unwrap_or("(no title)"));
            let at = row.int("at").map(time).unwrap_or_default();
            out.line(&format!(
                "{at}  {}  {title}",
                row.text("id").unwrap_or_default()
            ))?;
        }
    }
    let number = |number: usize| count(i64::try_from(number).unwrap_or(i64::MAX));
    let told = roots.count();
    let what = format!(
        "{} sessions and {} of their sub-agents'",
        number(told),
        number(found.len() - told)
    );
    if args.dry_run {
        return out.line(&format!(
            "would {} {what}",
            if args.purge {
                "purge"
            } else {
                "erase the content of"
            }
        ));
    }
    let before = size_on_disk(&paths.db);
    let mut db = open_writer(paths)?;
    let on_delete = if args.purge {
        OnDelete::Purge
    } else {
        OnDelete::Tombstone
    };
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds are exact for 280,000 years"
    )]
    let deleted_at = Number::new(now.as_millis() as f64).unwrap_or_default();
    let delete = |id: &str| {
        Command::SessionDelete(SessionDelete {
            id: id.to_owned(),
            deleted_at,
            store_id: None,
            on_delete,
        })
    };
    for batch in found.chunks(BATCH) {
        let commands: Vec<Command> = batch
            .iter()
            .filter_map(|row| row.text("id").map(delete))
            .collect();
        apply(&mut db, &commands)?;
    }
    if args.vacuum {
        db.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")?;
    }
    drop(db);
    if Index::path(&paths.db).exists() {
        // The words that were erased leave the index too.
        Index::open(&paths.db, false)?;
    }
    out.line(&format!(
        "{} {what}",
        if args.purge {
            "purged"
        } else {
            "erased the content of"
        }
    ))?;
    if args.vacuum {
        out.line(&format!(
            "the database went from {} to {}",
            bytes(before),
            bytes(size_on_disk(&paths.db))
        ))?;
    } else if !found.is_empty() {
        out.remark("--vacuum gives the space back to the disk")?;
    }
    Ok(())
}
