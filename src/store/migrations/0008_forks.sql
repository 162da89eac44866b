-- 0008: what a fork copied counts where nothing else in the ledger accounts for it:
-- its original may never have been recorded.

-- When the message of a step was made: a fork's copy has its original's time.
ALTER TABLE usage ADD COLUMN message_at INTEGER;
-- 1 where the row is in the sums: all that was not inherited, and of copies of
-- one step of which there is no original the one with the least session id.
ALTER TABLE usage ADD COLUMN counted INTEGER NOT NULL DEFAULT 1;
CREATE INDEX usage_by_message_at ON usage (message_at);

-- Which rows are not as they should be: what a fork copied counts only where no
-- other session has the step.
CREATE VIEW usage_miscounted AS
SELECT * FROM (
  SELECT
    id,
    message_at,
    counted,
    NOT inherited OR message_at IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM usage AS other
      WHERE other.message_at = usage.message_at AND other.session_id <> usage.session_id
        AND (NOT other.inherited OR other.session_id < usage.session_id)
        AND (other.prompt_tokens, other.completion_tokens, other.reasoning_tokens,
          other.cache_read_tokens, other.cache_write_tokens, other.cost)
        = (usage.prompt_tokens, usage.completion_tokens, usage.reasoning_tokens,
          usage.cache_read_tokens, usage.cache_write_tokens, usage.cost)) AS counts
  FROM usage)
WHERE counted IS NOT counts;

UPDATE usage SET message_at = (SELECT created_at FROM messages WHERE id = usage.message_id);
UPDATE clankers_database SET changed = changed + 1;
UPDATE usage SET counted = NOT counted, changed = (SELECT changed FROM clankers_database)
WHERE id IN (SELECT id FROM usage_miscounted);

CREATE TRIGGER usage_count_new AFTER INSERT ON usage BEGIN
  UPDATE usage SET message_at = coalesce(
    (SELECT created_at FROM messages WHERE id = NEW.message_id),
    (SELECT message_at FROM usage WHERE id = NEW.message_id))
  WHERE id = NEW.id;
END;
CREATE TRIGGER usage_count_changed
AFTER UPDATE OF session_id, inherited, message_at, prompt_tokens, completion_tokens,
  reasoning_tokens, cache_read_tokens, cache_write_tokens, cost ON usage
BEGIN
  UPDATE usage SET counted = NOT counted, changed = (SELECT changed FROM clankers_database)
  WHERE id IN (
    SELECT id FROM usage_miscounted WHERE id = NEW.id
    UNION ALL SELECT id FROM usage_miscounted WHERE message_at = OLD.message_at
    UNION ALL SELECT id FROM usage_miscounted WHERE message_at = NEW.message_at);
END;
CREATE TRIGGER usage_count_removed AFTER DELETE ON usage BEGIN
  UPDATE usage SET counted = NOT counted, changed = (SELECT changed FROM clankers_database)
  WHERE id IN (SELECT id FROM usage_miscounted WHERE message_at = OLD.message_at);
END;
CREATE TRIGGER messages_count_new AFTER INSERT ON messages
WHEN NEW.created_at IS NOT NULL
BEGIN
  UPDATE usage SET message_at = NEW.created_at
  WHERE message_id = NEW.id AND message_at IS NOT NEW.created_at;
END;
CREATE TRIGGER messages_count_changed AFTER UPDATE OF created_at ON messages
WHEN NEW.created_at IS NOT NULL AND NEW.created_at IS NOT OLD.created_at
BEGIN
  UPDATE usage SET message_at = NEW.created_at
  WHERE message_id = NEW.id AND message_at IS NOT NEW.created_at;
END;

-- The views count what counts.
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
WHERE usage.counted
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
WHERE counted
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
WHERE usage.counted
GROUP BY 1, 2;
DROP VIEW session_usage;
CREATE VIEW session_usage AS
WITH RECURSIVE
  spent AS (
    SELECT
      session_id,
      counted,
      sum(prompt_tokens + completion_tokens + reasoning_tokens + cache_read_tokens
        + cache_write_tokens) AS tokens,
      sum(cost) AS cost
    FROM usage GROUP BY session_id, counted
  ),
  everyone (id) AS (SELECT id FROM sessions UNION SELECT session_id FROM usage),
  children (id, parent_id) AS (
    SELECT id, parent_id FROM sessions WHERE parent_id IS NOT NULL
    UNION ALL
    SELECT id, parent_id FROM purged WHERE parent_id IS NOT NULL
  ),
  -- UNION, not UNION ALL: a cycle of parents must end.
  tree (root, id) AS (
    SELECT id, id FROM everyone
    UNION
    SELECT tree.root, children.id FROM tree JOIN children ON children.parent_id = tree.id
  ),
  inclusive AS (
    SELECT tree.root AS id, sum(spent.tokens) AS tokens, sum(spent.cost) AS cost
    FROM tree JOIN spent ON spent.session_id = tree.id AND spent.counted
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
LEFT JOIN spent AS own ON own.session_id = everyone.id AND own.counted
LEFT JOIN spent AS inherited ON inherited.session_id = everyone.id AND NOT inherited.counted
LEFT JOIN inclusive ON inclusive.id = everyone.id;
DROP VIEW tool_usage;
CREATE VIEW tool_usage AS
SELECT
  tool,
  count(*) AS calls,
  count(*) FILTER (WHERE tool_calls.status = 'error') AS errors,
  coalesce(sum(max(tool_calls.duration_ms - permission_wait_ms, 0)), 0) AS total_duration_ms,
  avg(max(tool_calls.duration_ms - permission_wait_ms, 0)) AS mean_duration_ms
FROM tool_calls
LEFT JOIN messages ON messages.id = tool_calls.message_id
LEFT JOIN sessions ON sessions.id = tool_calls.session_id
WHERE NOT coalesce(messages.created_at < sessions.created_at, 0)
  OR EXISTS (SELECT 1 FROM usage WHERE usage.message_id = messages.id AND usage.counted)
GROUP BY tool;
