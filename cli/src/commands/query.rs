//! `clankers query`: a person's own SQL. SQLite itself makes sure that it writes
//! nothing: the file is opened read-only, no other file can be attached, and only
//! a statement that SQLite calls read-only is run.

use rusqlite::limits::Limit;

use crate::error::{Error, Result};
use crate::output::{Column, Kind, Out, Table, column};
use crate::paths::Paths;
use crate::store::open_reader;

/// Ask the database with SQL; it cannot be changed this way
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The query; `-` reads it from standard input
    sql: String,
}

/// Prints the rows that the query finds.
pub(crate) fn run(args: &Args, paths: &Paths, out: &mut Out) -> Result<()> {
    let sql = if args.sql == "-" {
        std::io::read_to_string(std::io::stdin())?
    } else {
        args.sql.clone()
    };
    let db = open_reader(&paths.db)?;
    db.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    let mut statement = db.prepare(&sql).map_err(|error| match error {
        rusqlite::Error::MultipleStatement => Error::new("one statement at a time"),
        error => Error::from(error).hint(
            "`clankers query \"SELECT name, sql FROM sqlite_schema\"` shows the tables and views",
        ),
    })?;
    if !statement.readonly() {
        return Err(
            Error::new("this would change the database, which `query` never does")
                .hint("`clankers prune` removes what is old"),
        );
    }
    let columns: Vec<Column> = statement
        .column_names()
        .map(|name| column(name, Kind::Plain).titled(name))
        .collect();
    let table = Table::of_query(columns, &mut statement, [])?;
    out.table(&table)
}
