//! The SQL as data: the schema, and the statements of every command.
//!
//! A writer needs no more than this: run the migrations, then for each command
//! run its statements in order, in one transaction, each with one parameter,
//! `?1`: the command's `params` as JSON text. What a row becomes (which of two
//! values is newer, what a tombstone keeps, what is summed) is decided here,
//! beside the stored rows, so that it holds across restarts, several writers
//! and replays. It needs `SQLite` 3.38 (`->>`).

mod deleting;
mod missing;
mod statements;
mod upsert;

use crate::model::command::Command;

/// The migrations, in order: the first makes version 1 of an empty database.
/// Append-only: one that has been released is never edited.
pub const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_contract.sql"),
    include_str!("migrations/0002_whole_sessions.sql"),
    include_str!("migrations/0003_tools_of_forks.sql"),
    include_str!("migrations/0004_writers.sql"),
    include_str!("migrations/0005_missing.sql"),
    include_str!("migrations/0006_batches.sql"),
];

/// The version of the schema, `PRAGMA user_version`, after all migrations.
pub const SCHEMA_VERSION: usize = MIGRATIONS.len();

/// True where the session that comes in is older than the stored one.
const OLDER_SESSION: &str = "?1 ->> 'updatedAt' < sessions.updated_at";

/// True where nothing that the command is about was purged.
const NOT_PURGED: &str = "NOT EXISTS (SELECT 1 FROM purged \
    WHERE id IN (?1 ->> 'id', ?1 ->> 'messageId', ?1 ->> 'sessionId'))";

/// Selects what catch-up compares with OpenCode's list: the sessions of the
/// directory and of the ids in `?1`, `{ directory, ids, storeId }`, as
/// `StoredSession`s. Without a `storeId` nothing is known of the store.
pub const STORED_SESSIONS: &str = "\
SELECT sessions.id, own.whole_at AS wholeAt, here.whole_at AS wholeHere,
  deleted_at AS deletedAt, title, cost, project_path AS projectPath, status, sessions.missing_since AS missingSince,
  here.seen_at AS seenHere, here.missing_since AS missingHere,
  iif(gone.store_id = ?1 ->> 'storeId' AND gone.at > coalesce(gone.revived_at, 0), gone.at, NULL)
    AS deletedHere
FROM sessions LEFT JOIN session_own AS own ON own.session_id = sessions.id
LEFT JOIN session_stores AS here
  ON here.session_id = sessions.id AND here.store_id = ?1 ->> 'storeId'
LEFT JOIN deletions AS gone ON gone.id = sessions.id
WHERE (project_path = ?1 ->> 'directory' AND deleted_at IS NULL)
  OR sessions.id IN (SELECT value FROM json_each(?1, '$.ids'))";

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

/// The statements of the command `method`, in the order they are to be run.
/// None for a method that is not a command's.
pub fn statements(method: &str) -> Option<Vec<String>> {
    use statements as sql;
    Some(match method {
        "session.upsert" => vec![
            missing::unpurge(),
            sql::PARENT_OF_PURGED.to_owned(),
            sql::INHERIT_WHEN_CREATED.to_owned(),
        ]
        .into_iter()
        .chain(missing::revive_session())
        .chain([sql::session_own(), upsert::sessions()])
        .chain(missing::session_is_seen())
        .chain([sql::derive_session("id")])
        .collect(),
        "session.delete" => deleting::session(),
        "message.upsert" => vec![missing::unpurge(), sql::ENSURE_SESSION.to_owned()]
            .into_iter()
            .chain(missing::revive_message())
            .chain([
                upsert::messages(),
                missing::is_answered("messages"),
                sql::COMPLETE_LEDGER.to_owned(),
                sql::ledger_of_message(),
                sql::derive_session("sessionId"),
            ])
            .collect(),
        "message.delete" => {
            let mut all = deleting::message();
            all.push(sql::derive_session("sessionId"));
            all
        }
        "part.upsert" => vec![
            missing::unpurge(),
            sql::ENSURE_SESSION.to_owned(),
            sql::ENSURE_MESSAGE.to_owned(),
            sql::ledger(),
            sql::ledger_of_step(),
            sql::derive_text_without("?1 ->> 'type' <> 'text'"),
            upsert::parts(),
            missing::is_answered("parts"),
            sql::derive_text(),
        ],
        "part.append" => vec![sql::APPEND.to_owned(), sql::derive_text()],
        "part.delete" => deleting::part(),
        "tool_call.upsert" => vec![
            sql::ENSURE_SESSION.to_owned(),
            sql::ENSURE_MESSAGE.to_owned(),
            missing::revive_call(),
            missing::unpurge(),
            upsert::tool_calls(),
            missing::is_answered("tool_calls"),
            sql::wait_of_call(),
        ],
        "session.missing" => missing::session(),
        "message.missing" => vec![missing::message(), sql::derive_session("sessionId")],
        "part.missing" => missing::part(),
        "session_error.upsert" => {
            let mut all = vec![upsert::session_errors()];
            all.extend(sql::failure_of_answer());
            all
        }
        "permission.upsert" => vec![
            upsert::permissions(),
            sql::erase_content("permissions", "patterns"),
            sql::wait_of_permission(),
        ],
        "todo.replace" => sql::todo_replace(),
        "rejection.record" => vec![sql::REJECTION_RECORD.to_owned()],
        _ => return None,
    })
}

/// Every command's method with its statements.
pub fn all_statements() -> Vec<(&'static str, Vec<String>)> {
    Command::METHODS
        .iter()
        .filter_map(|&method| Some((method, statements(method)?)))
        .collect()
}
