-- 0005: what OpenCode has no more, and nobody told a deletion of, is missing
-- and not deleted. Its content stays, and what comes back is alive again.

-- Unix milliseconds since when OpenCode does not answer with it. A session's
-- messages and their tool calls are missing with it. A part is missing from a
-- message that is there itself.
ALTER TABLE sessions ADD COLUMN missing_since INTEGER;
ALTER TABLE messages ADD COLUMN missing_since INTEGER;
ALTER TABLE parts ADD COLUMN missing_since INTEGER;
ALTER TABLE tool_calls ADD COLUMN missing_since INTEGER;

-- The stores of OpenCode that have had a session, by the ids that clankers
-- leaves beside them. Two homes, a copied home or two programs on one project
-- are several stores; a session is missing once all that had it lack it.
CREATE TABLE session_stores (
  session_id TEXT NOT NULL,
  store_id TEXT NOT NULL,
  -- When the store told of the session last, by an event or an answer.
  seen_at INTEGER NOT NULL DEFAULT 0,
  -- When it was asked the last time that it answered with the session.
  answered_at INTEGER NOT NULL DEFAULT 0,
  missing_since INTEGER,
  -- The time of change, as this store has it, up to which nothing of the
  -- session is missing; NULL where something is. A copy that was put back has
  -- an earlier one.
  whole_at INTEGER,
  PRIMARY KEY (session_id, store_id)
) WITHOUT ROWID;

-- So far `origin` was a path. Paths do not tell stores apart.
ALTER TABLE session_own DROP COLUMN origin;

-- Who told a deletion and when, and when that store had it again.
ALTER TABLE deletions ADD COLUMN store_id TEXT;
ALTER TABLE deletions ADD COLUMN at INTEGER;
ALTER TABLE deletions ADD COLUMN revived_at INTEGER;
ALTER TABLE purged ADD COLUMN store_id TEXT;
ALTER TABLE purged ADD COLUMN at INTEGER;

-- The messages of a missing session, and the tool calls of a missing message,
-- are missing with it, and are back with it.
CREATE TRIGGER sessions_missing AFTER UPDATE OF missing_since ON sessions
WHEN NEW.missing_since IS NOT OLD.missing_since
BEGIN
  UPDATE messages SET missing_since = NEW.missing_since
  WHERE session_id = NEW.id AND missing_since IS OLD.missing_since;
END;
CREATE TRIGGER messages_missing AFTER UPDATE OF missing_since ON messages
WHEN NEW.missing_since IS NOT OLD.missing_since
BEGIN
  UPDATE tool_calls SET missing_since = NEW.missing_since
  WHERE message_id = NEW.id AND missing_since IS OLD.missing_since;
END;
