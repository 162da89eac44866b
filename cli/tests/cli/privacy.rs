//! Modes: the folder and the files are for their owner alone.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::daemon::session;
use crate::support::client::Client;
use crate::support::home::{Home, mode};

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// The database and what SQLite puts beside it.
fn files(db: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|ending| format!("{}{ending}", db.display()).into())
}

/// A folder and a database in it that others can read, held open so that
/// SQLite's own files are there too.
fn open_to_all(db: &Path) -> Connection {
    fs::create_dir_all(db.parent().unwrap()).unwrap();
    let holder = Connection::open(db).unwrap();
    holder
        .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (x); DROP TABLE t")
        .unwrap();
    set_mode(db.parent().unwrap(), 0o755);
    for file in files(db) {
        set_mode(&file, 0o644);
    }
    holder
}

#[test]
fn files_that_were_there_with_wider_modes_are_narrowed_by_the_daemon() {
    let home = Home::new();
    let _holder = open_to_all(&home.db());
    let _daemon = home.daemon();
    for file in files(&home.db()) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn clankers_own_folder_is_narrowed_whether_the_daemon_is_here_or_in_the_background() {
    for background in [false, true] {
        let home = Home::new();
        let _holder = open_to_all(&home.db());
        if background {
            home.stdout(&["daemon"]);
        } else {
            assert_eq!(home.daemon().end(), Some(0));
        }
        let mode = mode(&home.data());
        home.stdout(&["daemon", "--stop"]);
        assert_eq!(mode, 0o700, "background: {background}");
    }
}

#[test]
fn a_folder_that_a_person_named_keeps_its_mode_and_its_database_is_narrowed() {
    for (name, place) in [("--db-path", "named/x.db"), ("--data-path", "named")] {
        let home = Home::new();
        let db = home.path(if name == "--db-path" {
            "named/x.db"
        } else {
            "named/clankers.db"
        });
        let _holder = open_to_all(&db);
        let place = home.path(place);
        let socket = home.socket();
        let _daemon = home.daemon_with(&[
            name,
            place.to_str().unwrap(),
            "--socket",
            socket.to_str().unwrap(),
        ]);
        assert_eq!(mode(&home.path("named")), 0o755, "{name}");
        for file in files(&db) {
            assert_eq!(mode(&file), 0o600, "{name} {}", file.display());
        }
    }
}

#[test]
fn what_the_daemon_makes_is_for_its_owner_alone_in_a_named_folder_too() {
    let home = Home::new();
    let folder = home.path("a/b");
    let socket = folder.join("s.sock");
    let args = [
        "daemon",
        "--data-path",
        folder.to_str().unwrap(),
        "--socket",
        socket.to_str().unwrap(),
    ];
    home.stdout(&args);
    Client::connect(&socket)
        .call("session.upsert", &session("ses_1"))
        .unwrap();
    let (above, below) = (mode(&home.path("a")), mode(&folder));
    let modes = files(&folder.join("clankers.db")).map(|file| mode(&file));
    home.stdout(&[&args[..], &["--stop"]].concat());
    assert_eq!((above, below), (0o700, 0o700));
    assert_eq!(modes, [0o600; 3]);
}

#[test]
fn what_import_makes_is_for_its_owner_alone_whatever_the_umask() {
    let home = Home::new();
    let export = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/homes/1.18.34/export.json"
    );
    for (folder, more) in [
        (home.data(), &[][..]),
        (home.path("named"), &["--data-path", "named"]),
    ] {
        let import = home.command(&[&["import", "--from", export], more].concat());
        let mut shell = home.command_of("sh", &["-c", "umask 0; exec \"$@\"", "sh"]);
        let made = shell
            .arg(import.get_program())
            .args(import.get_args())
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join("clankers.db")), 0o600);
    }
}
