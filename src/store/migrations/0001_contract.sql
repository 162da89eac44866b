-- 0001: the tables and views of the storage contract (docs/storage-contract.md).
--
-- No column is STRICT and none has a CHECK: the core has validated what comes
-- in, and a value that slipped through must cost a field, not a whole batch.

CREATE TABLE sessions (
  id TEXT NOT NULL PRIMARY KEY,
  parent_id TEXT,
  source TEXT NOT NULL DEFAULT 'opencode',
  source_version TEXT,
  title TEXT,
  project_id TEXT,
  project_path TEXT,
  project_name TEXT,
  agent TEXT,
  model TEXT,
  provider TEXT,
  status TEXT NOT NULL DEFAULT 'idle',
  prompt_tokens INTEGER NOT NULL DEFAULT 0,
  completion_tokens INTEGER NOT NULL DEFAULT 0,
  reasoning_tokens INTEGER NOT NULL DEFAULT 0,
  cache_read_tokens INTEGER NOT NULL DEFAULT 0,
  cache_write_tokens INTEGER NOT NULL DEFAULT 0,
  cost REAL NOT NULL DEFAULT 0,
  additions INTEGER NOT NULL DEFAULT 0,
  deletions INTEGER NOT NULL DEFAULT 0,
  files_changed INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER,
  updated_at INTEGER,
  archived_at INTEGER,
  deleted_at INTEGER
);
CREATE INDEX sessions_by_parent ON sessions (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX sessions_by_project ON sessions (project_path, updated_at);

-- What OpenCode says of a session itself, apart from what `sessions` derives
-- from its messages: without it a restarted writer could not tell the two.
CREATE TABLE session_own (
  session_id TEXT NOT NULL PRIMARY KEY,
  agent TEXT,
  model TEXT,
  provider TEXT,
  -- Where OpenCode keeps the session: its data folder.
  origin TEXT,
  -- 1 once OpenCode has reported tokens or cost other than zero.
  reports_usage INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE messages (
  id TEXT NOT NULL PRIMARY KEY,
  session_id TEXT NOT NULL REFERENCES sessions (id),
  parent_id TEXT,
  role TEXT,
  agent TEXT,
  model TEXT,
  provider TEXT,
  text_content TEXT NOT NULL DEFAULT '',
  prompt_tokens INTEGER NOT NULL DEFAULT 0,
  completion_tokens INTEGER NOT NULL DEFAULT 0,
  reasoning_tokens INTEGER NOT NULL DEFAULT 0,
  cache_read_tokens INTEGER NOT NULL DEFAULT 0,
  cache_write_tokens INTEGER NOT NULL DEFAULT 0,
  cost REAL NOT NULL DEFAULT 0,
  finish_reason TEXT,
  error_name TEXT,
  error_message TEXT,
  created_at INTEGER,
  completed_at INTEGER,
  duration_ms INTEGER,
  deleted_at INTEGER
);
CREATE INDEX messages_by_session ON messages (session_id, created_at, id);
CREATE INDEX messages_by_answer ON messages (session_id, created_at, id)
  WHERE role = 'assistant' AND deleted_at IS NULL;

-- Messages that catch-up has to look at: placeholders, and answers without an end.
CREATE INDEX messages_open ON messages (session_id)
  WHERE completed_at IS NULL AND deleted_at IS NULL AND role IS NOT 'user';

CREATE TABLE parts (
  id TEXT NOT NULL PRIMARY KEY,
  message_id TEXT NOT NULL REFERENCES messages (id),
  session_id TEXT,
  type TEXT,
  text TEXT,
  data TEXT,
  synthetic INTEGER NOT NULL DEFAULT 0,
  started_at INTEGER,
  ended_at INTEGER
);
CREATE INDEX parts_by_message ON parts (message_id, id);

CREATE TABLE tool_calls (
  id TEXT NOT NULL PRIMARY KEY,
  call_id TEXT,
  message_id TEXT NOT NULL REFERENCES messages (id),
  session_id TEXT,
  tool TEXT,
  status TEXT,
  title TEXT,
  input TEXT,
  output TEXT,
  error TEXT,
  file_path TEXT,
  exit_code INTEGER,
  child_session_id TEXT,
  started_at INTEGER,
  ended_at INTEGER,
  duration_ms INTEGER,
  permission_wait_ms INTEGER NOT NULL DEFAULT 0,
  deleted_at INTEGER
);
CREATE INDEX tool_calls_by_message ON tool_calls (message_id, id);

-- The ledger. No foreign keys: its rows outlive what they were spent on.
CREATE TABLE usage (
  id TEXT NOT NULL PRIMARY KEY,
  session_id TEXT,
  message_id TEXT,
  agent TEXT,
  model TEXT,
  provider TEXT,
  prompt_tokens INTEGER NOT NULL DEFAULT 0,
  completion_tokens INTEGER NOT NULL DEFAULT 0,
  reasoning_tokens INTEGER NOT NULL DEFAULT 0,
  cache_read_tokens INTEGER NOT NULL DEFAULT 0,
  cache_write_tokens INTEGER NOT NULL DEFAULT 0,
  cost REAL NOT NULL DEFAULT 0,
  inherited INTEGER NOT NULL DEFAULT 0,
  at INTEGER
);
CREATE INDEX usage_by_session ON usage (session_id);
CREATE INDEX usage_by_message ON usage (message_id);

CREATE TABLE session_errors (
  id TEXT NOT NULL PRIMARY KEY,
  session_id TEXT,
  message_id TEXT,
  name TEXT,
  message TEXT,
  status_code INTEGER,
  retryable INTEGER,
  attempt INTEGER,
  created_at INTEGER
);
CREATE INDEX session_errors_by_session ON session_errors (session_id);

CREATE TABLE permissions (
  id TEXT NOT NULL PRIMARY KEY,
  session_id TEXT,
  message_id TEXT,
  call_id TEXT,
  permission TEXT,
  patterns TEXT,
  reply TEXT,
  asked_at INTEGER,
  replied_at INTEGER
);
CREATE INDEX permissions_by_session ON permissions (session_id);
CREATE INDEX permissions_by_message ON permissions (message_id);

CREATE TABLE todos (
  session_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  content TEXT,
  status TEXT,
  priority TEXT,
  PRIMARY KEY (session_id, position)
) WITHOUT ROWID;

-- The ids of sessions and messages that were purged, and nothing else of them.
CREATE TABLE purged (
  id TEXT NOT NULL PRIMARY KEY
) WITHOUT ROWID;

CREATE TABLE rejections (
  event_type TEXT NOT NULL,
  code TEXT NOT NULL,
  path TEXT NOT NULL,
  expected TEXT,
  found TEXT,
  sample TEXT,
  source_version TEXT,
  count INTEGER NOT NULL DEFAULT 0,
  first_seen INTEGER,
  last_seen INTEGER,
  PRIMARY KEY (event_type, code, path)
) WITHOUT ROWID;

-- Where OpenCode reports no totals for a session, they are the sum over its
-- messages, removed ones included. The cost is rounded to 12 decimals so that
-- adding in another order does not end in another number.
CREATE TRIGGER messages_add_usage AFTER INSERT ON messages
WHEN NEW.prompt_tokens OR NEW.completion_tokens OR NEW.reasoning_tokens
  OR NEW.cache_read_tokens OR NEW.cache_write_tokens OR NEW.cost
BEGIN
  UPDATE sessions SET
    prompt_tokens = prompt_tokens + NEW.prompt_tokens,
    completion_tokens = completion_tokens + NEW.completion_tokens,
    reasoning_tokens = reasoning_tokens + NEW.reasoning_tokens,
    cache_read_tokens = cache_read_tokens + NEW.cache_read_tokens,
    cache_write_tokens = cache_write_tokens + NEW.cache_write_tokens,
    cost = round(cost + NEW.cost, 12)
  WHERE id = NEW.session_id AND NOT EXISTS (
    SELECT 1 FROM session_own WHERE session_id = NEW.session_id AND reports_usage
  );
END;

CREATE TRIGGER messages_change_usage
AFTER UPDATE OF prompt_tokens, completion_tokens, reasoning_tokens, cache_read_tokens,
  cache_write_tokens, cost ON messages
WHEN (NEW.prompt_tokens, NEW.completion_tokens, NEW.reasoning_tokens, NEW.cache_read_tokens,
    NEW.cache_write_tokens, NEW.cost)
  IS NOT (OLD.prompt_tokens, OLD.completion_tokens, OLD.reasoning_tokens, OLD.cache_read_tokens,
    OLD.cache_write_tokens, OLD.cost)
BEGIN
  UPDATE sessions SET
    prompt_tokens = prompt_tokens + NEW.prompt_tokens - OLD.prompt_tokens,
    completion_tokens = completion_tokens + NEW.completion_tokens - OLD.completion_tokens,
    reasoning_tokens = reasoning_tokens + NEW.reasoning_tokens - OLD.reasoning_tokens,
    cache_read_tokens = cache_read_tokens + NEW.cache_read_tokens - OLD.cache_read_tokens,
    cache_write_tokens = cache_write_tokens + NEW.cache_write_tokens - OLD.cache_write_tokens,
    cost = round(cost + NEW.cost - OLD.cost, 12)
  WHERE id = NEW.session_id AND NOT EXISTS (
    SELECT 1 FROM session_own WHERE session_id = NEW.session_id AND reports_usage
  );
END;

-- The views over the ledger leave inherited rows out: a fork spent nothing.
CREATE VIEW usage_by_day AS
SELECT
  date(usage.at / 1000, 'unixepoch', 'localtime') AS day,
  sessions.project_name AS project_name,
  usage.model AS model,
  usage.provider AS provider,
  count(*) AS steps,
  sum(usage.prompt_tokens) AS prompt_tokens,
  sum(usage.completion_tokens) AS completion_tokens,
  sum(usage.reasoning_tokens) AS reasoning_tokens,
  sum(usage.cache_read_tokens) AS cache_read_tokens,
  sum(usage.cache_write_tokens) AS cache_write_tokens,
  sum(usage.cost) AS cost
FROM usage LEFT JOIN sessions ON sessions.id = usage.session_id
WHERE NOT usage.inherited
GROUP BY 1, 2, 3, 4;

CREATE VIEW usage_by_model AS
SELECT
  model,
  provider,
  count(*) AS steps,
  sum(prompt_tokens) AS prompt_tokens,
  sum(completion_tokens) AS completion_tokens,
  sum(reasoning_tokens) AS reasoning_tokens,
  sum(cache_read_tokens) AS cache_read_tokens,
  sum(cache_write_tokens) AS cache_write_tokens,
  sum(cost) AS cost
FROM usage
WHERE NOT inherited
GROUP BY model, provider;

CREATE VIEW usage_by_project AS
SELECT
  sessions.project_name AS project_name,
  sessions.project_path AS project_path,
  count(*) AS steps,
  sum(usage.prompt_tokens) AS prompt_tokens,
  sum(usage.completion_tokens) AS completion_tokens,
  sum(usage.reasoning_tokens) AS reasoning_tokens,
  sum(usage.cache_read_tokens) AS cache_read_tokens,
  sum(usage.cache_write_tokens) AS cache_write_tokens,
  sum(usage.cost) AS cost
FROM usage LEFT JOIN sessions ON sessions.id = usage.session_id
WHERE NOT usage.inherited
GROUP BY 1, 2;

CREATE VIEW session_usage AS
WITH RECURSIVE
  spent AS (
    SELECT
      session_id,
      inherited,
      sum(prompt_tokens + completion_tokens + reasoning_tokens + cache_read_tokens
        + cache_write_tokens) AS tokens,
      sum(cost) AS cost
    FROM usage GROUP BY session_id, inherited
  ),
  everyone (id) AS (SELECT id FROM sessions UNION SELECT session_id FROM usage),
  -- UNION, not UNION ALL: a cycle of parents must end.
  tree (root, id) AS (
    SELECT id, id FROM everyone
    UNION
    SELECT tree.root, sessions.id FROM tree JOIN sessions ON sessions.parent_id = tree.id
  ),
  inclusive AS (
    SELECT tree.root AS id, sum(spent.tokens) AS tokens, sum(spent.cost) AS cost
    FROM tree JOIN spent ON spent.session_id = tree.id AND NOT spent.inherited
    GROUP BY tree.root
  )
SELECT
  everyone.id AS session_id,
  coalesce(own.tokens, 0) AS own_tokens,
  coalesce(own.cost, 0.0) AS own_cost,
  coalesce(inclusive.tokens, 0) AS inclusive_tokens,
  coalesce(inclusive.cost, 0.0) AS inclusive_cost,
  coalesce(inherited.tokens, 0) AS inherited_tokens,
  coalesce(inherited.cost, 0.0) AS inherited_cost
FROM everyone
LEFT JOIN spent AS own ON own.session_id = everyone.id AND NOT own.inherited
LEFT JOIN spent AS inherited ON inherited.session_id = everyone.id AND inherited.inherited
LEFT JOIN inclusive ON inclusive.id = everyone.id;

CREATE VIEW tool_usage AS
SELECT
  tool,
  count(*) AS calls,
  count(*) FILTER (WHERE status = 'error') AS errors,
  coalesce(sum(max(duration_ms - permission_wait_ms, 0)), 0) AS total_duration_ms,
  avg(max(duration_ms - permission_wait_ms, 0)) AS mean_duration_ms
FROM tool_calls
GROUP BY tool;
