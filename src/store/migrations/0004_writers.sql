-- 0004: what holds whoever writes: what was purged, kept or erased stays so.

-- Of the sessions and messages that were deleted, by their ids, whether their
-- content is kept: what is told of them late is treated alike. A message that
-- is not here went with its session.
CREATE TABLE deletions (
  id TEXT NOT NULL PRIMARY KEY,
  kept INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO deletions (id, kept)
SELECT id, title IS NOT NULL FROM sessions WHERE deleted_at IS NOT NULL
UNION ALL
SELECT id, text_content <> '' OR error_message IS NOT NULL
  OR EXISTS (SELECT 1 FROM parts WHERE message_id = messages.id AND (text IS NOT NULL OR data IS NOT NULL))
  OR EXISTS (SELECT 1 FROM tool_calls WHERE message_id = messages.id AND coalesce(input, output, error) IS NOT NULL)
FROM messages WHERE deleted_at IS NOT NULL;

-- Which session had started the one that was purged: what a sub-agent spent
-- stays in the sum of the session that it worked for.
ALTER TABLE purged ADD COLUMN parent_id TEXT;

CREATE INDEX session_errors_by_message ON session_errors (message_id);

-- A session's sum is over its answers: a person's message spends nothing.
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
    cost = round(cost + NEW.cost, 12)
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
      - OLD.cost * (OLD.role IS NOT 'user'), 12)
  WHERE id = NEW.session_id AND NOT EXISTS (
    SELECT 1 FROM session_own WHERE session_id = NEW.session_id AND reports_usage
  );
END;

DROP VIEW session_usage;
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
