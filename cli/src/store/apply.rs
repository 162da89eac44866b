//! Applies commands. The core holds the SQL of each command; here it is run
//! with the command's parameters, as in the plugin's own sink.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

use clankers::model::command::Command;
use clankers::model::report::Report;
use clankers::store::{self, Statement};
use rusqlite::Connection;
use rusqlite::types::ToSqlOutput;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::erasure::Erasure;
use super::writer::{Writer, begin};
use crate::error::Result;

static STATEMENTS: LazyLock<HashMap<&'static str, Vec<Statement>>> =
    LazyLock::new(|| store::all_statements().into_iter().collect());

/// From this length on it is worth a statement to have a command's parameters parsed.
const LONG_JSON: usize = 2048;

/// How many commands were applied.
pub(crate) type Applied = usize;

/// Commands that are stored together.
#[derive(Debug)]
pub(crate) struct Batch {
    /// What tells that it has been stored already; nothing where its sender does not care.
    pub(crate) id: Option<BatchId>,
    pub(crate) commands: Vec<Command>,
}

/// Whose batch it is, and which of them. A writer's numbers only rise.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchId {
    writer: String,
    number: u32,
    /// How that writer is; nothing where it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    report: Option<Box<Report>>,
}

/// Applies a batch in one transaction: all of it or nothing. What is to be cleared after
/// it and somebody reads is for whoever opens the database next to write.
pub(crate) fn apply(writer: &mut Writer, commands: &[Command]) -> Result<Applied> {
    let batch = writer.begin()?;
    apply_within(&batch, commands)?;
    batch.commit()?;
    let mut erasure = Erasure::default();
    erasure.stored(commands);
    erasure.settle(&writer.db, &writer.path, Duration::ZERO);
    Ok(commands.len())
}

/// Applies several batches in one transaction. A batch that fails is rolled back
/// alone. The outer error means that none of them could be stored; none means that
/// the database is not where it was (see `begin`).
pub(crate) fn apply_each<'b>(
    db: &mut Connection,
    batches: impl Iterator<Item = &'b Batch>,
    is_here: impl FnOnce() -> bool,
) -> Result<Option<Vec<rusqlite::Result<Applied>>>> {
    let Some(mut all) = begin(db, is_here)? else {
        return Ok(None);
    };
    let mut outcomes = Vec::new();
    for batch in batches {
        let one = all.savepoint()?;
        let outcome = run_once(&one, batch);
        if outcome.is_ok() {
            one.commit()?;
        } else {
            one.finish()?;
        }
        outcomes.push(outcome);
    }
    all.commit()?;
    Ok(Some(outcomes))
}

/// Applies a batch, unless it has been stored already.
fn run_once(db: &Connection, Batch { id, commands }: &Batch) -> rusqlite::Result<Applied> {
    if let Some(id) = id
        && !claim(db, id)?
    {
        return Ok(0);
    }
    apply_within(db, commands)?;
    Ok(commands.len())
}

fn claim(db: &Connection, id: &BatchId) -> rusqlite::Result<bool> {
    let id = serde_json::to_string(id).map_err(unreadable)?;
    db.prepare_cached(store::CLAIM_BATCH)?.exists([id])
}

/// Applies commands within a transaction that somebody else commits.
pub(crate) fn apply_within(db: &Connection, commands: &[Command]) -> rusqlite::Result<()> {
    for command in commands {
        let params = params(command)?;
        let json = parsed(db, params.to_string())?;
        let statements = STATEMENTS.get(command.method()).into_iter().flatten();
        for Statement { sql, .. } in statements.filter(|one| one.applies(&params)) {
            db.prepare_cached(sql)?.execute([&json])?;
        }
    }
    Ok(())
}

/// The parameters, parsed once where they are long, and not by each statement for
/// each column.
fn parsed(db: &Connection, json: String) -> rusqlite::Result<ToSqlOutput<'static>> {
    if json.len() < LONG_JSON {
        return Ok(ToSqlOutput::from(json));
    }
    let mut parse = db.prepare_cached("SELECT jsonb(?1)")?;
    let parsed: Vec<u8> = parse.query_row([json], |row| row.get(0))?;
    Ok(ToSqlOutput::from(parsed))
}

/// The command's parameters, which are the one parameter of its statements.
fn params(command: &Command) -> rusqlite::Result<Value> {
    let mut wire = serde_json::to_value(command).map_err(unreadable)?;
    Ok(wire.get_mut("params").map(Value::take).unwrap_or_default())
}

fn unreadable(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}
