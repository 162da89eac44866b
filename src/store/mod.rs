//! The SQL as data: the schema, and the statements of every command.
//!
//! A writer needs no more than this: run the migrations, then begin a
//! transaction with [`BEGIN`], and for each command run its statements in
//! order, each with one parameter, `?1`: the command's `params` as a JSON
//! value, their text or, where that is long, what `jsonb` makes of it once.
//! A statement whose condition does not hold would change nothing. What a row
//! becomes (which of two values is newer, what a tombstone keeps, what is
//! summed) is decided here, beside the stored rows, so that it holds across
//! restarts, several writers and replays. It needs `SQLite` 3.38 (`->>`).

mod batches;
mod copies;
mod deleting;
mod erased;
mod guards;
mod ledger;
mod methods;
mod missing;
mod statement;
mod statements;
mod stored;
mod totals;
mod upsert;

use crate::model::command::{Command, MessageDelete, PartDelete, SessionDelete, SessionRevert};
use crate::model::row::OnDelete;
pub use batches::{CLAIM_BATCH, FORGET_BATCHES};
pub use methods::{all_statements, statements};
pub use statement::{Statement, When};
pub use stored::{STORED_MESSAGES, STORED_SESSIONS};

/// The migrations, in order: the first makes version 1 of an empty database.
/// Append-only: one that has been released is never edited.
pub const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_contract.sql"),
    include_str!("migrations/0002_whole_sessions.sql"),
    include_str!("migrations/0003_tools_of_forks.sql"),
    include_str!("migrations/0004_writers.sql"),
    include_str!("migrations/0005_ground.sql"),
    include_str!("migrations/0006_steps_and_purges.sql"),
    include_str!("migrations/0007_copies.sql"),
    include_str!("migrations/0008_forks.sql"),
    include_str!("migrations/0009_old_writers.sql"),
    include_str!("migrations/0010_recorders.sql"),
];

/// The version of the schema, `PRAGMA user_version`, after all migrations.
pub const SCHEMA_VERSION: usize = MIGRATIONS.len();

/// The first statement of every transaction that applies commands. It has no
/// parameter: it counts the transaction, and what is written carries the count.
pub const BEGIN: &str = "UPDATE clankers_database SET changed = changed + 1";

/// Selects the oldest schema whose writers may write to a database of a newer
/// schema than they know. One that is newer and has no such answer they may not.
pub const OLDEST_WRITER: &str = "SELECT oldest_writer FROM clankers_database";

/// How old what is told of a session is: when that was changed, or else told.
const AGE: &str = "coalesce(?1 ->> 'updatedAt', ?1 ->> 'seenAt')";

/// What a row that is written is stamped with.
const STAMP: &str = "(SELECT changed FROM clankers_database)";

/// No stored time that is later than this is held against what is told: it is of
/// a clock that was ahead. Another machine's clock may be ahead a little.
const SOON: &str = "(unixepoch() + 60) * 1000";

/// True where nothing that the command is about was purged.
const NOT_PURGED: &str = "NOT EXISTS (SELECT 1 FROM purged \
    WHERE id IN (?1 ->> 'id', ?1 ->> 'messageId', ?1 ->> 'sessionId'))";

/// What the parameters of a command that erases are like: what it is about was in
/// the database, and is to be nowhere on the disk any more. The commands that say
/// what becomes of what is deleted are those that can erase.
pub const ERASING: When = When::IsNot("onDelete", "keep");

/// Whether a command is such a one, [`ERASING`].
pub const fn erases(command: &Command) -> bool {
    let on_delete = match command {
        Command::SessionDelete(SessionDelete { on_delete, .. })
        | Command::SessionRevert(SessionRevert { on_delete, .. })
        | Command::MessageDelete(MessageDelete { on_delete, .. })
        | Command::PartDelete(PartDelete { on_delete, .. }) => *on_delete,
        _ => return false,
    };
    !matches!(on_delete, OnDelete::Keep)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_commands_that_erase_are_known_by_their_parameters_too() {
        let mut erasing = Vec::new();
        for &method in Command::METHODS {
            for on_delete in ["tombstone", "purge", "keep"] {
                let all = json!({
                    "id": "a", "sessionId": "b", "messageId": "c", "to": "d",
                    "deletedAt": 1, "onDelete": on_delete,
                });
                // Without what a method's parameters do not have.
                let has = |left_out: &[&str]| {
                    let mut params = all.clone();
                    let fields = params.as_object_mut().unwrap();
                    fields.retain(|name, _| !left_out.contains(&name.as_str()));
                    serde_json::from_value(json!({ "method": method, "params": params })).ok()
                };
                let unneeded: [&[&str]; 4] = [
                    &["to"],
                    &["to", "messageId"],
                    &["to", "messageId", "sessionId"],
                    &["id", "messageId"],
                ];
                let Some(command) = unneeded.into_iter().find_map(has) else {
                    continue;
                };
                let wire = serde_json::to_value(&command).unwrap();
                assert_eq!(erases(&command), ERASING.holds(&wire["params"]), "{wire}");
                if erases(&command) {
                    erasing.push(format!("{method} {on_delete}"));
                }
            }
        }
        let methods = [
            "session.delete",
            "session.revert",
            "message.delete",
            "part.delete",
        ];
        let expected =
            methods.map(|method| [format!("{method} tombstone"), format!("{method} purge")]);
        assert_eq!(erasing, expected.concat());
    }
}
