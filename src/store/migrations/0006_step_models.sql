-- 0006: a step that says itself which model answered it.

-- A model that chooses among others (Kilo's automatic one) answers under its own
-- name, and the step says which it was. Over what its message says.
CREATE TABLE usage_own (
  -- The step, `usage.id`.
  id TEXT PRIMARY KEY,
  model TEXT,
  provider TEXT
) WITHOUT ROWID;
