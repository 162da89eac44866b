-- 0010: how each recorder is, which it tells with each batch.

-- What the writer told with its last batch that was stored, as JSON: what it has
-- counted since its process began (`model::report::Report`). NULL where it tells
-- nothing: older plugins, and other clients of the daemon.
ALTER TABLE batches ADD COLUMN report TEXT;

CREATE VIEW recorders AS
SELECT
  writer AS id,
  report ->> 'version' AS version,
  report ->> 'dialect' AS dialect,
  report ->> 'pid' AS pid,
  report ->> 'startedAt' AS started_at,
  report ->> 'reportedAt' AS reported_at,
  coalesce(report ->> 'seen', 0) AS seen,
  coalesce(report ->> 'ignored', 0) AS ignored,
  coalesce(report ->> 'refused', 0) AS refused,
  coalesce(report ->> 'commands', 0) AS commands,
  coalesce(report ->> 'drains', 0) AS drains,
  coalesce(report ->> 'waiting', 0) AS waiting,
  report ->> 'lastError' AS last_error,
  report ->> 'lastErrorAt' AS last_error_at,
  coalesce(report ->> 'asked', 0) AS asked,
  coalesce(report ->> 'answered', 0) AS answered,
  coalesce(report ->> 'failed', 0) AS failed,
  report ->> 'caughtUpAt' AS caught_up_at,
  report ->> 'behindSince' AS behind_since
FROM batches WHERE report IS NOT NULL;
