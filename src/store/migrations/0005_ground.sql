-- 0005: ground for several stores, several writers and another engine.

-- What OpenCode has no more, and nobody told a deletion of, is missing and not
-- deleted. Its content stays, and what comes back is alive again.

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

-- A batch that two writers hold is stored once.
--
-- A writer that hands its batches to the daemon numbers them, and stores one
-- itself where the daemon does not answer. The number of its last batch that
-- was stored: whoever comes with that one or an earlier one comes late.
CREATE TABLE batches (
  writer TEXT NOT NULL PRIMARY KEY,
  number INTEGER NOT NULL,
  stored_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Who may write, what changed since when, and columns that another engine of
-- OpenCode will fill.

-- One row about the database itself. `oldest_writer` is the oldest schema whose
-- writers may go on when a newer one has migrated: a migration that only adds
-- what they need not know leaves it as it is. `changed` counts the transactions
-- that wrote.
CREATE TABLE clankers_database (
  one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  id TEXT NOT NULL,
  oldest_writer INTEGER NOT NULL,
  changed INTEGER NOT NULL DEFAULT 0
);
INSERT INTO clankers_database (one, id, oldest_writer) VALUES (1, lower(hex(randomblob(16))), 5);

-- The transaction that wrote the row last; 0 for one that was written before.
ALTER TABLE sessions ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE parts ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tool_calls ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE usage ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE session_errors ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE permissions ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE todos ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rejections ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;

-- Rows that are gone, and the transaction that took them away. A row that is
-- in its table again is there all the same.
CREATE TABLE removed_rows (
  table_name TEXT NOT NULL,
  -- The row's key; of several columns, joined by slashes.
  id TEXT NOT NULL,
  changed INTEGER NOT NULL,
  PRIMARY KEY (table_name, id)
) WITHOUT ROWID;
CREATE TRIGGER sessions_removed AFTER DELETE ON sessions BEGIN
  INSERT INTO removed_rows SELECT 'sessions', OLD.id, changed FROM clankers_database WHERE true
  ON CONFLICT DO UPDATE SET changed = excluded.changed;
END;
CREATE TRIGGER messages_removed AFTER DELETE ON messages BEGIN
  INSERT INTO removed_rows SELECT 'messages', OLD.id, changed FROM clankers_database WHERE true
  ON CONFLICT DO UPDATE SET changed = excluded.changed;
END;
CREATE TRIGGER parts_removed AFTER DELETE ON parts BEGIN
  INSERT INTO removed_rows SELECT 'parts', OLD.id, changed FROM clankers_database WHERE true
  ON CONFLICT DO UPDATE SET changed = excluded.changed;
END;
CREATE TRIGGER tool_calls_removed AFTER DELETE ON tool_calls BEGIN
  INSERT INTO removed_rows SELECT 'tool_calls', OLD.id, changed FROM clankers_database WHERE true
  ON CONFLICT DO UPDATE SET changed = excluded.changed;
END;
CREATE TRIGGER usage_removed AFTER DELETE ON usage BEGIN
  INSERT INTO removed_rows SELECT 'usage', OLD.id, changed FROM clankers_database WHERE true
  ON CONFLICT DO UPDATE SET changed = excluded.changed;
END;
CREATE TRIGGER session_errors_removed AFTER DELETE ON session_errors BEGIN
  INSERT INTO removed_rows SELECT 'session_errors', OLD.id, changed FROM clankers_database WHERE true
  ON CONFLICT DO UPDATE SET changed = excluded.changed;
END;
CREATE TRIGGER permissions_removed AFTER DELETE ON permissions BEGIN
  INSERT INTO removed_rows SELECT 'permissions', OLD.id, changed FROM clankers_database WHERE true
  ON CONFLICT DO UPDATE SET changed = excluded.changed;
END;
CREATE TRIGGER todos_removed AFTER DELETE ON todos BEGIN
  INSERT INTO removed_rows
  SELECT 'todos', OLD.session_id || '/' || OLD.position, changed FROM clankers_database WHERE true
  ON CONFLICT DO UPDATE SET changed = excluded.changed;
END;
CREATE TRIGGER rejections_removed AFTER DELETE ON rejections BEGIN
  INSERT INTO removed_rows
  SELECT 'rejections', OLD.event_type || '/' || OLD.code || '/' || OLD.path, changed
  FROM clankers_database WHERE true
  ON CONFLICT DO UPDATE SET changed = excluded.changed;
END;

-- What triggers change is stamped like what commands change.
DROP TRIGGER messages_add_usage;
CREATE TRIGGER messages_add_usage AFTER INSERT ON messages
WHEN NEW.role IS NOT 'user' AND (NEW.prompt_tokens OR NEW.completion_tokens
  OR NEW.reasoning_tokens OR NEW.cache_read_tokens OR NEW.cache_write_tokens OR NEW.cost)
BEGIN
  UPDATE sessions SET
    prompt_tokens = prompt_tokens + NEW.prompt_tokens,
    completion_tokens = completion_tokens + NEW.completion_tokens,
    reasoning_tokens = reasoning_tokens + NEW.reasoning_tokens,
    cache_read_tokens = cache_read_tokens + NEW.cache_read_tokens,
    cache_write_tokens = cache_write_tokens + NEW.cache_write_tokens,
    cost = round(cost + NEW.cost, 12),
    changed = (SELECT changed FROM clankers_database)
  WHERE id = NEW.session_id AND NOT EXISTS (
    SELECT 1 FROM session_own WHERE session_id = NEW.session_id AND reports_usage
  );
END;
DROP TRIGGER messages_change_usage;
CREATE TRIGGER messages_change_usage
AFTER UPDATE OF role, prompt_tokens, completion_tokens, reasoning_tokens, cache_read_tokens,
  cache_write_tokens, cost ON messages
WHEN (NEW.prompt_tokens, NEW.completion_tokens, NEW.reasoning_tokens, NEW.cache_read_tokens,
    NEW.cache_write_tokens, NEW.cost, iif(NEW.role = 'user', 'user', NULL))
  IS NOT (OLD.prompt_tokens, OLD.completion_tokens, OLD.reasoning_tokens, OLD.cache_read_tokens,
    OLD.cache_write_tokens, OLD.cost, iif(OLD.role = 'user', 'user', NULL))
BEGIN
  UPDATE sessions SET
    prompt_tokens = prompt_tokens + NEW.prompt_tokens * (NEW.role IS NOT 'user')
      - OLD.prompt_tokens * (OLD.role IS NOT 'user'),
    completion_tokens = completion_tokens + NEW.completion_tokens * (NEW.role IS NOT 'user')
      - OLD.completion_tokens * (OLD.role IS NOT 'user'),
    reasoning_tokens = reasoning_tokens + NEW.reasoning_tokens * (NEW.role IS NOT 'user')
      - OLD.reasoning_tokens * (OLD.role IS NOT 'user'),
    cache_read_tokens = cache_read_tokens + NEW.cache_read_tokens * (NEW.role IS NOT 'user')
      - OLD.cache_read_tokens * (OLD.role IS NOT 'user'),
    cache_write_tokens = cache_write_tokens + NEW.cache_write_tokens * (NEW.role IS NOT 'user')
      - OLD.cache_write_tokens * (OLD.role IS NOT 'user'),
    cost = round(cost + NEW.cost * (NEW.role IS NOT 'user')
      - OLD.cost * (OLD.role IS NOT 'user'), 12),
    changed = (SELECT changed FROM clankers_database)
  WHERE id = NEW.session_id AND NOT EXISTS (
    SELECT 1 FROM session_own WHERE session_id = NEW.session_id AND reports_usage
  );
END;
DROP TRIGGER sessions_missing;
CREATE TRIGGER sessions_missing AFTER UPDATE OF missing_since ON sessions
WHEN NEW.missing_since IS NOT OLD.missing_since
BEGIN
  UPDATE messages SET
    missing_since = NEW.missing_since,
    changed = (SELECT changed FROM clankers_database)
  WHERE session_id = NEW.id AND missing_since IS OLD.missing_since;
END;
DROP TRIGGER messages_missing;
CREATE TRIGGER messages_missing AFTER UPDATE OF missing_since ON messages
WHEN NEW.missing_since IS NOT OLD.missing_since
BEGIN
  UPDATE tool_calls SET
    missing_since = NEW.missing_since,
    changed = (SELECT changed FROM clankers_database)
  WHERE message_id = NEW.id AND missing_since IS OLD.missing_since;
END;

-- The order within the session, or the message, where the engine says one.
ALTER TABLE messages ADD COLUMN position INTEGER;
ALTER TABLE parts ADD COLUMN position INTEGER;
ALTER TABLE tool_calls ADD COLUMN position INTEGER;

-- What a message is where no person and no model said it in a turn.
ALTER TABLE messages ADD COLUMN kind TEXT;
-- What was paid for, and who says what it cost.
ALTER TABLE usage ADD COLUMN kind TEXT NOT NULL DEFAULT 'step';
ALTER TABLE usage ADD COLUMN cost_source TEXT NOT NULL DEFAULT 'reported';

-- Whether the model never saw the text. So far it was in `data` alone.
ALTER TABLE parts ADD COLUMN ignored INTEGER;
UPDATE parts SET ignored = 1
WHERE type = 'text' AND json_valid(data) AND (data ->> 'ignored');

-- Lines changed are NULL where nobody told them; so far that was 0.
ALTER TABLE sessions RENAME COLUMN additions TO told_additions;
ALTER TABLE sessions RENAME COLUMN deletions TO told_deletions;
ALTER TABLE sessions RENAME COLUMN files_changed TO told_files_changed;
ALTER TABLE sessions ADD COLUMN additions INTEGER;
ALTER TABLE sessions ADD COLUMN deletions INTEGER;
ALTER TABLE sessions ADD COLUMN files_changed INTEGER;
UPDATE sessions SET
  additions = told_additions, deletions = told_deletions, files_changed = told_files_changed
WHERE told_additions <> 0 OR told_deletions <> 0 OR told_files_changed <> 0;
ALTER TABLE sessions DROP COLUMN told_additions;
ALTER TABLE sessions DROP COLUMN told_deletions;
ALTER TABLE sessions DROP COLUMN told_files_changed;

-- What only a session's totals show is spent, and no step.
DROP VIEW usage_by_day;
CREATE VIEW usage_by_day AS
SELECT
  date(usage.at / 1000, 'unixepoch', 'localtime') AS day,
  sessions.project_name AS project_name,
  usage.model AS model,
  usage.provider AS provider,
  count(*) FILTER (WHERE usage.kind <> 'overhead') AS steps,
  sum(usage.prompt_tokens) AS prompt_tokens,
  sum(usage.completion_tokens) AS completion_tokens,
  sum(usage.reasoning_tokens) AS reasoning_tokens,
  sum(usage.cache_read_tokens) AS cache_read_tokens,
  sum(usage.cache_write_tokens) AS cache_write_tokens,
  sum(usage.cost) AS cost
FROM usage LEFT JOIN sessions ON sessions.id = usage.session_id
WHERE NOT usage.inherited
GROUP BY 1, 2, 3, 4;
DROP VIEW usage_by_model;
CREATE VIEW usage_by_model AS
SELECT
  model,
  provider,
  count(*) FILTER (WHERE kind <> 'overhead') AS steps,
  sum(prompt_tokens) AS prompt_tokens,
  sum(completion_tokens) AS completion_tokens,
  sum(reasoning_tokens) AS reasoning_tokens,
  sum(cache_read_tokens) AS cache_read_tokens,
  sum(cache_write_tokens) AS cache_write_tokens,
  sum(cost) AS cost
FROM usage
WHERE NOT inherited
GROUP BY model, provider;
DROP VIEW usage_by_project;
CREATE VIEW usage_by_project AS
SELECT
  sessions.project_name AS project_name,
  sessions.project_path AS project_path,
  count(*) FILTER (WHERE usage.kind <> 'overhead') AS steps,
  sum(usage.prompt_tokens) AS prompt_tokens,
  sum(usage.completion_tokens) AS completion_tokens,
  sum(usage.reasoning_tokens) AS reasoning_tokens,
  sum(usage.cache_read_tokens) AS cache_read_tokens,
  sum(usage.cache_write_tokens) AS cache_write_tokens,
  sum(usage.cost) AS cost
FROM usage LEFT JOIN sessions ON sessions.id = usage.session_id
WHERE NOT usage.inherited
GROUP BY 1, 2;
