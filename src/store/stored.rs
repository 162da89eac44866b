//! What catch-up asks the store for.

/// Selects what catch-up compares with OpenCode's list: the sessions of the
/// directory and of the ids in `?1`, `{ directory, ids, butFor, storeId }`, as
/// `StoredSession`s; of those that were purged there is no more than that. Without a
/// `storeId` nothing is known of the store; of the directory's those of `butFor` are left out.
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
WHERE (project_path = ?1 ->> 'directory' AND deleted_at IS NULL
    AND sessions.id NOT IN (SELECT value FROM json_each(?1, '$.butFor')))
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
