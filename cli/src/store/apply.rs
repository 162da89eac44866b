//! Applies commands. The core holds the SQL of each command; here it is run
//! with the command's parameters, as in the plugin's own sink.

use std::collections::HashMap;
use std::sync::LazyLock;

use clankers::model::command::Command;
use clankers::store;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use serde::{Deserialize, Serialize};

static STATEMENTS: LazyLock<HashMap<&'static str, Vec<String>>> =
    LazyLock::new(|| store::all_statements().into_iter().collect());

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
}

/// Applies a batch in one transaction: all of it or nothing.
pub(crate) fn apply(db: &mut Connection, commands: &[Command]) -> rusqlite::Result<Applied> {
    let batch = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    run(&batch, commands)?;
    batch.commit()?;
    Ok(commands.len())
}

/// Applies commands within a transaction that somebody else commits.
pub(crate) fn apply_within(batch: &Transaction<'_>, commands: &[Command]) -> rusqlite::Result<()> {
    run(batch, commands)
}

/// Applies several batches in one transaction. A batch that fails is rolled back
/// alone. The outer error means that none of them could be stored.
pub(crate) fn apply_each(
    db: &mut Connection,
    batches: &[Batch],
) -> rusqlite::Result<Vec<rusqlite::Result<Applied>>> {
    let mut all = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut outcomes = Vec::with_capacity(batches.len());
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
    Ok(outcomes)
}

/// Applies a batch, unless it has been stored already.
fn run_once(db: &Connection, Batch { id, commands }: &Batch) -> rusqlite::Result<Applied> {
    if let Some(id) = id
        && !claim(db, id)?
    {
        return Ok(0);
    }
    run(db, commands)?;
    Ok(commands.len())
}

fn claim(db: &Connection, id: &BatchId) -> rusqlite::Result<bool> {
    let id = serde_json::to_string(id).map_err(unreadable)?;
    db.prepare_cached(store::CLAIM_BATCH)?.exists([id])
}

fn run(db: &Connection, commands: &[Command]) -> rusqlite::Result<()> {
    for command in commands {
        let params = params(command)?;
        for sql in STATEMENTS.get(command.method()).into_iter().flatten() {
            db.prepare_cached(sql)?.execute([&params])?;
        }
    }
    Ok(())
}

/// The command's parameters as JSON text: the one parameter of its statements.
fn params(command: &Command) -> rusqlite::Result<String> {
    let wire = serde_json::to_value(command).map_err(unreadable)?;
    Ok(wire
        .get("params")
        .map(ToString::to_string)
        .unwrap_or_default())
}

fn unreadable(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}
