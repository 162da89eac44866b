-- 0003: `tool_usage` leaves out what a fork copied, as the other views do: the
-- call was made once, and the copy does not know how long the person was asked.

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
GROUP BY tool;
