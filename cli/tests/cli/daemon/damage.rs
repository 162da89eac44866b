//! A daemon whose database is damaged: it is set aside, and a new one is begun.

use std::fs;
use std::path::PathBuf;

use super::{batch, count, hello, session};
use crate::support::client::Client;
use crate::support::home::{Home, mode};

fn garbage() -> String {
    "This is no database. ".repeat(10_000)
}

/// What was set aside, by name, without what belongs to it.
fn asides(home: &Home) -> Vec<PathBuf> {
    let entries = fs::read_dir(home.data()).unwrap();
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with("clankers.db.corrupt-")
                && !name.ends_with("-wal")
                && !name.ends_with("-shm")
        })
        .collect();
    paths.sort();
    paths
}

fn log(home: &Home) -> String {
    let logs = fs::read_dir(home.data().join("logs")).unwrap();
    logs.map(|log| fs::read_to_string(log.unwrap().path()).unwrap())
        .collect()
}

#[test]
fn a_file_that_is_no_database_is_set_aside_when_it_starts() {
    let home = Home::new();
    fs::create_dir_all(home.data()).unwrap();
    fs::write(home.db(), garbage()).unwrap();
    let daemon = home.daemon();
    Client::connect(&home.socket())
        .call("session.upsert", &session("ses_1"))
        .unwrap();
    assert_eq!(daemon.end(), Some(0));
    assert_eq!(count(&home, "sessions"), 1);
    assert_eq!(mode(&home.db()), 0o600);
    let aside = asides(&home);
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert_eq!(fs::read_to_string(&aside[0]).unwrap(), garbage());
    let log = log(&home);
    assert!(
        log.contains("was damaged, is set aside, and a new one is begun")
            && log.contains("file is not a database"),
        "{log}"
    );
}

#[test]
fn one_that_is_overwritten_while_it_is_open_is_set_aside_each_time() {
    let home = Home::new();
    let daemon = home.daemon();
    let mut client = Client::connect(&home.socket());
    let first = hello(&mut client);
    client.call("batch", &batch("ses_1", &first)).unwrap();
    fs::write(home.db(), garbage()).unwrap();
    // Who counts on what was there is told which database that is now,
    let refused = client.call("batch", &batch("ses_2", &first)).unwrap_err();
    assert_eq!(refused["code"], -32005, "{refused}");
    let second = refused["data"]["database"].clone();
    assert_ne!(second, first);
    client.call("batch", &batch("ses_2", &second)).unwrap();
    fs::write(home.db(), garbage()).unwrap();
    // and for who does not, it is stored in that.
    client.call("session.upsert", &session("ses_3")).unwrap();
    assert_eq!(daemon.end(), Some(0));
    assert_eq!(count(&home, "sessions"), 1);
    let aside = asides(&home);
    assert_eq!(aside.len(), 2, "{aside:?}");
    for aside in aside {
        assert_eq!(fs::read_to_string(&aside).unwrap(), garbage());
        let mut log = aside.into_os_string();
        log.push("-wal");
        assert!(fs::metadata(log).unwrap().len() > 0);
    }
}

#[test]
fn one_of_which_half_is_gone_is_set_aside_when_that_shows() {
    let home = Home::new();
    let daemon = home.daemon();
    let mut client = Client::connect(&home.socket());
    for at in 0..200 {
        client
            .call("session.upsert", &session(&format!("ses_{at}")))
            .unwrap();
    }
    assert_eq!(daemon.end(), Some(0));
    let file = fs::OpenOptions::new().write(true).open(home.db()).unwrap();
    file.set_len(16_384).unwrap();
    let daemon = home.daemon();
    Client::connect(&home.socket())
        .call("session.upsert", &session("ses_new"))
        .unwrap();
    assert_eq!(daemon.end(), Some(0));
    assert_eq!(count(&home, "sessions"), 1);
    let aside = asides(&home);
    assert_eq!(aside.len(), 1, "{aside:?}");
    let integrity: String = home
        .open()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(integrity, "ok");
}

#[test]
fn it_stays_where_it_is_when_many_were_set_aside_within_an_hour() {
    let home = Home::new();
    let _daemon = home.daemon();
    let mut client = Client::connect(&home.socket());
    for _ in 0..5 {
        fs::write(home.db(), garbage()).unwrap();
        client.call("session.upsert", &session("ses_1")).unwrap();
    }
    fs::write(home.db(), garbage()).unwrap();
    let refused = client
        .call("session.upsert", &session("ses_2"))
        .unwrap_err();
    let said = refused.to_string();
    assert!(
        said.contains("5 databases were set aside within an hour"),
        "{said}"
    );
    assert_eq!(refused["data"]["retry"], true);
    assert_eq!(fs::read_to_string(home.db()).unwrap(), garbage());
    assert_eq!(asides(&home).len(), 5);
    // Once a person has moved it away, all is well.
    fs::remove_file(home.db()).unwrap();
    client.call("session.upsert", &session("ses_2")).unwrap();
}

#[test]
fn what_another_process_has_put_in_its_place_is_left_there() {
    let home = Home::new();
    let daemon = home.daemon();
    let mut client = Client::connect(&home.socket());
    client.call("session.upsert", &session("ses_1")).unwrap();
    fs::write(home.db(), garbage()).unwrap();
    fs::rename(home.db(), home.path("moved.db")).unwrap();
    for ending in ["-wal", "-shm"] {
        let name = format!("clankers.db{ending}");
        fs::rename(
            home.data().join(name),
            home.path(&format!("moved.db{ending}")),
        )
        .unwrap();
    }
    let other = crate::support::recording::sink(&home.db());
    drop(other);
    client.call("session.upsert", &session("ses_2")).unwrap();
    assert_eq!(daemon.end(), Some(0));
    assert_eq!(count(&home, "sessions"), 1);
    assert_eq!(asides(&home), Vec::<PathBuf>::new());
}

#[test]
fn one_that_another_process_is_moving_is_left_to_it_unless_that_is_long_gone() {
    let home = Home::new();
    let _daemon = home.daemon();
    let mut client = Client::connect(&home.socket());
    client.call("session.upsert", &session("ses_1")).unwrap();
    home.stdout(&["backup", "backup.db"]);
    let claim = home.write(".local/share/clankers/clankers.db.claim", "");
    let said = home.stderr(&["restore", "backup.db", "--yes"]);
    assert!(said.contains("another process is moving it"), "{said}");
    fs::write(home.db(), garbage()).unwrap();
    let refused = client
        .call("session.upsert", &session("ses_2"))
        .unwrap_err();
    assert_eq!(refused["data"]["retry"], true);
    assert_eq!(asides(&home), Vec::<PathBuf>::new());
    home.backdate(".local/share/clankers/clankers.db.claim");
    client.call("session.upsert", &session("ses_2")).unwrap();
    assert_eq!(asides(&home).len(), 1);
    assert!(!claim.exists());
}
