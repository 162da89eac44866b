-- 0006: a step that says itself which model answered it; purges that end.

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
