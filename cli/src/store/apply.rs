//! Applies commands. The core holds the SQL of each command; here it is run
//! with the command's parameters, as in the plugin's own sink.

use std::collections::HashMap;
use std::sync::LazyLock;

use clankers::model::command::Command;
use clankers::store;
use rusqlite::{Connection, Transaction, TransactionBehavior};

static STATEMENTS: LazyLock<HashMap<&'static str, Vec<String>>> =
    LazyLock::new(|| store::all_statements().into_iter().collect());

/// How many commands were applied.
pub(crate) type Applied = usize;

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
    batches: &[Vec<Command>],
) -> rusqlite::Result<Vec<rusqlite::Result<Applied>>> {
    let mut all = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut outcomes = Vec::with_capacity(batches.len());
    for commands in batches {
        let one = all.savepoint()?;
        let outcome = run(&one, commands);
        if outcome.is_ok() {
            one.commit()?;
        } else {
            one.finish()?;
        }
        outcomes.push(outcome.map(|()| commands.len()));
    }
    all.commit()?;
    Ok(outcomes)
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
    let failed = |error| rusqlite::Error::ToSqlConversionFailure(Box::new(error));
    let wire = serde_json::to_value(command).map_err(failed)?;
    Ok(wire
        .get("params")
        .map(ToString::to_string)
        .unwrap_or_default())
}
