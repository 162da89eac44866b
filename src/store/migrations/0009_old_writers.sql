-- 0009: what writers of schema 5 write is what newer ones read.

-- Who purged what, and when, they write into `purged` and read there; newer ones, in
-- `deletions`. Each is to know of both: nothing else ends a purge.
INSERT OR IGNORE INTO deletions (id, kept, store_id, at)
SELECT id, 0, store_id, at FROM purged WHERE at IS NOT NULL;
UPDATE purged SET store_id = gone.store_id, at = gone.at
FROM deletions AS gone WHERE gone.id = purged.id;
CREATE TRIGGER purged_by_old_writer AFTER INSERT ON purged WHEN NEW.at IS NOT NULL BEGIN
  INSERT INTO deletions (id, kept, store_id, at) VALUES (NEW.id, 0, NEW.store_id, NEW.at)
  ON CONFLICT (id) DO UPDATE SET
    kept = 0, store_id = excluded.store_id, at = excluded.at, revived_at = NULL;
END;
CREATE TRIGGER purged_by_newer_writer AFTER INSERT ON purged WHEN NEW.at IS NULL BEGIN
  UPDATE purged SET (store_id, at) = (SELECT store_id, at FROM deletions WHERE id = NEW.id)
  WHERE id = NEW.id
    AND EXISTS (SELECT 1 FROM deletions WHERE id = NEW.id AND revived_at IS NULL);
END;
CREATE TRIGGER deletions_told AFTER INSERT ON deletions BEGIN
  UPDATE purged SET store_id = NEW.store_id, at = NEW.at WHERE id = NEW.id;
END;
CREATE TRIGGER deletions_told_again AFTER UPDATE OF store_id, at ON deletions BEGIN
  UPDATE purged SET store_id = NEW.store_id, at = NEW.at WHERE id = NEW.id;
END;
-- A newer one says first that the deletion is over. What a session's purge took with
-- it is back when it is answered with, too.
CREATE TRIGGER purge_ended_by_old_writer AFTER DELETE ON purged
WHEN EXISTS (SELECT 1 FROM deletions WHERE id = OLD.id AND revived_at IS NULL)
BEGIN
  UPDATE deletions SET revived_at = at + 1 WHERE id = OLD.id;
  INSERT OR IGNORE INTO deletions (id, kept, store_id, at)
  SELECT id, 0, OLD.store_id, OLD.at FROM purged WHERE session_id = OLD.id;
END;

-- They leave what is deleted missing.
UPDATE clankers_database SET changed = changed + 1;
UPDATE sessions SET missing_since = NULL, changed = (SELECT changed FROM clankers_database)
WHERE deleted_at IS NOT NULL AND missing_since IS NOT NULL;
UPDATE messages SET missing_since = NULL, changed = (SELECT changed FROM clankers_database)
WHERE deleted_at IS NOT NULL AND missing_since IS NOT NULL;
UPDATE tool_calls SET missing_since = NULL, changed = (SELECT changed FROM clankers_database)
WHERE deleted_at IS NOT NULL AND missing_since IS NOT NULL;
CREATE TRIGGER sessions_deleted AFTER UPDATE OF deleted_at, missing_since ON sessions
WHEN NEW.deleted_at IS NOT NULL AND NEW.missing_since IS NOT NULL
BEGIN
  UPDATE sessions SET missing_since = NULL WHERE id = NEW.id;
END;
CREATE TRIGGER messages_deleted AFTER UPDATE OF deleted_at, missing_since ON messages
WHEN NEW.deleted_at IS NOT NULL AND NEW.missing_since IS NOT NULL
BEGIN
  UPDATE messages SET missing_since = NULL WHERE id = NEW.id;
END;
CREATE TRIGGER tool_calls_deleted AFTER UPDATE OF deleted_at, missing_since ON tool_calls
WHEN NEW.deleted_at IS NOT NULL AND NEW.missing_since IS NOT NULL
BEGIN
  UPDATE tool_calls SET missing_since = NULL WHERE id = NEW.id;
END;
