//! Opening the database, as every sink does: pragmas, then migrations.

use std::path::Path;
use std::time::Duration;

use clankers::store::{MIGRATIONS, SCHEMA_VERSION};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::files::{beside, make_files, narrow_files, refuse_no_file, uri};
use super::identity::HeldFile;
use super::version::{refuse_foreign, refuse_newer, schema_version};
use super::writer::Writer;
use crate::error::{Context, Error, Result};
use crate::paths::{self, Paths};

/// The first schema that marks what is missing.
pub(super) const MISSING_SCHEMA: usize = 5;
/// The first schema in which recorders tell how they are.
pub(crate) const RECORDERS_SCHEMA: usize = 10;
/// How long a writer waits for another. In this program, unlike in the plugin,
/// nobody has to wait meanwhile.
const WRITER_WAIT: Duration = Duration::from_secs(5);
/// How long a reader waits; in WAL mode it hardly ever has to.
const READER_WAIT: Duration = Duration::from_secs(2);
/// How whoever writes a file of clankers' sets it. What is erased or outgrown is
/// overwritten in it, and after a checkpoint its log gives back what it takes beyond
/// 16 MiB: a long reader makes it grow.
pub(crate) const WRITER_PRAGMAS: &str = "\
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA secure_delete = ON;
PRAGMA journal_size_limit = 16777216;";
/// Enough for the statements of every command.
const CACHED_STATEMENTS: usize = 128;

/// Opens the database to write, and makes it if it is not there.
pub(crate) fn open_writer(paths: &Paths) -> Result<Writer> {
    let path = &paths.db;
    let what = || format!("cannot open {}", paths::shown(path));
    make_files(paths).context(what)?;
    // Before SQLite does: whoever puts another there meanwhile is noticed.
    let file = HeldFile::open(path).context(what)?;
    let mut db = Connection::open(path).context(what)?;
    db.busy_timeout(WRITER_WAIT)?;
    // What a newer version left in its log stays there: closing moves it into the file.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    schema_version(&db).context(what)?;
    refuse_newer(path, &db)?;
    refuse_foreign(path, &db)?;
    narrow_files(path).context(what)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    db.execute_batch(WRITER_PRAGMAS).context(what)?;
    db.execute_batch("PRAGMA foreign_keys = ON").context(what)?;
    db.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    migrate(&mut db).context(|| format!("cannot bring {} up to date", paths::shown(path)))?;
    Ok(Writer {
        db,
        file,
        path: path.clone(),
    })
}

/// Opens the database to read. Nothing done through it can change a file.
pub(crate) fn open_reader(path: &Path) -> Result<Connection> {
    if !path.exists() {
        return Err(
            Error::new(format!("there is no database at {}", paths::shown(path))).hint(
                "nothing has been recorded yet: `clankers install` adds the plugin to OpenCode, \
             `clankers import` brings in what OpenCode has; --db-path names another file",
            ),
        );
    }
    let what = || format!("cannot read {}", paths::shown(path));
    refuse_no_file(path).context(what)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).context(what)?;
    db.busy_timeout(READER_WAIT)?;
    db.execute_batch("PRAGMA query_only = ON; PRAGMA temp_store = MEMORY")
        .context(what)?;
    refuse_newer(path, &db)?;
    if schema_version(&db).context(what)? == 0 {
        return Err(
            Error::new(format!("{} is no clankers database", paths::shown(path)))
                .hint("--db-path or CLANKERS_DB_PATH names the right one"),
        );
    }
    Ok(db)
}

/// Opens a file to read that may be anything, and leaves nothing beside it. Where no
/// log is there nobody writes it, and it may be where nothing can be written.
pub(crate) fn open_untouched(path: &Path) -> rusqlite::Result<Connection> {
    let how = if beside(path, "-wal").exists() {
        Untouched::WithLog
    } else {
        Untouched::Alone
    };
    open_as(path, how)
}

/// What of a database is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Untouched {
    /// The file and the log beside it.
    WithLog,
    /// The file, as if nothing were beside it.
    Alone,
}

/// Opens that of a database to read. It is not to be written meanwhile where it is
/// read alone.
pub(crate) fn open_as(path: &Path, how: Untouched) -> rusqlite::Result<Connection> {
    let parameter = match how {
        Untouched::WithLog => "mode=ro",
        Untouched::Alone => "mode=ro&immutable=1",
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let db = Connection::open_with_flags(format!("file:{}?{parameter}", uri(path)), flags)?;
    db.busy_timeout(READER_WAIT)?;
    Ok(db)
}

/// Opens the database to read with the columns that mark what is missing. One
/// that nobody has written since clankers was updated may lack them.
pub(crate) fn open_marked_reader(path: &Path) -> Result<Connection> {
    let db = open_reader(path)?;
    let version = schema_version(&db)?;
    if version < MISSING_SCHEMA {
        return Err(Error::new(format!(
            "{} has schema {version}, of {SCHEMA_VERSION}",
            paths::shown(path)
        ))
        .hint("`clankers doctor --fix` brings it up to date, as the plugin does when it records"));
    }
    Ok(db)
}

/// Runs the migrations that are missing. Several processes may start at once,
/// so each looks again inside its transaction.
fn migrate(db: &mut Connection) -> Result<()> {
    while schema_version(db)? < SCHEMA_VERSION {
        let step = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version = schema_version(&step)?;
        if let Some(migration) = MIGRATIONS.get(version) {
            step.execute_batch(migration)?;
            step.execute_batch(&format!("PRAGMA user_version = {}", version + 1))?;
        }
        step.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::WRITER_PRAGMAS;

    #[test]
    fn a_writer_has_the_disk_confirm_and_overwrites_what_is_erased() {
        let folder = tempfile::tempdir().unwrap();
        let db = Connection::open(folder.path().join("x.db")).unwrap();
        db.execute_batch(WRITER_PRAGMAS).unwrap();
        let number = |pragma: &str| -> i64 {
            db.pragma_query_value(None, pragma, |row| row.get(0))
                .unwrap()
        };
        assert_eq!(number("synchronous"), 1);
        assert_eq!(number("secure_delete"), 1);
        assert_eq!(number("journal_size_limit"), 16 * 1024 * 1024);
        let mode: String = db
            .pragma_query_value(None, "journal_mode", |row| row.get(0))
            .unwrap();
        assert_eq!(mode, "wal");
    }
}
