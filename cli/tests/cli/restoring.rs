//! `clankers restore`: a backup takes the database's place while it is in use.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rusqlite::Connection;

use crate::daemon::{batch, count, hello};
use crate::support::client::Client;
use crate::support::diagnosis::doctor;
use crate::support::history::put_home;
use crate::support::home::{Home, mode};
use crate::support::recording;

const EARLY: &str = "1.3.2/run.jsonl";
const LATE: &str = "1.18.34/served.jsonl";

/// A home with a backup, and more in the database than in that.
fn home_with_backup() -> (Home, PathBuf) {
    let home = Home::with_recordings(&[EARLY]);
    let backup = home.path("backup.db");
    home.stdout(&["backup", "backup.db"]);
    let db = home.open();
    for batch in recording::batches(&recording::recording(LATE)) {
        recording::apply(&db, &batch);
    }
    (home, backup)
}

/// What lies beside the database for this, without what belongs to it.
fn asides(home: &Home, why: &str) -> Vec<PathBuf> {
    let start = format!("clankers.db.{why}-");
    let entries = fs::read_dir(home.data()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let is_one = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with(&start) && !name.ends_with("-wal") && !name.ends_with("-shm")
    };
    paths.filter(is_one).collect()
}

fn rows(path: &Path) -> String {
    recording::dump(&Connection::open(path).unwrap())
}

fn identity(path: &Path) -> String {
    let about = "SELECT id FROM clankers_database";
    let db = Connection::open(path).unwrap();
    db.query_row(about, [], |row| row.get(0)).unwrap()
}

/// A file with the log that is beside the database while somebody writes.
fn log_of_writer(home: &Home) -> Vec<u8> {
    let writer = home.open();
    writer
        .execute_batch(
            "PRAGMA journal_mode = WAL; UPDATE clankers_database SET changed = changed + 1;
             UPDATE sessions SET title = 'in the log', changed = changed + 1",
        )
        .unwrap();
    fs::read(home.data().join("clankers.db-wal")).unwrap()
}

#[test]
fn it_puts_a_backup_back_and_keeps_what_was_there() {
    let (home, backup) = home_with_backup();
    let (early, late) = (rows(&backup), rows(&home.db()));
    assert_ne!(early, late);
    fs::set_permissions(&backup, fs::Permissions::from_mode(0o644)).unwrap();
    let before = (fs::read(&backup).unwrap(), identity(&home.db()));
    let own = home.db();
    let said = home.stderr(&["backup", own.to_str().unwrap(), "--force"]);
    assert!(said.contains("is the database itself"), "{said}");
    let said = home.stdout(&["restore", "backup.db", "--yes"]);
    assert!(
        said.starts_with("put backup.db in the place of ~/.local/share/clankers/clankers.db\n"),
        "{said}"
    );
    assert_eq!(rows(&home.db()), early);
    assert_eq!(mode(&home.db()), 0o600);
    let kept = asides(&home, "replaced");
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert!(said.contains(kept[0].file_name().unwrap().to_str().unwrap()));
    assert_eq!(rows(&kept[0]), late);
    assert_eq!(mode(&kept[0]), 0o600);
    assert_eq!(fs::read(&backup).unwrap(), before.0);
    // Each is a database of its own for who reads what changed since when.
    let ids = [
        identity(&backup),
        identity(&home.db()),
        identity(&kept[0]),
        before.1,
    ];
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[2] == ids[3]);
    let files: Vec<_> = fs::read_dir(home.data()).unwrap().collect();
    assert_eq!(files.len(), 2, "{files:?}");
    // And back again.
    let kept = kept[0].to_str().unwrap();
    home.stdout(&["restore", kept, "--yes"]);
    assert_eq!(rows(&home.db()), late);
}

#[test]
fn it_asks_first_unless_there_is_nothing_to_keep() {
    let (home, backup) = home_with_backup();
    let before = rows(&home.db());
    let answered = |answer: &str| {
        let output = home.answered(&["restore", "backup.db"], answer);
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    let (status, said) = answered("");
    assert_eq!(status, Some(2));
    assert!(
        said.contains("nobody answered") && said.contains("--yes"),
        "{said}"
    );
    let (status, said) = answered("n\n");
    assert_eq!(status, Some(0));
    assert!(said.contains("nothing was changed"), "{said}");
    assert_eq!(rows(&home.db()), before);
    let (status, said) = answered("y\n");
    assert_eq!(status, Some(0), "{said}");
    assert!(
        said.contains("in the place of ~/.local/share/clankers/clankers.db, which is kept? [y/N]"),
        "{said}"
    );
    assert_eq!(rows(&home.db()), rows(&backup));
    let empty = Home::new();
    fs::copy(&backup, empty.path("backup.db")).unwrap();
    let said = empty.stdout(&["restore", "backup.db"]);
    assert!(!said.contains("what was there"), "{said}");
    assert_eq!(rows(&empty.db()), rows(&backup));
    assert_eq!((mode(&empty.data()), mode(&empty.db())), (0o700, 0o600));
}

#[test]
fn what_is_no_sound_backup_is_refused_and_changes_nothing() {
    let (home, backup) = home_with_backup();
    let before = fs::read(home.db()).unwrap();
    let make = |name: &str, sql: &str| {
        fs::copy(&backup, home.path(name)).unwrap();
        let db = Connection::open(home.path(name)).unwrap();
        db.execute_batch(sql).unwrap();
    };
    fs::create_dir(home.path("folder")).unwrap();
    fs::write(home.path("empty"), "").unwrap();
    fs::write(home.path("notes"), "Buy milk. ".repeat(1000)).unwrap();
    let pipe = home.path("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    make(
        "newer",
        "UPDATE clankers_database SET oldest_writer = 99; PRAGMA user_version = 99",
    );
    make("bare", "DROP TABLE usage");
    let foreign = Connection::open(home.path("foreign")).unwrap();
    foreign.execute_batch("CREATE TABLE notes (text)").unwrap();
    let cut = fs::read(&backup).unwrap();
    fs::write(home.path("cut"), &cut[..cut.len() / 2]).unwrap();
    symlink(home.db(), home.path("itself")).unwrap();
    for (name, why) in [
        ("nowhere", "is not there"),
        ("folder", "is a folder"),
        ("pipe", "is no file"),
        ("/dev/zero", "is no file"),
        ("empty", "is empty"),
        ("notes", "is no SQLite database"),
        ("foreign", "holds tables of something else"),
        ("bare", "is no clankers database"),
        ("newer", "was written by a newer clankers (schema 99"),
        ("cut", "malformed"),
        ("itself", "is the database itself"),
    ] {
        let said = home.stderr(&["restore", name, "--yes"]);
        assert!(said.contains(why), "{name}: {said}");
    }
    assert_eq!(fs::read(home.db()).unwrap(), before);
    let files: Vec<_> = fs::read_dir(home.data()).unwrap().collect();
    assert_eq!(files.len(), 1, "{files:?}");
}

#[test]
fn a_place_that_is_not_ours_is_left_as_it_is() {
    let (home, _) = home_with_backup();
    let theirs = home.path("theirs.db");
    let db = Connection::open(&theirs).unwrap();
    db.execute_batch("CREATE TABLE notes (text)").unwrap();
    let before = fs::read(&theirs).unwrap();
    let into = |path: &Path| {
        let path = path.to_str().unwrap();
        home.stderr(&["restore", "backup.db", "--yes", "--db-path", path])
    };
    let said = into(&theirs);
    assert!(said.contains("holds tables of something else"), "{said}");
    assert_eq!(fs::read(&theirs).unwrap(), before);
    let said = into(Path::new("/dev/null"));
    assert!(said.contains("is no file"), "{said}");
    fs::create_dir(home.path("folder")).unwrap();
    let said = into(&home.path("folder"));
    assert!(said.contains("is no file"), "{said}");
}

#[test]
fn a_database_that_somebody_is_writing_is_waited_for_and_not_torn_from_them() {
    let (home, _) = home_with_backup();
    let writer = home.open();
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    let said = home.stderr(&["restore", "backup.db", "--yes"]);
    assert!(
        said.contains("database is locked") && said.contains("another program holds"),
        "{said}"
    );
    writer.execute_batch("COMMIT").unwrap();
    assert_eq!(asides(&home, "replaced"), Vec::<PathBuf>::new());
    let files: Vec<_> = fs::read_dir(home.data()).unwrap().collect();
    assert!(files.len() <= 3, "{files:?}");
    home.stdout(&["restore", "backup.db", "--yes"]);
}

#[test]
fn an_import_into_a_database_that_was_replaced_meanwhile_is_refused() {
    let (home, backup) = home_with_backup();
    put_home("1.18.34", &home);
    let before = rows(&home.db());
    // As `restore` does: while it holds the lock it puts another file there.
    let held = home.open();
    held.execute_batch("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE")
        .unwrap();
    let mut import = home
        .command(&["import"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(import.stdout.take().unwrap()).lines();
    let is_open = said.any(|line| line.unwrap().starts_with("reading "));
    assert!(is_open, "the import did not begin");
    let kept = home.path("kept.db");
    for ending in ["", "-wal", "-shm"] {
        let from = home.data().join(format!("clankers.db{ending}"));
        fs::rename(from, home.path(&format!("kept.db{ending}"))).unwrap();
    }
    fs::copy(&backup, home.db()).unwrap();
    held.execute_batch("COMMIT").unwrap();
    said.for_each(drop);
    let output = import.wait_with_output().unwrap();
    let why = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{why}");
    assert!(
        why.contains("clankers.db was removed, or another file put in its place"),
        "{why}"
    );
    assert_eq!(rows(&kept), before);
    assert_eq!(rows(&home.db()), rows(&backup));
    home.stdout(&["import"]);
    assert_ne!(rows(&home.db()), rows(&backup));
    assert_eq!(rows(&kept), before);
}

#[test]
fn a_daemon_that_runs_goes_on_in_it_and_tells_who_counts_on_the_other() {
    let home = Home::new();
    let daemon = home.daemon();
    let mut client = Client::connect(&home.socket());
    let first = hello(&mut client);
    client.call("batch", &batch("ses_1", &first)).unwrap();
    home.stdout(&["backup", "backup.db"]);
    client.call("batch", &batch("ses_2", &first)).unwrap();
    home.stdout(&["restore", "backup.db", "--yes"]);
    assert_eq!(count(&home, "sessions"), 1);
    let refused = client.call("batch", &batch("ses_3", &first)).unwrap_err();
    assert_eq!(refused["code"], -32005, "{refused}");
    let second = &refused["data"]["database"];
    assert_ne!(*second, first);
    client.call("batch", &batch("ses_3", second)).unwrap();
    assert_eq!(daemon.end(), Some(0));
    let ids = |path: &Path| -> Vec<String> {
        let db = Connection::open(path).unwrap();
        let mut found = db.prepare("SELECT id FROM sessions ORDER BY id").unwrap();
        let ids = found.query_map([], |row| row.get(0)).unwrap();
        ids.map(Result::unwrap).collect()
    };
    assert_eq!(ids(&home.db()), ["ses_1", "ses_3"]);
    let kept = asides(&home, "replaced");
    assert_eq!(ids(&kept[0]), ["ses_1", "ses_2"]);
    assert!(doctor(&home, &[]).says("integrity", "good", "sound"));
}

#[test]
fn a_backup_that_was_copied_by_hand_over_a_database_with_a_log_is_told_and_mended() {
    let (home, backup) = home_with_backup();
    let log = log_of_writer(&home);
    let wal = home.data().join("clankers.db-wal");
    let by_hand = || {
        let _ = fs::remove_file(home.data().join("clankers.db-shm"));
        fs::write(home.db(), fs::read(&backup).unwrap()).unwrap();
        fs::write(&wal, &log).unwrap();
    };
    by_hand();
    for _ in 0..2 {
        let diagnosis = doctor(&home, &["--fix"]);
        assert_eq!(diagnosis.status, Some(2));
        let told = diagnosis.of("log");
        assert!(
            diagnosis.says("log", "broken", "belongs to another file than ~/.local"),
            "{told:?}"
        );
        assert!(told[0].1.contains("clankers restore"), "{told:?}");
        assert_eq!(fs::read(&wal).unwrap(), log, "looking merges nothing");
        assert_eq!(fs::read(home.db()).unwrap(), fs::read(&backup).unwrap());
    }
    home.stdout(&["restore", "backup.db", "--yes"]);
    assert_eq!(rows(&home.db()), rows(&backup));
    let diagnosis = doctor(&home, &[]);
    assert!(diagnosis.of("log").is_empty());
    assert!(diagnosis.says("integrity", "good", "sound"));
    let kept = asides(&home, "replaced");
    assert_eq!(fs::read(&kept[0]).unwrap(), fs::read(&backup).unwrap());
    let mut kept_log = kept[0].clone().into_os_string();
    kept_log.push("-wal");
    assert_eq!(fs::read(kept_log).unwrap(), log);
}

#[test]
fn a_log_of_ones_own_is_no_trouble() {
    let (home, _) = home_with_backup();
    let writer = home.open();
    writer
        .execute_batch("UPDATE clankers_database SET changed = changed + 1")
        .unwrap();
    assert!(doctor(&home, &[]).of("log").is_empty());
}

#[test]
fn a_damaged_database_is_kept_as_it_is() {
    let (home, backup) = home_with_backup();
    fs::write(home.db(), "not a database ".repeat(1000)).unwrap();
    fs::write(home.data().join("clankers.db-wal"), "nor its log").unwrap();
    let said = doctor(&home, &[]);
    assert!(said.says("database", "broken", "cannot be read"));
    assert!(said.of("database")[0].1.contains("clankers restore"));
    home.stdout(&["restore", "backup.db", "--yes"]);
    assert_eq!(rows(&home.db()), rows(&backup));
    let kept = asides(&home, "replaced");
    assert_eq!(
        fs::read_to_string(&kept[0]).unwrap(),
        "not a database ".repeat(1000)
    );
    let mut log = kept[0].clone().into_os_string();
    log.push("-wal");
    assert_eq!(fs::read_to_string(log).unwrap(), "nor its log");
}

#[test]
fn a_link_stays_a_link_and_a_backup_with_a_log_is_taken_with_it() {
    let (home, backup) = home_with_backup();
    let elsewhere = home.path("disk");
    fs::create_dir(&elsewhere).unwrap();
    fs::rename(home.db(), elsewhere.join("real.db")).unwrap();
    symlink(elsewhere.join("real.db"), home.db()).unwrap();
    // Copied with its log, as from a disk of another machine.
    let writer = Connection::open(&backup).unwrap();
    writer
        .execute_batch("PRAGMA journal_mode = WAL; UPDATE sessions SET title = 'in the log'")
        .unwrap();
    for ending in ["", "-wal"] {
        let from = home.path(&format!("backup.db{ending}"));
        fs::copy(from, home.path(&format!("copied.db{ending}"))).unwrap();
    }
    home.stdout(&["restore", "copied.db", "--yes"]);
    assert!(fs::symlink_metadata(home.db()).unwrap().is_symlink());
    let titles = "SELECT count(*) FROM sessions WHERE title = 'in the log'";
    let found: i64 = home.open().query_row(titles, [], |row| row.get(0)).unwrap();
    assert!(found > 0);
    let names: Vec<String> = fs::read_dir(&elsewhere)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        names
            .iter()
            .any(|name| name.starts_with("real.db.replaced-")),
        "{names:?}"
    );
}

#[test]
fn search_finds_what_was_put_back_and_nothing_else() {
    let (home, _) = home_with_backup();
    assert!(home.stdout(&["search", "pond"]).contains("pond"));
    home.stdout(&["restore", "backup.db", "--yes"]);
    let backed_up = home.path("backup.db");
    let expected = home.stdout(&["search", "pond", "--db-path", backed_up.to_str().unwrap()]);
    assert_eq!(home.stdout(&["search", "pond"]), expected);
}
