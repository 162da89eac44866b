//! `clankers export`: rows as they are stored, for other programs.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use rusqlite::Connection;

use super::session_id;
use crate::cell::Cell;
use crate::error::{Error, Result};
use crate::new_file::NewFile;
use crate::output::{Csv, Format, Kind, Out, column, json};
use crate::paths::Paths;
use crate::store::{open_marked_reader, refuse_database};

/// Write the rows as JSON Lines, JSON or CSV
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only this table or view; may be given several times
    #[arg(long, short, value_name = "NAME")]
    table: Vec<String>,
    /// Only rows of this session
    #[arg(long, short, value_name = "SESSION")]
    session: Option<String>,
    /// Also rows that OpenCode does not have any more, though nobody deleted them
    #[arg(long)]
    missing: bool,
    /// Into this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace a file that is there
    #[arg(long, requires = "output")]
    force: bool,
}

/// A table or a view that can be exported.
struct Source {
    name: &'static str,
    /// The column that names the session of a row.
    session: Option<&'static str>,
    /// SQL that is true for a row that is missing, or belongs to one that is.
    missing: &'static str,
}

const fn source(
    name: &'static str,
    session: Option<&'static str>,
    missing: &'static str,
) -> Source {
    Source {
        name,
        session,
        missing,
    }
}

/// True for a row that is marked itself.
const MARKED: &str = "(missing_since IS NOT NULL AND deleted_at IS NULL)";
/// True for a part that is marked, or whose message is.
const MARKED_PART: &str = "(missing_since IS NOT NULL OR message_id IN (
  SELECT id FROM messages WHERE missing_since IS NOT NULL AND deleted_at IS NULL))";
/// True for what belongs to a session that is marked.
const OF_SESSION: &str = "session_id IN (
  SELECT id FROM sessions WHERE missing_since IS NOT NULL AND deleted_at IS NULL)";
/// True for what belongs to a session or a message that is marked.
const OF_EITHER: &str = "(coalesce(session_id IN (
  SELECT id FROM sessions WHERE missing_since IS NOT NULL AND deleted_at IS NULL), 0)
  OR coalesce(message_id IN (
    SELECT id FROM messages WHERE missing_since IS NOT NULL AND deleted_at IS NULL), 0))";
/// What was spent is spent, whatever becomes of the messages.
const NEVER: &str = "0";

const TABLES: &[Source] = &[
    source("sessions", Some("id"), MARKED),
    source("messages", Some("session_id"), MARKED),
    source("parts", Some("session_id"), MARKED_PART),
    source("tool_calls", Some("session_id"), MARKED),
    source("usage", Some("session_id"), NEVER),
    source("session_errors", Some("session_id"), OF_EITHER),
    source("permissions", Some("session_id"), OF_EITHER),
    source("todos", Some("session_id"), OF_SESSION),
    source("rejections", None, NEVER),
];
const VIEWS: &[Source] = &[
    source("usage_by_day", None, NEVER),
    source("usage_by_model", None, NEVER),
    source("usage_by_project", None, NEVER),
    source("session_usage", Some("session_id"), NEVER),
    source("tool_usage", None, NEVER),
];

/// Writes the rows of the chosen tables.
pub(crate) fn run(args: &Args, paths: &Paths, out: &mut Out) -> Result<()> {
    let db = open_marked_reader(&paths.db)?;
    // All queries see the same moment, whatever is written meanwhile.
    db.execute_batch("BEGIN")?;
    let session = args
        .session
        .as_deref()
        .map(|id| session_id::resolve(&db, id, args.missing))
        .transpose()?;
    let wanted = Wanted {
        sources: chosen(args, session.is_some())?,
        session,
        with_missing: args.missing,
    };
    let Some(path) = &args.output else {
        let csv = out.csv_style();
        return write(&db, &wanted, (out.format, csv), &mut OutWriter(out));
    };
    refuse_database(path, &paths.db, "name another file")?;
    let new = NewFile::create(path, args.force)?;
    let mut file = BufWriter::new(new.file());
    let csv = out.csv_style().into_file();
    write(&db, &wanted, (out.format, csv), &mut file)?;
    file.flush()?;
    drop(file);
    new.finish()
}

/// The rows that are asked for.
struct Wanted {
    sources: Vec<&'static Source>,
    /// The only session whose rows are written.
    session: Option<String>,
    with_missing: bool,
}

fn chosen(args: &Args, of_session: bool) -> Result<Vec<&'static Source>> {
    if args.table.is_empty() {
        let all = TABLES.iter();
        return Ok(all
            .filter(|source| !of_session || source.session.is_some())
            .collect());
    }
    let find = |name: &String| {
        let mut known = TABLES.iter().chain(VIEWS);
        known
            .find(|source| source.name == name)
            .ok_or_else(|| no_table(name))
    };
    args.table.iter().map(find).collect()
}

fn no_table(name: &str) -> Error {
    let known = TABLES.iter().chain(VIEWS);
    let names: Vec<&str> = known.map(|source| source.name).collect();
    Error::new(format!("no table `{name}`")).hint(format!("there are {}", names.join(", ")))
}

fn write(
    db: &Connection,
    wanted: &Wanted,
    (format, csv): (Format, Csv),
    to: &mut dyn Write,
) -> Result<()> {
    if format == Format::Md {
        return Err(Error::new("an export is JSON Lines, JSON or CSV")
            .hint("`clankers show` writes Markdown"));
    }
    if format == Format::Csv && wanted.sources.len() != 1 {
        return Err(Error::new("CSV holds one table").hint("name it with --table"));
    }
    let mut first = true;
    if format == Format::Json {
        to.write_all(b"[")?;
    }
    for source in &wanted.sources {
        let mut statement = db.prepare(&query(source, wanted))?;
        let columns: Vec<_> = statement
            .column_names()
            .map(|name| column(name, Kind::Plain))
            .collect();
        if format == Format::Csv {
            let names = columns.iter().map(|column| column.name.as_str().into());
            csv.lines(to, [names.collect::<Vec<_>>().as_slice()])?;
        }
        let mut rows = statement.query([&wanted.session])?;
        while let Some(row) = rows.next()? {
            let cells: Vec<Cell> = (0..columns.len())
                .map(|at| row.get(at))
                .collect::<rusqlite::Result<_>>()?;
            if format == Format::Csv {
                csv.lines(to, [cells.as_slice()])?;
                continue;
            }
            let mut object = serde_json::Map::new();
            object.insert("table".to_owned(), source.name.into());
            object.extend(
                columns
                    .iter()
                    .zip(&cells)
                    .map(|(column, cell)| (column.name.clone(), cell.json())),
            );
            let line = json(&serde_json::Value::Object(object));
            let before = if format != Format::Json {
                ""
            } else if first {
                "\n"
            } else {
                ",\n"
            };
            first = false;
            write!(
                to,
                "{before}{line}{}",
                if format == Format::Json { "" } else { "\n" }
            )?;
        }
    }
    if format == Format::Json {
        to.write_all(b"\n]\n")?;
    }
    Ok(())
}

/// The rows of one table or view. `?1` is the session, or NULL.
fn query(source: &Source, wanted: &Wanted) -> String {
    let of_session = match source.session {
        Some(column) if wanted.session.is_some() => format!("{column} = ?1"),
        _ => "?1 IS ?1".to_owned(),
    };
    let is_hidden = if wanted.with_missing {
        NEVER
    } else {
        source.missing
    };
    let name = source.name;
    format!("SELECT * FROM {name} WHERE {of_session} AND NOT {is_hidden} ORDER BY 1, 2")
}

/// Standard output, as a writer.
struct OutWriter<'o>(&'o mut Out);

impl Write for OutWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
