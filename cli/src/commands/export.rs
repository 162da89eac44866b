//! `clankers export`: rows as they are stored, for other programs.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use rusqlite::Connection;

use super::session_id;
use crate::cell::Cell;
use crate::error::{Context, Error, Result};
use crate::output::{Format, Kind, Out, column};
use crate::paths::{Paths, shown};
use crate::store::{open_reader, private_file};

/// Write the rows as JSON Lines, JSON or CSV
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only this table or view; may be given several times
    #[arg(long, short, value_name = "NAME")]
    table: Vec<String>,
    /// Only rows of this session
    #[arg(long, short, value_name = "SESSION")]
    session: Option<String>,
    /// Into this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// The tables, each with the column that names its session.
const TABLES: &[(&str, Option<&str>)] = &[
    ("sessions", Some("id")),
    ("messages", Some("session_id")),
    ("parts", Some("session_id")),
    ("tool_calls", Some("session_id")),
    ("usage", Some("session_id")),
    ("session_errors", Some("session_id")),
    ("permissions", Some("session_id")),
    ("todos", Some("session_id")),
    ("rejections", None),
];
const VIEWS: &[(&str, Option<&str>)] = &[
    ("usage_by_day", None),
    ("usage_by_model", None),
    ("usage_by_project", None),
    ("session_usage", Some("session_id")),
    ("tool_usage", None),
];

/// Writes the rows of the chosen tables.
pub(crate) fn run(args: &Args, paths: &Paths, out: &mut Out) -> Result<()> {
    let db = open_reader(&paths.db)?;
    // All queries see the same moment, whatever is written meanwhile.
    db.execute_batch("BEGIN")?;
    let session = args
        .session
        .as_deref()
        .map(|id| session_id::resolve(&db, id))
        .transpose()?;
    let tables = chosen(args, session.is_some())?;
    let Some(path) = &args.output else {
        return write(
            &db,
            &tables,
            session.as_deref(),
            out.format,
            &mut OutWriter(out),
        );
    };
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    let file =
        private_file(&mut options, path).context(|| format!("cannot write {}", shown(path)))?;
    let mut file = BufWriter::new(file);
    write(&db, &tables, session.as_deref(), out.format, &mut file)?;
    Ok(file.flush()?)
}

type Named = (&'static str, Option<&'static str>);

fn chosen(args: &Args, of_session: bool) -> Result<Vec<Named>> {
    if args.table.is_empty() {
        let all = TABLES
            .iter()
            .filter(|(_, column)| !of_session || column.is_some());
        return Ok(all.copied().collect());
    }
    let find = |name: &String| {
        let known = TABLES.iter().chain(VIEWS);
        known
            .clone()
            .find(|(known, _)| known == name)
            .copied()
            .ok_or_else(|| {
                let names: Vec<&str> = known.map(|(name, _)| *name).collect();
                Error::new(format!("no table `{name}`"))
                    .hint(format!("there are {}", names.join(", ")))
            })
    };
    args.table.iter().map(find).collect()
}

fn write(
    db: &Connection,
    tables: &[Named],
    session: Option<&str>,
    format: Format,
    to: &mut dyn Write,
) -> Result<()> {
    if format == Format::Md {
        return Err(Error::new("an export is JSON Lines, JSON or CSV")
            .hint("`clankers show` writes Markdown"));
    }
    if format == Format::Csv && tables.len() != 1 {
        return Err(Error::new("CSV holds one table").hint("name it with --table"));
    }
    let mut first = true;
    if format == Format::Json {
        to.write_all(b"[")?;
    }
    for (name, session_column) in tables {
        let condition = match (session, session_column) {
            (Some(_), Some(column)) => format!("WHERE {column} = ?1"),
            _ => "WHERE ?1 IS ?1".to_owned(),
        };
        let mut statement =
            db.prepare(&format!("SELECT * FROM {name} {condition} ORDER BY 1, 2"))?;
        let columns: Vec<_> = statement
            .column_names()
            .map(|name| column(name, Kind::Plain))
            .collect();
        if format == Format::Csv {
            csv_line(to, columns.iter().map(|column| column.name.clone()))?;
        }
        let mut rows = statement.query([session])?;
        while let Some(row) = rows.next()? {
            let cells: Vec<Cell> = (0..columns.len())
                .map(|at| row.get(at))
                .collect::<rusqlite::Result<_>>()?;
            if format == Format::Csv {
                csv_line(to, cells.iter().map(Cell::plain))?;
                continue;
            }
            let mut object = serde_json::Map::new();
            object.insert("table".to_owned(), (*name).into());
            object.extend(
                columns
                    .iter()
                    .zip(&cells)
                    .map(|(column, cell)| (column.name.clone(), cell.json())),
            );
            let line = serde_json::Value::Object(object).to_string();
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

fn csv_line(to: &mut dyn Write, cells: impl Iterator<Item = String>) -> Result<()> {
    let mut writer = csv::WriterBuilder::new().from_writer(to);
    writer.write_record(cells)?;
    Ok(writer.flush()?)
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
