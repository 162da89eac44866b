//! The index: created, brought up to date, searched.

use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use indicatif::ProgressBar;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::words;
use crate::error::{Context, Error, Result};
use crate::paths::shown;
use crate::store::{
    WRITER_PRAGMAS, beside, empty_log, open_marked_reader, private_file, search_index, uri,
};

/// Raised when what is indexed changes: an older index is then rebuilt.
const VERSION: u32 = 1;

const SCHEMA: &str = "\
CREATE TABLE documents (
  rowid INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, stamp TEXT NOT NULL,
  UNIQUE (kind, id));
CREATE TABLE state (fingerprint TEXT);
CREATE VIRTUAL TABLE words USING fts5 (
  text, content='', contentless_delete=1, tokenize='porter unicode61 remove_diacritics 2');";

/// The documents there are to index, each with its stamp. SQLite reads no long
/// text for this: the length of a value stands in the row's header.
const CURRENT: &str = "\
SELECT 'title' AS kind, id, octet_length(title) || ':' || title AS stamp
FROM source.sessions WHERE title <> '' AND deleted_at IS NULL AND missing_since IS NULL
UNION ALL
SELECT 'message', id, concat_ws(':', octet_length(text_content), completed_at)
FROM source.messages
WHERE octet_length(text_content) > 0 AND deleted_at IS NULL AND missing_since IS NULL
UNION ALL
SELECT 'thought', id, concat_ws(':', octet_length(text), ended_at)
FROM source.parts
WHERE type = 'reasoning' AND octet_length(text) > 0 AND missing_since IS NULL AND NOT EXISTS (
  SELECT 1 FROM source.messages WHERE messages.id = message_id AND messages.missing_since IS NOT NULL)
UNION ALL
SELECT 'tool', id,
  concat_ws(':', status, octet_length(title), octet_length(input), octet_length(output), octet_length(error), ended_at)
FROM source.tool_calls WHERE deleted_at IS NULL AND missing_since IS NULL";

/// Whether a document is there no more, as one whose words were erased.
const HAS_VANISHED: &str = "\
SELECT EXISTS (SELECT 1 FROM documents
  WHERE (kind, id) NOT IN (SELECT kind, id FROM temp.current))";

/// Deletes all, so that it is indexed anew: FTS5 only marks what is deleted one by
/// one, and its words stay in the file for a long time.
const CLEAR: &str = "INSERT INTO words (words) VALUES ('delete-all'); DELETE FROM documents;";

/// The text of a document. Of a long output only the beginning is indexed.
const TEXT: &str = "\
CASE fresh.kind
  WHEN 'title' THEN (SELECT title FROM source.sessions WHERE sessions.id = fresh.id)
  WHEN 'message' THEN (SELECT text_content FROM source.messages WHERE messages.id = fresh.id)
  WHEN 'thought' THEN (SELECT text FROM source.parts WHERE parts.id = fresh.id)
  WHEN 'tool' THEN (SELECT concat_ws(char(10), tool, title, input, substr(output, 1, 200000), error)
    FROM source.tool_calls WHERE tool_calls.id = fresh.id)
END";

/// An index that is up to date.
pub(crate) struct Index {
    db: Connection,
}

/// A document that was found.
#[derive(Debug)]
pub(crate) struct Hit {
    /// `title`, `message`, `thought` or `tool`.
    pub(crate) kind: String,
    /// How well it matches: the lower, the better.
    pub(crate) rank: f64,
    pub(crate) session_id: Option<String>,
    pub(crate) session_title: Option<String>,
    pub(crate) message_id: Option<String>,
    /// The role of a message's author, or the name of a tool.
    pub(crate) who: Option<String>,
    pub(crate) at: Option<i64>,
    /// The words that were found, with some of the text around them.
    pub(crate) snippet: String,
}

impl Index {
    /// Where the index of a database is.
    pub(crate) fn path(db: &Path) -> PathBuf {
        search_index(db)
    }

    /// Opens the index of a database and brings it up to date. It is built anew
    /// where it is missing or outdated, and in memory where it cannot be stored.
    pub(crate) fn open(db: &Path, rebuild: bool) -> Result<Self> {
        // Fails with a clear error where the database cannot be read.
        drop(open_marked_reader(db)?);
        let path = Self::path(db);
        if rebuild {
            for ending in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(beside(&path, ending));
            }
        }
        let stored = Self::open_file(&path).and_then(|index| Self { db: index }.prepared(db));
        match stored {
            Ok(index) => Ok(index),
            Err(_) => Self {
                db: Connection::open_in_memory()?,
            }
            .prepared(db),
        }
    }

    fn open_file(path: &Path) -> Result<Connection> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(false);
        private_file(&mut options, path)?;
        let index = Connection::open(path)?;
        index.busy_timeout(Duration::from_secs(10))?;
        // What is lost in a crash is indexed again.
        index.execute_batch(WRITER_PRAGMAS)?;
        Ok(index)
    }

    fn prepared(mut self, db: &Path) -> Result<Self> {
        let version: u32 = self
            .db
            .query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if version != VERSION {
            let change = self
                .db
                .transaction_with_behavior(TransactionBehavior::Immediate)?;
            change.execute_batch(
                "DROP TABLE IF EXISTS documents; DROP TABLE IF EXISTS state; DROP TABLE IF EXISTS words",
            )?;
            change.execute_batch(SCHEMA)?;
            change.execute_batch(&format!("PRAGMA user_version = {VERSION}"))?;
            change.commit()?;
        }
        let source = format!("file:{}?mode=ro", uri(db));
        self.db
            .execute("ATTACH ?1 AS source", [source])
            .context(|| format!("cannot read {}", shown(db)))?;
        self.update(db)
            .context(|| "cannot bring the search index up to date".to_owned())?;
        Ok(self)
    }

    fn update(&mut self, db: &Path) -> Result<()> {
        let fingerprint = fingerprint(db);
        let known: Option<String> = self
            .db
            .query_row("SELECT fingerprint FROM state", [], |row| row.get(0))
            .optional()?;
        if fingerprint.is_some() && fingerprint == known {
            return Ok(());
        }
        // This takes seconds the first time, and when much has been recorded since.
        let spinner = ProgressBar::new_spinner().with_message("reading what is new");
        spinner.enable_steady_tick(Duration::from_millis(200));
        let change = self
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        change.execute_batch(&format!(
            "CREATE TEMP TABLE current (kind, id, stamp, PRIMARY KEY (kind, id)) WITHOUT ROWID;
             INSERT INTO temp.current {CURRENT};"
        ))?;
        let has_vanished: bool = change.query_row(HAS_VANISHED, [], |row| row.get(0))?;
        if has_vanished {
            change.execute_batch(CLEAR)?;
        }
        change.execute_batch(&format!(
            "CREATE TEMP TABLE stale AS SELECT documents.rowid AS at FROM documents
               LEFT JOIN temp.current ON current.kind = documents.kind AND current.id = documents.id
               WHERE current.stamp IS NOT documents.stamp;
             DELETE FROM words WHERE rowid IN (SELECT at FROM temp.stale);
             DELETE FROM documents WHERE rowid IN (SELECT at FROM temp.stale);
             CREATE TEMP TABLE fresh AS SELECT * FROM temp.current WHERE NOT EXISTS (
               SELECT 1 FROM documents WHERE documents.kind = current.kind AND documents.id = current.id);
             INSERT INTO documents (kind, id, stamp) SELECT kind, id, stamp FROM temp.fresh;
             INSERT INTO words (rowid, text)
               SELECT documents.rowid, {TEXT} FROM temp.fresh JOIN documents USING (kind, id);
             DROP TABLE temp.current; DROP TABLE temp.stale; DROP TABLE temp.fresh;
             DELETE FROM state;"
        ))?;
        change.execute("INSERT INTO state VALUES (?1)", [fingerprint])?;
        change.commit()?;
        if has_vanished {
            empty_log(&self.db, Duration::ZERO)?;
        }
        spinner.finish_and_clear();
        Ok(())
    }

    /// The documents in which all of `input` occurs, the best first.
    pub(crate) fn search(&self, input: &str, limit: u32, marks: (&str, &str)) -> Result<Vec<Hit>> {
        let query = words::query(input).ok_or_else(|| {
            Error::new("there is no word to look for")
                .hint("say it like: clankers search \"exit code\" migrat*")
        })?;
        // FTS5's rank (bm25) favours rare words. Of equals, the newest comes first.
        let mut statement = self.db.prepare(&format!(
            "WITH hits AS MATERIALIZED (
               SELECT rowid AS at, rank FROM words WHERE words MATCH ?1 ORDER BY rank LIMIT ?2)
             SELECT fresh.kind, hits.rank, {TEXT},
               coalesce(messages.session_id, sessions.id), coalesce(owner.title, sessions.title), messages.id,
               CASE fresh.kind WHEN 'tool' THEN tool_calls.tool WHEN 'title' THEN NULL ELSE messages.role END,
               coalesce(tool_calls.started_at, messages.created_at, sessions.updated_at) AS happened_at
             FROM hits JOIN documents AS fresh ON fresh.rowid = hits.at
             LEFT JOIN source.sessions ON fresh.kind = 'title' AND sessions.id = fresh.id
             LEFT JOIN source.tool_calls ON fresh.kind = 'tool' AND tool_calls.id = fresh.id
             LEFT JOIN source.parts ON fresh.kind = 'thought' AND parts.id = fresh.id
             LEFT JOIN source.messages ON messages.id = CASE fresh.kind
               WHEN 'message' THEN fresh.id ELSE coalesce(tool_calls.message_id, parts.message_id) END
             LEFT JOIN source.sessions AS owner ON owner.id = messages.session_id
             ORDER BY hits.rank, happened_at DESC, fresh.id"
        ))?;
        let snippets = Snippets::new()?;
        let mut rows = statement.query(params![query, limit])?;
        let mut hits = Vec::new();
        while let Some(row) = rows.next()? {
            let text: Option<String> = row.get(2)?;
            let Some(text) = text else { continue };
            hits.push(Hit {
                kind: row.get(0)?,
                rank: row.get(1)?,
                session_id: row.get(3)?,
                session_title: row.get(4)?,
                message_id: row.get(5)?,
                who: row.get(6)?,
                at: row.get(7)?,
                snippet: snippets.of(&text, &query, marks)?,
            });
        }
        Ok(hits)
    }
}

/// Cuts snippets out of texts. FTS5 can do that only for texts that it holds,
/// so each text is put into a small index in memory, and searched there again.
struct Snippets(Connection);

impl Snippets {
    fn new() -> Result<Self> {
        let db = Connection::open_in_memory()?;
        db.execute_batch(
            "CREATE VIRTUAL TABLE one USING fts5 (text, tokenize='porter unicode61 remove_diacritics 2')",
        )?;
        Ok(Self(db))
    }

    fn of(&self, text: &str, query: &str, (open, close): (&str, &str)) -> Result<String> {
        self.0.prepare_cached("DELETE FROM one")?.execute([])?;
        self.0
            .prepare_cached("INSERT INTO one (text) VALUES (?1)")?
            .execute([text])?;
        let snippet: Option<String> = self
            .0
            .prepare_cached("SELECT snippet(one, 0, ?2, ?3, '…', 24) FROM one WHERE one MATCH ?1")?
            .query_row(params![query, open, close], |row| row.get(0))
            .optional()?;
        Ok(snippet.unwrap_or_else(|| text.chars().take(120).collect()))
    }
}

/// What changes when the database is written: the sizes and times of its files.
fn fingerprint(db: &Path) -> Option<String> {
    let of = |path: &Path| {
        let file = std::fs::metadata(path).ok()?;
        let changed = file.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(format!("{}@{}", file.len(), changed.as_nanos()))
    };
    Some(format!(
        "{} {}",
        of(db)?,
        of(&beside(db, "-wal")).unwrap_or_default()
    ))
}
