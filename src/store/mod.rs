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

mod deleting;
mod erased;
mod ledger;
mod missing;
mod statement;
mod statements;
mod upsert;

use crate::model::command::{Command, MessageDelete, PartDelete, SessionDelete, SessionRevert};
use crate::model::row::OnDelete;
use statement::Sql;
pub use statement::{Statement, When};
use statements as sql;

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
];

/// The version of the schema, `PRAGMA user_version`, after all migrations.
pub const SCHEMA_VERSION: usize = MIGRATIONS.len();

/// The first statement of every transaction that applies commands. It has no
/// parameter: it counts the transaction, and what is written carries the count.
pub const BEGIN: &str = "UPDATE clankers_database SET changed = changed + 1";

/// Selects the oldest schema whose writers may write to a database of a newer
/// schema than they know. One that is newer and has no such answer they may not.
pub const OLDEST_WRITER: &str = "SELECT oldest_writer FROM clankers_database";

/// What `session_own` is made from.
const SESSION_OWN: &[&str] = &[
    "agent",
    "model",
    "provider",
    "wholeAt",
    "updatedAt",
    "reportsTotals",
    "promptTokens",
    "completionTokens",
    "reasoningTokens",
    "cacheReadTokens",
    "cacheWriteTokens",
    "cost",
];

/// What decides which answer a session's agent and model are of, or says them.
const OF_ANSWER: &[&str] = &["agent", "model", "provider", "storeId"];

/// What a message's steps have of it, and what makes it one.
const OF_STEPS: &[&str] = &[
    "role",
    "kind",
    "errorName",
    "agent",
    "model",
    "provider",
    "promptTokens",
    "completionTokens",
    "reasoningTokens",
    "cacheReadTokens",
    "cacheWriteTokens",
    "cost",
    "createdAt",
    "completedAt",
];

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

/// Selects what catch-up compares with OpenCode's list: the sessions of the
/// directory and of the ids in `?1`, `{ directory, ids, storeId }`, as
/// `StoredSession`s; of those that were purged there is no more than that. Without a `storeId` nothing is known of the store.
pub const STORED_SESSIONS: &str = "\
SELECT sessions.id, updated_at AS updatedAt, own.whole_at AS wholeAt, here.whole_at AS wholeHere,
  iif(own.copied_at = updated_at, own.copy_rank, NULL) AS copyRank,
  deleted_at AS deletedAt, title, cost, archived_at AS archivedAt,
  project_path AS projectPath, status, sessions.missing_since AS missingSince,
  here.seen_at AS seenHere, here.missing_since AS missingHere,
  iif(gone.store_id = ?1 ->> 'storeId' AND gone.revived_at IS NULL, gone.at, NULL) AS deletedHere,
  deleted_at IS NOT NULL AND gone.store_id IS NULL AS isForGood
FROM sessions LEFT JOIN session_own AS own ON own.session_id = sessions.id
LEFT JOIN session_stores AS here
  ON here.session_id = sessions.id AND here.store_id = ?1 ->> 'storeId'
LEFT JOIN deletions AS gone ON gone.id = sessions.id
WHERE (project_path = ?1 ->> 'directory' AND deleted_at IS NULL)
  OR sessions.id IN (SELECT value FROM json_each(?1, '$.ids'))
UNION ALL
SELECT purged.id, NULL, NULL, NULL, NULL, coalesce(gone.at, 0), NULL, NULL, NULL, NULL, NULL, NULL,
  NULL, NULL, iif(gone.store_id = ?1 ->> 'storeId' AND gone.revived_at IS NULL, gone.at, NULL),
  gone.store_id IS NULL
FROM purged LEFT JOIN deletions AS gone ON gone.id = purged.id
WHERE purged.id IN (SELECT value FROM json_each(?1, '$.ids'))";

/// Selects what catch-up compares with the messages that OpenCode answers of a
/// session: those that are stored of the session in `?1`, `{ sessionId, storeId }`,
/// and alive, as `StoredMessage`s. None where another store had the session,
/// too: then nobody knows what this one is to have.
pub const STORED_MESSAGES: &str = "\
SELECT messages.id, (
    SELECT json_group_array(id) FROM (
      SELECT id FROM parts WHERE message_id = messages.id AND missing_since IS NULL
      UNION ALL
      SELECT id FROM tool_calls WHERE message_id = messages.id AND deleted_at IS NULL
        AND missing_since IS NULL)) AS partIds
FROM messages
WHERE messages.session_id = ?1 ->> 'sessionId'
  AND messages.deleted_at IS NULL AND messages.missing_since IS NULL
  AND (SELECT group_concat(store_id) FROM session_stores
    WHERE session_id = ?1 ->> 'sessionId') = ?1 ->> 'storeId'";

/// Claims a writer's batch, `?1`, `{ writer, number }`, in the transaction that
/// stores it: answers a row if it is to be stored, and none if it, or a later
/// one of that writer, has been. So it does not matter which of two processes
/// that hold a batch comes last: it is neither counted twice, nor does it put
/// older values in the place of newer ones.
pub const CLAIM_BATCH: &str = "\
INSERT INTO batches (writer, number, stored_at)
VALUES (?1 ->> 'writer', ?1 ->> 'number', unixepoch())
ON CONFLICT (writer) DO UPDATE SET number = excluded.number, stored_at = excluded.stored_at
WHERE excluded.number > batches.number
RETURNING number";

/// Forgets the numbers of writers that are long gone.
pub const FORGET_BATCHES: &str = "DELETE FROM batches WHERE stored_at < unixepoch() - 7 * 86400";

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

/// The statements of the command `method`, in the order they are to be run.
/// None for a method that is not a command's.
pub fn statements(method: &str) -> Option<Vec<Statement>> {
    Some(match method {
        "session.upsert" => session_upsert(),
        "session.delete" => always(deleting::session()),
        "message.upsert" => message_upsert(),
        "message.delete" => {
            let mut all = deleting::message();
            all.push(sql::derive_session("sessionId"));
            always(all)
        }
        "part.upsert" => part_upsert(),
        "part.append" => always(vec![sql::append(), sql::derive_text()]),
        "part.delete" => always(deleting::part()),
        "tool_call.upsert" => tool_call_upsert(),
        "usage.upsert" => usage_upsert(),
        "usage.balance" => always(ledger::balance("true").to_vec()),
        "session.revert" => {
            let mut all = deleting::reverted();
            all.push(sql::derive_session("sessionId"));
            always(all)
        }
        "session.missing" => always(missing::session()),
        "message.missing" => always(vec![missing::message(), sql::derive_session("sessionId")]),
        "part.missing" => always(missing::part()),
        "session_error.upsert" => {
            let mut all = vec![upsert::session_errors()];
            all.extend(sql::failure_of_answer());
            always(all)
        }
        "permission.upsert" => {
            let [remember, forget] = deleting::permission_of_purged();
            always(vec![
                remember,
                upsert::permissions(),
                forget,
                sql::erase_content("permissions", "patterns"),
                sql::wait_of_permission(),
            ])
        }
        "todo.replace" => always(sql::todo_replace()),
        "rejection.record" => always(vec![sql::rejection_record()]),
        _ => return None,
    })
}

/// A store that tells a row may bring it back.
const BY_A_STORE: When = When::Told(&["storeId"]);
/// A store that was asked for a row has it.
const ANSWERED: When = When::Told(&["answeredAt"]);

fn session_upsert() -> Vec<Statement> {
    let mut all: Vec<Statement> = missing::end_deletion_of_session()
        .map(|sql| sql.when(BY_A_STORE))
        .into();
    all.extend([
        sql::parent_of_purged().when(When::Told(&["parentId"])),
        sql::claim_copy().when(When::Told(&["copyRank"])),
        ledger::inherit().when(When::Told(&["createdAt"])),
    ]);
    all.extend(missing::revive_session().map(|sql| sql.when(BY_A_STORE)));
    all.push(upsert::sessions().always());
    all.push(upsert::more_spent().when(When::Told(&["copyRank"])));
    all.push(upsert::what_was_taken_out().when(When::Told(&["copyRank"])));
    all.push(upsert::session_status().when(When::Told(&["status"])));
    all.push(sql::session_own().when(When::Told(SESSION_OWN)));
    all.extend(missing::session_is_seen().map(|sql| sql.when(BY_A_STORE)));
    all.push(sql::derive_session("id").when(When::Told(OF_ANSWER)));
    all
}

fn message_upsert() -> Vec<Statement> {
    let mut all: Vec<Statement> = missing::end_deletion_of_message()
        .map(|sql| sql.when(BY_A_STORE))
        .into();
    all.push(sql::ensure_session().always());
    all.extend(missing::revive_message().map(|sql| sql.when(BY_A_STORE)));
    all.extend([
        upsert::messages().always(),
        missing::is_answered("messages").when(ANSWERED),
        ledger::complete().when(When::Told(OF_STEPS)),
        ledger::of_message().when(When::Told(OF_STEPS)),
    ]);
    let balance = ledger::balance(ledger::HAS_OVERHEAD);
    all.extend(balance.map(|sql| sql.when(When::Told(OF_STEPS))));
    all.extend([sql::derive_session("sessionId").always()]);
    all
}

fn part_upsert() -> Vec<Statement> {
    let [end, unpurge] = missing::end_deletion();
    vec![
        end.when(BY_A_STORE),
        unpurge.when(BY_A_STORE),
        sql::ensure_session().always(),
        sql::ensure_message().always(),
        sql::derive_text_without(&upsert::takes_part()).when(When::IsNot("type", "text")),
        upsert::parts().always(),
        missing::is_answered("parts").when(ANSWERED),
        // Also where its type is not told, or was not taken: it is a text yet.
        sql::derive_text().always(),
    ]
}

fn tool_call_upsert() -> Vec<Statement> {
    let [end, unpurge] = missing::end_deletion();
    vec![
        sql::ensure_session().always(),
        sql::ensure_message().always(),
        end.when(BY_A_STORE),
        missing::revive_call().when(BY_A_STORE),
        unpurge.when(BY_A_STORE),
        upsert::tool_calls().always(),
        missing::is_answered("tool_calls").when(ANSWERED),
        sql::wait_of_call().always(),
    ]
}

fn usage_upsert() -> Vec<Statement> {
    let own = When::Told(&["model", "provider"]);
    let mut all = vec![
        sql::ensure_session().always(),
        sql::ensure_message().always(),
        ledger::own().when(own),
        ledger::of_step().always(),
        ledger::of_own().when(own),
        ledger::replace_message().always(),
    ];
    all.extend(ledger::balance(ledger::HAS_OVERHEAD).map(Sql::always));
    all
}

fn always(all: Vec<String>) -> Vec<Statement> {
    all.into_iter().map(Sql::always).collect()
}

/// Every command's method with its statements.
pub fn all_statements() -> Vec<(&'static str, Vec<Statement>)> {
    Command::METHODS
        .iter()
        .filter_map(|&method| Some((method, statements(method)?)))
        .collect()
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
