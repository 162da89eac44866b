-- 0006: a step that says itself which model answered it; purges that end; what
-- is deleted is not missing.

-- A model that chooses among others (Kilo's automatic one) answers under its own
-- name, and the step says which it was. Over what its message says.
CREATE TABLE usage_own (
  -- The step, `usage.id`.
  id TEXT PRIMARY KEY,
  model TEXT,
  provider TEXT
) WITHOUT ROWID;

-- Who told a purge, and when, is a row of `deletions` as for any deletion: one
-- that is repeated once it is over deletes nothing. Writers of schema 5 go on
-- writing it into `purged`.
INSERT OR IGNORE INTO deletions (id, kept, store_id, at)
SELECT id, 0, store_id, at FROM purged WHERE at IS NOT NULL;

-- The session that a purged message went with: once that is there again, the
-- message is not before it is answered with.
ALTER TABLE purged ADD COLUMN session_id TEXT;
CREATE INDEX purged_by_session ON purged (session_id) WHERE session_id IS NOT NULL;

-- What is deleted is not missing, whichever was told first, and whatever else of
-- its session is.
UPDATE clankers_database SET changed = changed + 1;
UPDATE sessions SET missing_since = NULL, changed = (SELECT changed FROM clankers_database)
WHERE deleted_at IS NOT NULL AND missing_since IS NOT NULL;
UPDATE messages SET missing_since = NULL, changed = (SELECT changed FROM clankers_database)
WHERE deleted_at IS NOT NULL AND missing_since IS NOT NULL;
UPDATE tool_calls SET missing_since = NULL, changed = (SELECT changed FROM clankers_database)
WHERE deleted_at IS NOT NULL AND missing_since IS NOT NULL;
DROP TRIGGER sessions_missing;
CREATE TRIGGER sessions_missing AFTER UPDATE OF missing_since ON sessions
WHEN NEW.missing_since IS NOT OLD.missing_since
BEGIN
  UPDATE messages SET
    missing_since = NEW.missing_since,
    changed = (SELECT changed FROM clankers_database)
  WHERE session_id = NEW.id AND missing_since IS OLD.missing_since AND deleted_at IS NULL;
END;
DROP TRIGGER messages_missing;
CREATE TRIGGER messages_missing AFTER UPDATE OF missing_since ON messages
WHEN NEW.missing_since IS NOT OLD.missing_since
BEGIN
  UPDATE tool_calls SET
    missing_since = NEW.missing_since,
    changed = (SELECT changed FROM clankers_database)
  WHERE message_id = NEW.id AND missing_since IS OLD.missing_since AND deleted_at IS NULL;
END;
