//! `clankers prune`: erases content, of old sessions or of what is missing. What
//! was spent stays.

mod missing;
mod old;
mod selection;

use std::time::Duration;

use super::filter::{like, when};
use crate::error::Result;
use crate::output::{Out, bytes, confirm};
use crate::paths::Paths;
use crate::store::{
    Erasure, Writer, apply_within, open_marked_reader, open_reader, open_writer, size_on_disk,
};
use selection::{Deletion, Selection, Target};

/// Erase content that is old or missing; the ledger of what was spent stays
#[derive(Debug, clap::Args)]
#[command(
    group = clap::ArgGroup::new("which").required(true).multiple(true).args(["older_than", "missing"]),
    after_help = "OpenCode's own data is not touched, and what was erased here is not recorded from it again."
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command line"
)]
pub(crate) struct Args {
    /// Sessions that were last changed before then: `90d`, `2026-01-01`
    #[arg(long, value_name = "WHEN", value_parser = long_ago)]
    older_than: Option<i64>,
    /// What OpenCode does not have any more, though nobody deleted it; with --older-than what
    /// has been missing since before then
    #[arg(long)]
    missing: bool,
    /// Only projects whose name or path contains this
    #[arg(long, value_name = "TEXT")]
    project: Option<String>,
    /// Delete the rows, instead of keeping them without their content
    #[arg(long)]
    purge: bool,
    /// Give the space back to the disk afterwards
    #[arg(long)]
    vacuum: bool,
    /// Erase what is missing without asking
    #[arg(long, short, requires = "missing")]
    yes: bool,
    /// Say what would be erased, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// As [`when`], but that `1m` may be meant as a month.
fn long_ago(text: &str) -> std::result::Result<i64, String> {
    let is_plain = |letter: char| letter.is_ascii_digit() || letter == ' ';
    if text
        .strip_suffix('m')
        .is_some_and(|count| count.chars().all(is_plain))
    {
        return Err("`m` may be minutes or months: write 30min or 3mo".to_owned());
    }
    when(text)
}

/// How many rows are erased in one transaction, so that no writer waits long.
const BATCH: usize = 100;

/// How long whoever reads is waited for, so that the log can be emptied.
const READERS_WAIT: Duration = Duration::from_secs(5);

/// Erases what is selected, or says what would be erased.
pub(crate) fn run(args: &Args, paths: &Paths, out: &mut Out) -> Result<()> {
    let selection = select(args, paths)?;
    let action = if args.purge {
        "purge"
    } else {
        "erase the content of"
    };
    if args.dry_run {
        for line in &selection.list {
            out.line(line)?;
        }
        return out.line(&format!("would {action} {}", selection.summary));
    }
    if args.missing && selection.targets.is_empty() {
        return out.line("nothing is missing");
    }
    if args.missing && !args.yes {
        out.flush()?;
        if !confirm(&format!("{action} {}?", selection.summary))? {
            return out.line("nothing was erased");
        }
    }
    let before = size_on_disk(&paths.db);
    let mut erasure = Erasure::found(&paths.db);
    let mut writer = open_writer(paths)?;
    erase(&mut writer, args, &selection.targets, &mut erasure)?;
    if args.vacuum {
        writer
            .db
            .execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")?;
    }
    let is_settled = erasure.settle(&writer.db, &paths.db, READERS_WAIT);
    if !is_settled && !selection.targets.is_empty() {
        out.remark("somebody reads the database: what was erased leaves its log, or the search index, when something is stored next")?;
    }
    drop(writer);
    let done = if args.purge {
        "purged"
    } else {
        "erased the content of"
    };
    out.line(&format!("{done} {}", selection.summary))?;
    if args.vacuum {
        out.line(&format!(
            "the database went from {} to {}",
            bytes(before),
            bytes(size_on_disk(&paths.db))
        ))?;
    } else if !selection.targets.is_empty() {
        out.remark("--vacuum gives the space back to the disk")?;
    }
    Ok(())
}

fn select(args: &Args, paths: &Paths) -> Result<Selection> {
    let project = args.project.as_deref().map(like);
    if args.missing {
        let db = open_marked_reader(&paths.db)?;
        missing::select(&db, args.older_than, project.as_deref())
    } else {
        let db = open_reader(&paths.db)?;
        old::select(&db, args.older_than, project.as_deref(), args.purge)
    }
}

fn erase(
    writer: &mut Writer,
    args: &Args,
    targets: &[Target],
    erasure: &mut Erasure,
) -> Result<()> {
    let deletion = Deletion::now(args.purge);
    for batch in targets.chunks(BATCH) {
        let transaction = writer.begin()?;
        let commands: Vec<_> = if args.missing {
            // While the question was open, something may have come back.
            let still = missing::still(&transaction, batch)?;
            still.iter().map(|target| deletion.of(target)).collect()
        } else {
            batch.iter().map(|target| deletion.of(target)).collect()
        };
        apply_within(&transaction, &commands)?;
        transaction.commit()?;
        erasure.stored(&commands);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Args, Target, erase, long_ago};
    use crate::paths::Paths;
    use crate::store::{Erasure, beside, open_writer};

    #[test]
    fn nothing_is_erased_in_a_file_that_was_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let db = folder.path().join("clankers.db");
        let paths = Paths {
            data: folder.path().to_owned(),
            socket: folder.path().join("sock"),
            in_own_folder: false,
            db: db.clone(),
        };
        let mut writer = open_writer(&paths).unwrap();
        writer
            .db
            .execute_batch("INSERT INTO sessions (id, title) VALUES ('ses_x', 'kept')")
            .unwrap();
        let args = Args {
            older_than: Some(0),
            missing: false,
            project: None,
            purge: false,
            vacuum: false,
            yes: false,
            dry_run: false,
        };
        let target = || Target::Session {
            id: "ses_x".to_owned(),
        };
        fs::rename(&db, beside(&db, ".replaced")).unwrap();
        let refused = |writer: &mut _| {
            let outcome = erase(writer, &args, &[target()], &mut Erasure::default());
            outcome.unwrap_err().to_string()
        };
        assert!(refused(&mut writer).contains("was removed"));
        fs::write(&db, "").unwrap();
        assert!(refused(&mut writer).contains("another file put in its place"));
        let title = "SELECT title FROM sessions";
        let title: String = writer.db.query_row(title, [], |row| row.get(0)).unwrap();
        assert_eq!(title, "kept");
        fs::rename(beside(&db, ".replaced"), &db).unwrap();
        erase(&mut writer, &args, &[target()], &mut Erasure::default()).unwrap();
    }

    #[test]
    fn what_may_be_minutes_or_months_is_refused() {
        for text in ["1m", "30 m"] {
            assert!(long_ago(text).is_err(), "{text}");
        }
        for text in ["1mo", "30min", "90d", "2026-01-01"] {
            assert!(long_ago(text).is_ok(), "{text}");
        }
    }
}
