-- 0007: which copy tells a session.

-- The copy of an agent's data (a database or an export that was imported) that
-- told the session last: when the session was changed last in it, and how it ranks
-- among copies of that time. NULL where no copy did, or the agent itself since.
ALTER TABLE session_own ADD COLUMN copied_at INTEGER;
ALTER TABLE session_own ADD COLUMN copy_rank INTEGER;
