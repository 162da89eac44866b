//! The database, its folder and the daemon.

use std::fs;
use std::path::Path;
use std::time::Duration;

use clankers::store::SCHEMA_VERSION;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use super::check::Check;
use super::{integrity, log};
use crate::daemon;
use crate::error::sqlite_text;
use crate::import;
use crate::output::{bytes, counted};
use crate::paths::{Paths, VARIABLES, path_from_env, shown};
use crate::recorded::Recorded;
use crate::store::{
    MissingCounts, is_usable, open_reader, open_writer, schema_version, size_on_disk,
};

pub(super) fn checks(paths: &Paths) -> Vec<Check> {
    let mut checks = settings();
    checks.extend(recorded());
    checks.extend(permissions(paths));
    match fs::metadata(&paths.db) {
        Ok(found) if found.is_file() => checks.extend(database(paths)),
        Ok(_) => checks.push(
            Check::broken("database", format!("{} is no file", shown(&paths.db)))
                .advice("move it away, or name another file in CLANKERS_DB_PATH"),
        ),
        Err(_) => checks.push(
            Check::warning("database", format!("none yet at {}", shown(&paths.db)))
                .advice("it is made with the first event, or by `clankers import`"),
        ),
    }
    checks.extend(unrecorded(paths));
    checks.extend(missing(paths));
    checks.push(daemon_check(paths));
    checks
}

/// Variables that are set and cannot be used.
fn settings() -> Vec<Check> {
    let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let unusable = VARIABLES
        .into_iter()
        .filter(is_set)
        .filter(|name| path_from_env(name).is_none());
    unusable
        .map(|name| {
            Check::warning(
                "settings",
                format!("{name} is not a path from the root: it is not used"),
            )
            .advice(
                "begin it with / or ~/; a relative path would be another place for each project",
            )
        })
        .collect()
}

/// What is recorded, where that is not everything, and what is wrong with the
/// settings of it.
fn recorded() -> Vec<Check> {
    let read = match Recorded::read() {
        Ok(read) => read,
        Err(error) => return vec![Check::warning("settings", error.to_string())],
    };
    let in_force = read.described();
    let wrong = read.problems.iter().map(|problem| {
        Check::warning("settings", problem)
            .advice("correct it; OpenCode reads it when it starts next")
    });
    wrong
        .chain(in_force.map(|words| Check::good("recorded", words)))
        .collect()
}

/// Files and folders that others could read.
#[cfg(unix)]
fn permissions(paths: &Paths) -> Vec<Check> {
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;
    let mut wrong: Vec<(PathBuf, u32)> = Vec::new();
    let mut look = |path: PathBuf, wanted: u32| {
        if let Ok(found) = fs::metadata(&path)
            && found.permissions().mode() & 0o077 != 0
        {
            wrong.push((path, wanted));
        }
    };
    look(paths.data.clone(), 0o700);
    for ending in ["", "-wal", "-shm", ".log"] {
        let mut name = paths.db.as_os_str().to_owned();
        name.push(ending);
        look(PathBuf::from(name), 0o600);
    }
    if wrong.is_empty() {
        return Vec::new();
    }
    let names: Vec<String> = wrong.iter().map(|(path, _)| shown(path)).collect();
    let check = Check::warning(
        "privacy",
        format!("others on this machine can read {}", names.join(", ")),
    )
    .advice("chmod 700 the folder and 600 the files")
    .fix(move || {
        for (path, mode) in &wrong {
            fs::set_permissions(path, fs::Permissions::from_mode(*mode))?;
        }
        Ok("the data can be read by you alone".to_owned())
    });
    vec![check]
}

#[cfg(not(unix))]
fn permissions(_: &Paths) -> Vec<Check> {
    Vec::new()
}

fn database(paths: &Paths) -> Vec<Check> {
    let path = &paths.db;
    let name = shown(path);
    let broken = |why: &rusqlite::Error| {
        Check::broken(
            "database",
            format!("{name} cannot be read: {}", sqlite_text(why)),
        )
        .advice(
            "put a backup back with `clankers restore FILE`; without one, the plugin and the daemon \
             set it aside when they write next and begin a new one, and `clankers import` fills it",
        )
    };
    // To write a file with the log of another would merge them for good.
    if let Some(foreign_log) = log::check(path) {
        return vec![foreign_log];
    }
    let found = read_only(path).and_then(|db| Ok((schema_version(&db)?, is_usable(&db)?)));
    let (version, is_usable) = match found {
        Ok(found) => found,
        Err(error) => return vec![broken(&error)],
    };
    if !is_usable {
        let text = format!("{name} has schema {version}, this clankers knows {SCHEMA_VERSION}");
        return vec![
            Check::broken("database", text).advice("update clankers; the file is left untouched"),
        ];
    }
    let mut checks = Vec::new();
    if version < SCHEMA_VERSION {
        let paths = paths.clone();
        let text = format!("{name} has schema {version}, of {SCHEMA_VERSION}");
        checks.push(
            Check::warning("schema", text)
                .advice("it is brought up to date when it is written next")
                .fix(move || {
                    open_writer(&paths)?;
                    Ok(format!("the schema is {SCHEMA_VERSION} now"))
                }),
        );
    }
    checks.extend(soundness(path, &name));
    checks
}

/// Whether the file is sound, and can be written where it is.
fn soundness(path: &Path, name: &str) -> Vec<Check> {
    let is_broken = |what: String| {
        Check::broken("integrity", what).advice(
            "put a backup back with `clankers restore FILE`; or `sqlite3 clankers.db .recover` \
             saves what can be saved",
        )
    };
    let damage = read_only(path)
        .and_then(|db| integrity::damage(&db))
        .unwrap_or_else(|error| vec![sqlite_text(&error)]);
    if !damage.is_empty() {
        let check = || is_broken(damage.join("; "));
        return vec![log::spoils(path).unwrap_or_else(check)];
    }
    let orphans = read_only(path).and_then(|db| integrity::orphans(&db));
    let orphans = orphans.unwrap_or_else(|error| vec![sqlite_text(&error)]);
    let integrity = if orphans.is_empty() {
        Check::good("integrity", "the file is sound")
    } else {
        is_broken(orphans.join("; "))
    };
    vec![writable(path, name), integrity]
}

fn read_only(path: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    db.busy_timeout(Duration::from_secs(2))?;
    Ok(db)
}

/// Whether the database can be written: a transaction is begun and rolled back.
fn writable(path: &Path, name: &str) -> Check {
    let begin = || {
        let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        db.busy_timeout(Duration::from_secs(1))?;
        db.execute_batch("BEGIN IMMEDIATE; ROLLBACK")
    };
    match begin() {
        Ok(()) => Check::good(
            "database",
            format!("{name}, {}, can be written", bytes(size_on_disk(path))),
        ),
        Err(error)
            if matches!(
                error.sqlite_error_code(),
                Some(rusqlite::ErrorCode::DatabaseBusy)
            ) =>
        {
            Check::warning("database", format!("{name} is held by another program"))
                .advice("the plugin waits and tries again; close what holds it open for writing")
        }
        Err(error) => Check::broken(
            "database",
            format!("{name} cannot be written: {}", sqlite_text(&error)),
        )
        .advice("look at its owner and mode, and whether the disk is full"),
    }
}

/// Sessions that OpenCode or Kilo has and the database lacks.
fn unrecorded(paths: &Paths) -> Vec<Check> {
    let import::NotImported {
        sessions,
        unreadable,
    } = import::not_imported(paths).unwrap_or_default();
    let unreadable = unreadable.into_iter().map(|what| {
        Check::warning("history", what)
            .advice("nothing of it is brought in; what else there is comes all the same")
    });
    let check = |(program, count): (import::Program, usize)| {
        let product = program.host().product();
        if count == 0 {
            let text = format!("every session that {product} has is recorded");
            return Check::good("history", text);
        }
        let text = format!(
            "{} that {product} has {} not recorded, or only in an older state",
            counted(count, "session"),
            if count == 1 { "is" } else { "are" }
        );
        Check::warning("history", text).advice("run: clankers import")
    };
    sessions.into_iter().map(check).chain(unreadable).collect()
}

/// What OpenCode does not have any more. It is safe here, so that this is no
/// warning: a home that was reset stays so.
fn missing(paths: &Paths) -> Option<Check> {
    let db = open_reader(&paths.db).ok()?;
    let counts = MissingCounts::read(&db).ok()?;
    (!counts.is_empty())
        .then(|| Check::good("missing", counts.described()).advice(MissingCounts::HINT))
}

fn daemon_check(paths: &Paths) -> Check {
    let socket = shown(&paths.socket);
    match daemon::health(&paths.socket) {
        Some(Ok(health)) => {
            let text = |name: &str| health.get(name).and_then(Value::as_str).unwrap_or("?");
            let version = text("version").to_owned();
            if version != env!("CARGO_PKG_VERSION") {
                let text = format!(
                    "clankers {version} is running, this is {}",
                    env!("CARGO_PKG_VERSION")
                );
                return Check::warning("daemon", text)
                    .advice("run: clankers daemon --stop, and start it again");
            }
            if Path::new(text("dbPath")) != paths.db {
                return Check::warning(
                    "daemon",
                    format!("it writes another database: {}", text("dbPath")),
                )
                .advice(
                    "CLANKERS_DB_PATH differs between here and where it was started: what is \
                     recorded while it is away is in this one",
                );
            }
            Check::good("daemon", format!("answers on {socket}"))
        }
        Some(Err(error)) => Check::broken(
            "daemon",
            format!("what answers on {socket} is wrong: {error}"),
        )
        .advice("another program listens there: name another with CLANKERS_SOCKET_PATH"),
        None if paths.socket.exists() && !daemon::is_locked(paths) => {
            let path = paths.socket.clone();
            Check::warning(
                "daemon",
                format!("{socket} was left behind by a daemon that is gone"),
            )
            .advice("the next daemon replaces it; it may be removed")
            .fix(move || {
                fs::remove_file(&path)?;
                Ok(format!("removed {}", shown(&path)))
            })
        }
        None => Check::good("daemon", "not running; the plugin writes by itself"),
    }
}
