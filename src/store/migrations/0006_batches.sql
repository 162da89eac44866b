-- 0006: a batch that two writers hold is stored once.

-- A writer that hands its batches to the daemon numbers them, and stores one
-- itself where the daemon does not answer. The number of its last batch that
-- was stored: whoever comes with that one or an earlier one comes late.
CREATE TABLE batches (
  writer TEXT NOT NULL PRIMARY KEY,
  number INTEGER NOT NULL,
  stored_at INTEGER NOT NULL
) WITHOUT ROWID;
