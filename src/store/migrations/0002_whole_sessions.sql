-- 0002: how far each session is whole, and where exactly it is kept.
--
-- Catch-up took a session for complete whose time of change was stored. Events
-- store that, too, of a session of which something is missing. The sessions
-- that are there already are fetched once more, by which they get both.

-- The time of change up to which nothing of the session is missing: it was
-- recorded from its creation on, or caught up on. NULL where something is, or
-- would be after a crash now.
ALTER TABLE session_own ADD COLUMN whole_at INTEGER;

-- So far this was OpenCode's data folder. It is its folder of files or its
-- database from now on, and empty once two were told of a session: then
-- neither can say that something in it was removed.
UPDATE session_own SET origin = NULL;
