//! A database that a newer clankers wrote.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::support::home::Home;

/// A home whose database is of a schema to come, in WAL mode as all are.
fn newer() -> Home {
    let home = Home::with_recordings(&["1.18.34/served.jsonl"]);
    home.open()
        .execute_batch(
            "CREATE TABLE later (x); UPDATE clankers_database SET oldest_writer = 99;
            PRAGMA user_version = 99",
        )
        .unwrap();
    home
}

/// The folder's files but `-shm`, which holds locks and no data, and what is
/// the daemon's own.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path))
        .filter(|(name, _)| !["-shm", ".lock"].iter().any(|own| name.ends_with(own)))
        .map(|(name, path)| (name, fs::read(path).unwrap()))
        .filter(|(name, bytes)| !(name.ends_with("-wal") && bytes.is_empty()))
        .collect()
}

const COMMANDS: &[&[&str]] = &[
    &["status"],
    &["sessions"],
    &["show", "ses_1"],
    &["stats"],
    &["tools"],
    &["search", "pond"],
    &["tail"],
    &["query", "SELECT 1"],
    &["export"],
    &["backup", "copy.db"],
    &["prune", "--older-than", "2100-01-01"],
    &["import", "--from", IMPORTED],
    &["import", "--dry-run", "--from", IMPORTED],
    &["daemon", "--foreground"],
];

const IMPORTED: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/homes/1.18.34/export.json"
);

#[test]
fn what_writes_refuses_the_database_of_another_program_and_leaves_it_untouched() {
    for command in [
        &["import", "--from", IMPORTED][..],
        &["prune", "--older-than", "2100-01-01"],
        &["daemon", "--foreground"],
    ] {
        let home = Home::new();
        let path = home.path("foreign.db");
        let tables = "CREATE TABLE notes (words)";
        rusqlite::Connection::open(&path)
            .unwrap()
            .execute_batch(tables)
            .unwrap();
        let before = fs::read(&path).unwrap();
        let given = [command, &["--db-path", path.to_str().unwrap()]].concat();
        let said = home.stderr(&given);
        let is_said = said.contains("holds tables of something else")
            || said.contains("is no clankers database");
        assert!(is_said, "{command:?}: {said}");
        assert!(fs::read(&path).unwrap() == before, "{command:?}");
    }
}

#[test]
fn every_command_refuses_it_in_the_same_words_and_leaves_it_untouched() {
    let home = newer();
    let before = files(&home.data());
    for args in COMMANDS {
        let said = home.stderr(args);
        assert!(
            said.contains(
                "~/.local/share/clankers/clankers.db was written by a newer clankers (schema 99, this one knows"
            ) && said.contains("it was left untouched: update clankers"),
            "{args:?}: {said}"
        );
        assert!(before == files(&home.data()), "{args:?} changed something");
    }
    assert!(!home.path("copy.db").exists());
}

#[test]
fn one_that_only_has_more_than_is_known_is_read_and_written() {
    let home = Home::with_recordings(&["1.18.34/served.jsonl"]);
    home.open()
        .execute_batch("ALTER TABLE sessions ADD COLUMN later TEXT; PRAGMA user_version = 99")
        .unwrap();
    assert!(home.stdout(&["status"]).contains("99"));
    home.stdout(&["import", "--from", IMPORTED]);
    home.stdout(&["prune", "--older-than", "2100-01-01"]);
    let kept = "SELECT count(*) FROM sessions WHERE deleted_at IS NULL";
    let left: u32 = home.open().query_row(kept, [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
}

#[test]
fn what_a_crash_left_beside_it_is_untouched_too() {
    let home = newer();
    let holder = home.open();
    holder
        .execute_batch("INSERT INTO later VALUES (1)")
        .unwrap();
    let crashed = Home::new();
    fs::create_dir_all(crashed.data()).unwrap();
    for (name, bytes) in files(&home.data()) {
        fs::write(crashed.data().join(name), bytes).unwrap();
    }
    let before = files(&crashed.data());
    assert_eq!(before.len(), 2, "the file and what is not in it yet");
    for args in COMMANDS {
        crashed.stderr(args);
        assert!(
            before == files(&crashed.data()),
            "{args:?} changed something"
        );
    }
}
